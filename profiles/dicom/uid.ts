/** Unique identifiers. @see DICOM PS3.5 section 9 and Annex B */

/**
 * Whether a text is a UID: components of digits, at most 64 characters. Leading zeros in a component are
 * accepted, because devices make them.
 */
export function isUID(text: string): boolean {
  return text.length <= 64 && /^\d+(?:\.\d+)*$/.test(text);
}
