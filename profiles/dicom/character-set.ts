/** Text of every SpecificCharacterSet (0008,0005). @see DICOM PS3.3 C.12.1.1.2, PS3.5 6.1 and Annexes H to K */

type Label =
  | 'windows-1252'
  | `iso-8859-${2 | 3 | 4 | 5 | 6 | 7 | 8 | 15}`
  | 'windows-1254'
  | 'windows-874'
  | 'shift_jis'
  | 'euc-jp'
  | 'euc-kr'
  | 'gb18030'
  | 'utf-8';

/** The number or name that ends every defined term, and the decoder that reads it beside ASCII. */
const LABEL_BY_TERM: ReadonlyMap<string, Label> = new Map<string, Label>([
  ['100', 'windows-1252'],
  ['101', 'iso-8859-2'],
  ['109', 'iso-8859-3'],
  ['110', 'iso-8859-4'],
  ['144', 'iso-8859-5'],
  ['127', 'iso-8859-6'],
  ['126', 'iso-8859-7'],
  ['138', 'iso-8859-8'],
  ['148', 'windows-1254'],
  ['203', 'iso-8859-15'],
  ['166', 'windows-874'],
  ['13', 'shift_jis'],
  ['87', 'euc-jp'],
  ['159', 'euc-jp'],
  ['149', 'euc-kr'],
  ['58', 'gb18030'],
  ['192', 'utf-8'],
  ['GB18030', 'gb18030'],
  ['GBK', 'gb18030'],
  ['UTF8', 'utf-8'],
  ['UTF-8', 'utf-8'],
]);

const DECODER = new Map([...new Set(LABEL_BY_TERM.values())].map((label) => [label, new TextDecoder(label)] as const));
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });

/** What an escape sequence designates: a G0 of two bytes a character, G0 of one byte, or a G1. */
type Designation =
  | { readonly set: 'G0'; readonly doubleByte: 'jis-x-0208' | 'jis-x-0212' | undefined }
  | { readonly set: 'G1'; readonly label: Label };

/** The bytes after ESC, as text (PS3.3 tables C.12-3 and C.12-4). */
const ESCAPE: ReadonlyMap<string, Designation> = new Map<string, Designation>([
  ['(B', { set: 'G0', doubleByte: undefined }],
  ['(J', { set: 'G0', doubleByte: undefined }],
  ['$B', { set: 'G0', doubleByte: 'jis-x-0208' }],
  ['$(D', { set: 'G0', doubleByte: 'jis-x-0212' }],
  [')I', { set: 'G1', label: 'shift_jis' }],
  ['-A', { set: 'G1', label: 'windows-1252' }],
  ['-B', { set: 'G1', label: 'iso-8859-2' }],
  ['-C', { set: 'G1', label: 'iso-8859-3' }],
  ['-D', { set: 'G1', label: 'iso-8859-4' }],
  ['-L', { set: 'G1', label: 'iso-8859-5' }],
  ['-G', { set: 'G1', label: 'iso-8859-6' }],
  ['-F', { set: 'G1', label: 'iso-8859-7' }],
  ['-H', { set: 'G1', label: 'iso-8859-8' }],
  ['-M', { set: 'G1', label: 'windows-1254' }],
  ['-b', { set: 'G1', label: 'iso-8859-15' }],
  ['-T', { set: 'G1', label: 'windows-874' }],
  ['$)C', { set: 'G1', label: 'euc-kr' }],
  ['$)A', { set: 'G1', label: 'gb18030' }],
]);

const ESC = 0x1b;
/** TAB, LF, FF, CR, and the delimiters of values, components and component groups: they reset the code elements. */
const RESETTING: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x5c, 0x5e, 0x3d]);

/**
 * Decodes the value field of a text element. Without a character set, bytes beyond ASCII are read as UTF-8 when
 * they are valid UTF-8, else as Latin-1: what devices that forget the attribute send. When only sets that escapes would
 * designate are declared and no escape is there, they are UTF-8 or of the first of those sets. Escapes count also where
 * no code extension is declared, but for the two character sets that have none. Bytes or escapes that mean nothing
 * become U+FFFD; nothing throws.
 */
export function decodeText(bytes: Uint8Array, characterSet: readonly string[]): string {
  if (isPlain(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const isEscaped = bytes.includes(ESC);
  const [label, ...designated] = characterSet.map(labelOf);
  if (isEscaped && label !== 'utf-8' && label !== 'gb18030') return decodeEscaped(bytes, label ?? 'windows-1252');
  return label === undefined
    ? decodeUndeclared(
        bytes,
        designated.find((one) => one !== undefined),
      )
    : decodeAs(label, bytes);
}

/**
 * The decoder of a defined term, undefined for the default repertoire (ISO_IR 6) and for terms nobody defined. Devices
 * write terms with other separators, and in small letters.
 */
function labelOf(term: string): Label | undefined {
  return LABEL_BY_TERM.get(term.toUpperCase().replace(/^ISO[ _-]?(?:2022[ _-]?)?IR[ _-]?/, ''));
}

function decodeUndeclared(bytes: Uint8Array, otherwise: Label = 'windows-1252'): string {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    return decodeAs(otherwise, bytes);
  }
}

function decodeAs(label: Label, bytes: Uint8Array): string {
  return DECODER.get(label)?.decode(bytes) ?? '';
}

/** Code extensions of ISO/IEC 2022: runs between escape sequences, each with the sets designated so far. */
function decodeEscaped(bytes: Uint8Array, initial: Label): string {
  let text = '';
  let g1: Label = initial;
  let doubleByte: 'jis-x-0208' | 'jis-x-0212' | undefined;
  let position = 0;
  while (position < bytes.length) {
    if (bytes[position] === ESC) {
      const escape = escapeAt(bytes, position + 1);
      if (escape === undefined) text += '\uFFFD';
      else if (escape.designation.set === 'G1') g1 = escape.designation.label;
      else doubleByte = escape.designation.doubleByte;
      position += 1 + (escape?.length ?? 0);
      continue;
    }
    const end = doubleByte === undefined ? endOfRun(bytes, position) : endOfDoubleByteRun(bytes, position);
    const run = bytes.subarray(position, end);
    text += doubleByte === undefined ? decodeAs(g1, run) : decodeDoubleByte(run, doubleByte);
    position = end;
    if (RESETTING.has(bytes[end - 1] ?? 0) && doubleByte === undefined) g1 = initial;
    else if (end < bytes.length && bytes[end] !== ESC) doubleByte = undefined;
  }
  return text;
}

function escapeAt(bytes: Uint8Array, at: number): { designation: Designation; length: number } | undefined {
  for (const length of [2, 3]) {
    const designation = ESCAPE.get(String.fromCharCode(...bytes.subarray(at, at + length)));
    if (designation !== undefined) return { designation, length };
  }
  return undefined;
}

/** A run ends before an escape, or after a delimiter that resets the designations. */
function endOfRun(bytes: Uint8Array, start: number): number {
  let end = start;
  while (end < bytes.length && bytes[end] !== ESC) {
    if (RESETTING.has(bytes[end++] ?? 0)) break;
  }
  return end;
}

/** Two-byte characters lie in 0x21..0x7E; anything else returns to single bytes. */
function endOfDoubleByteRun(bytes: Uint8Array, start: number): number {
  let end = start;
  while (isGraphic(bytes[end]) && isGraphic(bytes[end + 1])) end += 2;
  // A lone byte is consumed as well, so that the scan always advances.
  return end === start ? start + 1 : end;
}

function isGraphic(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x21 && byte <= 0x7e;
}

/** EUC-JP holds both JIS sets in its upper half: 0208 as it is, 0212 after 0x8F. */
function decodeDoubleByte(run: Uint8Array, set: 'jis-x-0208' | 'jis-x-0212'): string {
  if (run.length === 1) return decodeAs('shift_jis', run);
  const euc: number[] = [];
  for (let at = 0; at < run.length; at += 2) {
    if (set === 'jis-x-0212') euc.push(0x8f);
    euc.push((run[at] ?? 0) | 0x80, (run[at + 1] ?? 0) | 0x80);
  }
  return decodeAs('euc-jp', Uint8Array.from(euc));
}

/** ASCII without escapes: most texts, so it is read without a decoder. */
function isPlain(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte >= 0x80 || byte === ESC) return false;
  return true;
}
