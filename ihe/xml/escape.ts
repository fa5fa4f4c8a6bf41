/** Escaping of text and attribute values for XML 1.0 that is built as strings. */
import { Fault } from '../../profiles/fault.ts';

/** Control characters and non-characters: XML 1.0 has no way to write them, nor lone surrogates. */
// oxlint-disable-next-line no-control-regex
const NOT_XML = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;
const SPECIAL_IN_TEXT = /[&<>\r]/g;
const SPECIAL_IN_ATTRIBUTE = /[&<>"\t\n\r]/g;

const REFERENCE: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Whether XML 1.0 can carry every character of the text. */
export function isXmlText(value: string): boolean {
  return !NOT_XML.test(value) && value.isWellFormed();
}

/** Replaces what XML 1.0 cannot carry by U+FFFD: for free text of others, which must not break a whole answer. */
export function toXmlText(value: string): string {
  return isXmlText(value) ? value : value.toWellFormed().replaceAll(new RegExp(NOT_XML, 'g'), '\uFFFD');
}

/**
 * Escapes element content.
 * @throws {Fault} invalid - a character that XML 1.0 cannot hold
 */
export function escapeText(value: string): string {
  return escape(value, SPECIAL_IN_TEXT);
}

/**
 * Escapes an attribute value written between double quotes; line ends and tabs survive the reader.
 * @throws {Fault} invalid - a character that XML 1.0 cannot hold
 */
export function escapeAttribute(value: string): string {
  return escape(value, SPECIAL_IN_ATTRIBUTE);
}

function escape(value: string, special: RegExp): string {
  if (!isXmlText(value)) throw new Fault('invalid', 'A text holds a character that XML 1.0 cannot carry');
  return value.replace(special, character => REFERENCE[character] ?? character);
}
