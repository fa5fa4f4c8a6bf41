/** Escapes of search values: `\,`, `\|`, `\$` and `\\`. @see https://hl7.org/fhir/R4/search.html#escaping */

/** Splits at each separator that no backslash escapes. Escapes stay, for {@link unescapeValue}. */
export function splitUnescaped(text: string, separator: ',' | '|'): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** Takes the escapes away. */
export function unescapeValue(text: string): string {
  return text.replaceAll(/\\([,|$\\])/g, '$1');
}
