/** Text of senders in attributes of DICOM. @see DICOM PS3.5 6.2 */

/** Text that a string of DICOM may hold: no backslash, no control characters, no longer than its VR allows. */
export function cleanText(text: string | undefined, length: number): string | undefined {
  // eslint-disable-next-line no-control-regex
  const plain = text?.replaceAll(/[\\\u0000-\u001F\u007F]/g, ' ');
  const clean = plain?.trim().slice(0, length);
  return clean === undefined || clean === '' ? undefined : clean;
}
