/** HTML text: every value is escaped unless it is itself made here. What is written is well-formed XML, too. */

/** A piece of markup that is safe to send. */
export type Html = { readonly markup: string };

/** Nothing. */
export const NO_HTML: Html = { markup: '' };

/**
 * Controls and non-characters, which no document may hold; and the two overrides of direction, by which a text would be
 * read otherwise than it is stored.
 */
// oxlint-disable-next-line no-control-regex
const UNSHOWABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u202D\u202E\uFFFE\uFFFF]/g;

/** Joins literal markup and values; values that are no {@link Html} are escaped. Lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return { markup: parts.map((part, index) => part + markupOf(values[index] ?? '')).join('') };
}

/** Escapes a text and keeps its line ends. */
export function htmlLines(text: string): Html {
  return {
    markup: text
      .split(/\r\n|[\r\n]/)
      .map(escapeHtml)
      .join('<br/>'),
  };
}

/** Escapes a text, for element content and for attribute values between quotes. What cannot be shown becomes U+FFFD. */
export function escapeHtml(text: string): string {
  const shown = text.toWellFormed().replaceAll(UNSHOWABLE, '\uFFFD');
  return shown.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function markupOf(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string') return escapeHtml(value);
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
}
