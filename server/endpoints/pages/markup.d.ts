/**
 * What is used of `htm/preact` (tsconfig.json leads its name here). Its own types bring those of browsers into every
 * file, and let any value stand in a template.
 */

/** A piece of a page: made by {@link html} alone, so that every text in it is escaped. */
export type Markup = { readonly type: unknown; readonly props: object };

/** What may stand in a template. Nothing is shown of `undefined` and `false`. */
export type MarkupValue = string | number | boolean | undefined | Markup | readonly Markup[];

/** Makes a piece of a page. */
export function html(parts: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup;
