/** Value representations, and the part of the data dictionary that implicit VR needs. @see DICOM PS3.5 6.2, PS3.6 */
import dictionary from './data-dictionary.json' with { type: 'json' };

/** How the value field of a VR is to be read. */
export type ValueForm = 'text' | 'numeric' | 'binary' | 'tag' | 'sequence';

type Definition = { readonly form: ValueForm; readonly hasLongLength: boolean };

const define = (form: ValueForm, hasLongLength = false): Definition => ({ form, hasLongLength });

/** Every VR of PS3.5 table 6.2-1; `hasLongLength` means a 32-bit length after two reserved bytes (7.1.2). */
export const VALUE_REPRESENTATION = {
  AE: define('text'),
  AS: define('text'),
  AT: define('tag'),
  CS: define('text'),
  DA: define('text'),
  DS: define('text'),
  DT: define('text'),
  FD: define('numeric'),
  FL: define('numeric'),
  IS: define('text'),
  LO: define('text'),
  LT: define('text'),
  OB: define('binary', true),
  OD: define('binary', true),
  OF: define('binary', true),
  OL: define('binary', true),
  OV: define('binary', true),
  OW: define('binary', true),
  PN: define('text'),
  SH: define('text'),
  SL: define('numeric'),
  SQ: define('sequence', true),
  SS: define('numeric'),
  ST: define('text'),
  SV: define('numeric', true),
  TM: define('text'),
  UC: define('text', true),
  UI: define('text'),
  UL: define('numeric'),
  UN: define('binary', true),
  UR: define('text', true),
  US: define('numeric'),
  UT: define('text', true),
  UV: define('numeric', true),
} as const satisfies Record<string, Definition>;

/** A two-letter value representation. */
export type VR = keyof typeof VALUE_REPRESENTATION;

const WORD_BYTES: Partial<Record<VR, number>> = { OW: 2, OF: 4, OL: 4, OD: 8, OV: 8 };

/** Bytes of the words of a binary VR, which a big endian data set turns round (PS3.5 7.3); 1 when it has none. */
export function wordBytesOf(vr: VR): number {
  return WORD_BYTES[vr] ?? 1;
}

const VR_BY_CODE = new Map<number, VR>(
  Object.keys(VALUE_REPRESENTATION).map((vr) => [(vr.charCodeAt(0) << 8) | vr.charCodeAt(1), vr as VR]),
);

/** `XS`: US or SS, as PixelRepresentation says. */
const VR_BY_TAG = new Map<number, VR | 'XS'>(
  Object.entries(dictionary).flatMap(([group, byVR]) =>
    Object.entries(byVR).flatMap(([vr, elements]) =>
      elements.split(' ').map((element): [number, VR | 'XS'] => [Number.parseInt(group + element, 16), vr as VR | 'XS']),
    ),
  ),
);

/** The VR of two bytes of an explicit element, or undefined when they are none that PS3.5 defines. */
export function vrOfCode(first: number, second: number): VR | undefined {
  return VR_BY_CODE.get((first << 8) | second);
}

/**
 * The VR of a tag by the data dictionary, which implicit VR reads by (PS3.5 A.1). Private and unknown tags are UN,
 * private creators LO, group lengths UL. `isSigned` is PixelRepresentation, which decides between US and SS.
 */
export function vrOfTag(tag: number, isSigned: boolean): VR {
  const vr = VR_BY_TAG.get(tag);
  if (vr !== undefined) return vr === 'XS' ? (isSigned ? 'SS' : 'US') : vr;
  return vrOfUnlistedTag(tag, isSigned);
}

/** Texts that are read as more than text: the others differ in length alone. */
const FORMATTED: ReadonlySet<VR> = new Set<VR>(['DA', 'DS', 'DT', 'IS', 'PN', 'TM', 'UI']);

/**
 * The VR by which an element of explicit VR is read. What is written as UN is read by the dictionary (PS3.5 6.2.2); so
 * is a text under the VR of another kind of text, as a UID or a name under LO: its bytes are the same, what they say is
 * not. Where the dictionary says nothing, or speaks of other bytes, the element is what it is written as.
 */
export function vrToRead(tag: number, written: VR, isSigned: boolean): VR {
  if (written === 'UN') return vrOfTag(tag, isSigned);
  // Most elements end here, before anything is looked up twice.
  if (isPrivate(tag) || VR_BY_TAG.get(tag) === written) return written;
  if (VALUE_REPRESENTATION[written].form !== 'text') return written;
  const known = vrOfTag(tag, isSigned);
  const isOther = FORMATTED.has(known) || (FORMATTED.has(written) && VALUE_REPRESENTATION[known].form === 'text');
  return isOther ? known : written;
}

function isPrivate(tag: number): boolean {
  return (tag & 0x1_00_00) !== 0;
}

function vrOfUnlistedTag(tag: number, isSigned: boolean): VR {
  const group = tag >>> 16;
  const element = tag & 0xff_ff;
  if (element === 0) return 'UL';
  if (isPrivate(tag)) return element >= 0x10 && element <= 0xff ? 'LO' : 'UN';
  const isRepeating = (group & 0xff_00) === 0x50_00 || (group & 0xff_00) === 0x60_00;
  if (!isRepeating || (group & 0xff) === 0) return 'UN';
  return vrOfTag((((group & 0xff_00) << 16) | element) >>> 0, isSigned);
}
