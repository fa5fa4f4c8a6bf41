/** HTML text: every value is escaped unless it is itself made here. */

/** A piece of markup that is safe to send. */
export type Html = { readonly markup: string };

/** Joins literal markup and values; values that are no {@link Html} are escaped. Lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  const markup = parts.map((part, index) => part + textOf(values[index] ?? '')).join('');
  return { markup };
}

function textOf(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return 'markup' in value ? value.markup : value.map((item) => item.markup).join('');
}
