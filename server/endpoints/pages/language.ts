/** The languages of pages, and which of them a reader gets. */
import type { Context } from 'koa';

/** In the order in which a page offers them; the first is that of readers who name none of them. */
export const LANGUAGES = ['fr', 'de', 'en'] as const;

/** A language that every text of the pages stands in. */
export type Language = (typeof LANGUAGES)[number];

/** A text in every language: a missing one does not compile. */
export type ByLanguage<Text> = { readonly [Each in Language]: Text };

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
