/** French typography: spaces at which no line may break. */

const NARROW = '\u202F';
const NO_BREAK = '\u00A0';

/**
 * Puts no-break spaces where French wants them: narrow ones before `;`, `!` and `?`, full ones before a colon, within
 * guillemets, and between a number and its unit.
 */
export function french(text: string): string {
  return text
    .replaceAll(/[ \u00A0\u202F]([;!?])/g, `${NARROW}$1`)
    .replaceAll(/[ \u00A0\u202F]:/g, `${NO_BREAK}:`)
    .replaceAll(/«[ \u00A0\u202F]/g, `«${NO_BREAK}`)
    .replaceAll(/[ \u00A0\u202F]»/g, `${NO_BREAK}»`)
    .replaceAll(/(\d) (?=\p{L})/gu, `$1${NO_BREAK}`);
}

/** A table of French texts, each with its no-break spaces. */
export function frenchTexts<Name extends string>(
  texts: Readonly<Record<Name, string>>,
): Readonly<Record<Name, string>> {
  const entries = Object.entries<string>(texts).map(([name, text]) => [name, french(text)] as const);
  return Object.freeze(Object.fromEntries(entries)) as Readonly<Record<Name, string>>;
}
