/** The languages of pages, and which of them a reader gets. */
import type { Context } from 'koa';
import { LANGUAGES, type ByLanguage, type Language } from '../../../profiles/language.ts';

export { LANGUAGES, type ByLanguage, type Language };

/** How each language calls itself. */
export const NAME_OF_LANGUAGE: ByLanguage<string> = { fr: 'Français', de: 'Deutsch', en: 'English' };

/** The language that the reader chose (`?lang=de`), else the best of Accept-Language. @see RFC 9110 section 12.5.4 */
export function languageOf(ctx: Context): Language {
  const chosen = new URLSearchParams(ctx.querystring).get('lang');
  const known = LANGUAGES.find((language) => language === chosen);
  if (known !== undefined) return known;
  const accepted = ctx.acceptsLanguages(...LANGUAGES);
  return LANGUAGES.find((language) => language === accepted) ?? LANGUAGES[0];
}
