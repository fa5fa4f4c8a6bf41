/** The languages in which people are spoken to, on pages and in notices. */

/** In the order in which they are offered; the first is that of whoever names none of them. */
export const LANGUAGES = ['fr', 'de', 'en'] as const;

/** A language that every text stands in. */
export type Language = (typeof LANGUAGES)[number];

/** A text in every language: a missing one does not compile. */
export type ByLanguage<Text> = { readonly [Each in Language]: Text };

/** The language that a tag names, its region left aside (`de-LU`); undefined where it is none of them. @see RFC 5646 */
export function languageOfTag(tag: string): Language | undefined {
  const [primary = ''] = tag.toLowerCase().split('-');
  return LANGUAGES.find((language) => language === primary);
}
