/**
 * HL7 v2 data types that XDS metadata borrows: CX, CXi, XCN, XON and DTM.
 * @see ITI TF-3 4.2.3.1.7
 */
import { Fault } from '../../profiles/fault.ts';
import { isOid } from './coded-value.ts';

/** An identifier with its assigning authority. `typeCode` is CX.5: the reference type of a CXi, or `NH` from France. */
export type Cx = {
  readonly value: string;
  /** OID in dotted form. */
  readonly assigningAuthority?: string;
  readonly typeCode?: string;
};

/** A CX that names its authority, as a patient identifier must. */
export type PatientCx = Cx & { readonly assigningAuthority: string };

/**
 * Parses a CX or CXi: `id^^^&OID&ISO`, with an optional namespace before the OID and an optional CX.5, which the
 * standard forbids for patients and French callers send.
 * @throws {Fault} invalid - no identifier, or an authority that is not an OID
 */
export function parseCx(text: string): Cx {
  const [value = '', , , authority = '', typeCode = ''] = text.trim().split('^');
  if (value === '') throw new Fault('invalid', 'A CX holds no identifier');
  const [, oid = '', kind = 'ISO'] = authority.split('&');
  if (authority !== '' && (!isOid(oid) || kind.toUpperCase() !== 'ISO')) {
    throw new Fault('invalid', 'The assigning authority of a CX must be written &OID&ISO');
  }
  return {
    value: value.replace(/\\([EFSTR])\\/g, (escape, letter: string) => HL7_DELIMITER[letter] ?? escape),
    ...(oid === '' ? {} : { assigningAuthority: oid }),
    ...(typeCode === '' ? {} : { typeCode }),
  };
}

/**
 * Parses the CX of a patient, which must name its authority.
 * @throws {Fault} invalid - no identifier or no authority
 */
export function parsePatientCx(text: string): PatientCx {
  const { assigningAuthority, ...cx } = parseCx(text);
  if (assigningAuthority === undefined) {
    throw new Fault('invalid', 'The patient identifier must name its assigning authority as id^^^&OID&ISO');
  }
  return { ...cx, assigningAuthority };
}

/** Formats a CX, or a CXi when it has a type code. */
export function formatCx({ value, assigningAuthority, typeCode }: Cx): string {
  const authority = assigningAuthority === undefined ? '' : `&${assigningAuthority}&ISO`;
  const tail = typeCode === undefined ? '' : `^${escapeHl7(typeCode)}`;
  return `${escapeHl7(value)}^^^${authority}${tail}`;
}

/** A person: XCN.1, .2, .3, .6 and the authority of the identifier. */
export type Xcn = {
  readonly identifier?: string | undefined;
  readonly assigningAuthority?: string | undefined;
  readonly family?: string | undefined;
  readonly given?: string | undefined;
  readonly prefix?: string | undefined;
};

/** Formats an XCN; the authority is component 9. */
export function formatXcn(person: Xcn): string {
  const { identifier = '', family = '', given = '', prefix = '', assigningAuthority } = person;
  const names = [identifier, family, given, '', '', prefix].map(escapeHl7).join('^');
  const hasAuthority = assigningAuthority !== undefined && identifier !== '';
  return hasAuthority ? `${names}^^^&${assigningAuthority}&ISO` : names.replace(/\^+$/, '');
}

/** Formats an XON: the name, and the identifier in component 10 under its authority in component 6. */
export function formatXon(name: string, identifier?: string, assigningAuthority?: string): string {
  if (identifier === undefined) return escapeHl7(name);
  if (assigningAuthority === undefined) return `${escapeHl7(name)}^^^^^^^^^${escapeHl7(identifier)}`;
  return `${escapeHl7(name)}^^^^^&${assigningAuthority}&ISO^^^^${escapeHl7(identifier)}`;
}

const HL7_ESCAPE: Readonly<Record<string, string>> = {
  '\\': '\\E\\',
  '|': '\\F\\',
  '^': '\\S\\',
  '&': '\\T\\',
  '~': '\\R\\',
};

const HL7_DELIMITER: Readonly<Record<string, string>> = { E: '\\', F: '|', S: '^', T: '&', R: '~' };

/** Escapes the delimiters of HL7 v2. */
export function escapeHl7(text: string): string {
  return text.replace(/[\\|^&~]/g, delimiter => HL7_ESCAPE[delimiter] ?? delimiter);
}

/**
 * Formats a FHIR date, dateTime or instant as DTM, in UTC where it has a time, with the precision that it has.
 * Undefined when it is none of them.
 */
export function formatDtm(dateTime: string): string | undefined {
  if (!/^\d{4}(?:-\d\d){0,2}(?:T.*)?$/.test(dateTime)) return undefined;
  if (!dateTime.includes('T')) return dateTime.replaceAll('-', '');
  const time = new Date(dateTime);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString().slice(0, 19).replace(/[-T:]/g, '');
}

const DTM = /^(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?$/;

/**
 * Parses a DTM (4 to 14 digits, UTC) into the instant at which it begins; undefined when it is none.
 * @see ITI TF-3 4.2.3.1.7, DTM
 */
export function parseDtm(text: string): string | undefined {
  const match = DTM.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '01', day = '01', hour = '00', minute = '00', second = '00'] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(iso);
  // Date rolls 30 February over into March: what it gives back must be what was written.
  return !Number.isNaN(time.getTime()) && time.toISOString() === iso ? iso : undefined;
}
