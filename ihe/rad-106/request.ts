/**
 * The request of Invoke Image Display: what a link in a record or a report asks to look at. French reports add the id
 * of the report, and write one name otherwise (`Accessionnumber`).
 * @see RAD TF-2 4.106; CI-SIS, FR-DICOM-SOP-Instance-Observation
 */
import type { OffsetOf } from '../../profiles/dicom/date-time.ts';
import { isUID } from '../../profiles/dicom/uid.ts';
import { Fault } from '../../profiles/fault.ts';
import { parseDateRange } from '../../profiles/search/date-range.ts';
import { parsePatientCx, type PatientCx } from '../ebxml/hl7-types.ts';
import { parseDays, type DayRange } from '../rad-129/local-day.ts';

/** Exams by what names them; UIDs and numbers, where both are given, must fit together. */
export type StudyRequest = {
  readonly kind: 'STUDY';
  readonly studyInstanceUIDs: readonly string[];
  /** As written: a number, or behind the OID of its issuer and a full stop. */
  readonly accessionNumbers: readonly string[];
  /** The id of a report that each of the exams has. */
  readonly reportId: string | undefined;
};

/** The exams of a person. */
export type PatientRequest = {
  readonly kind: 'PATIENT';
  readonly patient: PatientCx;
  /** When they began, as epoch milliseconds. */
  readonly during: DayRange;
  /** Codes of DICOM; empty for any. */
  readonly modalities: readonly string[];
  /** How many, the latest first; undefined for all. */
  readonly mostRecent: number | undefined;
};

/** What is asked for. */
export type DisplayRequest = StudyRequest | PatientRequest;

/** Why a parameter is refused, as whoever explains it to a person tells reasons apart (`protocolCode` of the Fault). */
export const LINK_REFUSALS = [
  'missing',
  'unknown',
  'repeated',
  'malformed',
  'too-long',
  'not-for-diagnosis',
  'no-key-images',
  'no-such-viewer',
  'no-traits',
] as const;

/** One of {@link LINK_REFUSALS}. */
export type LinkRefusal = (typeof LINK_REFUSALS)[number];

/** What is refused although it is well formed: nothing here does it. */
const NOT_DONE: readonly LinkRefusal[] = ['not-for-diagnosis', 'no-key-images', 'no-such-viewer', 'no-traits'];

/** Basic Image Review, the one viewer that the standard names. */
const VIEWER_TYPE = 'IHE_BIR';
const ACCESSION = ['accessionNumber', 'Accessionnumber'] as const;
const OF_ANY = ['requestType', 'viewerType', 'diagnosticQuality', 'keyImagesOnly'];
const OF_KIND = {
  STUDY: ['studyUID', ...ACCESSION, 'idCDA'],
  PATIENT: ['patientID', 'lowerDateTime', 'upperDateTime', 'mostRecentResults', 'modalitiesInStudy'],
} as const;
/** Who is meant is said by the identifier: traits could only contradict it. */
const TRAITS = ['patientName', 'patientBirthDate'];

/** An address of 2,000 characters is kept while its reader signs in. */
const MOST_CHARACTERS = 1_900;
const MOST_LISTED = 20;

/**
 * Reads a request. Days and times without an offset are local (`offsetOf`). Each refusal names its parameter
 * (`expression`) and says why (`protocolCode`, a {@link LinkRefusal}).
 * @throws {Fault} required - a parameter is missing
 * @throws {Fault} invalid - a parameter is unknown, malformed, too long, or stands twice
 * @throws {Fault} not-supported - it asks for a display that this is not
 */
export function parseDisplayRequest(given: URLSearchParams, offsetOf: OffsetOf): DisplayRequest {
  refuseRepeated(given);
  const kind = given.get('requestType') ?? refuse('missing', 'requestType');
  if (kind !== 'STUDY' && kind !== 'PATIENT') return refuse('malformed', 'requestType');
  for (const name of given.keys()) {
    if (kind === 'PATIENT' && TRAITS.includes(name)) refuse('no-traits', name);
    if (![...OF_ANY, ...OF_KIND[kind]].includes(name)) refuse('unknown', name);
  }
  refuseLong(given);
  if (flag(given, 'diagnosticQuality')) refuse('not-for-diagnosis', 'diagnosticQuality');
  if (flag(given, 'keyImagesOnly')) refuse('no-key-images', 'keyImagesOnly');
  if (given.has('viewerType') && given.get('viewerType') !== VIEWER_TYPE) refuse('no-such-viewer', 'viewerType');
  return kind === 'STUDY' ? studyRequest(given) : patientRequest(given, offsetOf);
}

function studyRequest(given: URLSearchParams): StudyRequest {
  const studyInstanceUIDs = listIn(given, 'studyUID', isUID);
  const accessionNumbers = ACCESSION.flatMap((name) => listIn(given, name, isPrintable));
  if (studyInstanceUIDs.length + accessionNumbers.length === 0) refuse('missing', 'studyUID');
  const reportId = given.get('idCDA')?.trim();
  if (reportId !== undefined && !isPrintable(reportId)) refuse('malformed', 'idCDA');
  return { kind: 'STUDY', studyInstanceUIDs, accessionNumbers, reportId };
}

function patientRequest(given: URLSearchParams, offsetOf: OffsetOf): PatientRequest {
  const patientID = given.get('patientID') ?? refuse('missing', 'patientID');
  const from = momentsIn(given, 'lowerDateTime', offsetOf).from;
  const to = momentsIn(given, 'upperDateTime', offsetOf).to;
  if (from !== undefined && to !== undefined && from >= to) refuse('malformed', 'upperDateTime');
  const most = given.get('mostRecentResults');
  if (most !== null && !/^[1-9]\d{0,3}$/.test(most)) refuse('malformed', 'mostRecentResults');
  return {
    kind: 'PATIENT',
    patient: isPrintable(patientID) ? patientOf(patientID) : refuse('malformed', 'patientID'),
    during: { from, to },
    modalities: listIn(given, 'modalitiesInStudy', (text) => /^[A-Z0-9_ ]{1,16}$/.test(text)),
    mostRecent: most === null ? undefined : Number(most),
  };
}

function refuseRepeated(given: URLSearchParams): void {
  const seen = new Set<string>();
  for (const name of given.keys()) {
    const one = name === ACCESSION[1] ? ACCESSION[0] : name;
    if (seen.has(one)) refuse('repeated', name);
    seen.add(one);
  }
}

/** The longest value is at fault. */
function refuseLong(given: URLSearchParams): void {
  if (String(given).length <= MOST_CHARACTERS) return;
  const [longest = ''] = [...given].toSorted(([, a], [, b]) => b.length - a.length).map(([name]) => name);
  refuse('too-long', longest);
}

function flag(given: URLSearchParams, name: string): boolean {
  const value = given.get(name) ?? 'false';
  if (value !== 'true' && value !== 'false') refuse('malformed', name);
  return value === 'true';
}

function listIn(given: URLSearchParams, name: string, isOne: (text: string) => boolean): readonly string[] {
  const text = given.get(name);
  if (text === null) return [];
  const values = text.split(',').map((value) => value.trim());
  if (values.length > MOST_LISTED) refuse('too-long', name);
  if (!values.every(isOne)) refuse('malformed', name);
  return [...new Set(values)];
}

/** A number or name that somebody gave: short, and nothing in it that is not seen. */
function isPrintable(text: string): boolean {
  return text.length <= 250 && text !== '' && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);
}

function patientOf(text: string): PatientCx {
  try {
    return parsePatientCx(text);
  } catch {
    return refuse('malformed', 'patientID');
  }
}

/** A day, or a moment as XML writes it. Where nobody encoded the plus sign of its offset, a space has come. */
function momentsIn(given: URLSearchParams, name: string, offsetOf: OffsetOf): DayRange {
  const text = given
    .get(name)
    ?.trim()
    .replace(/ (?=\d\d:\d\d$)/, '+');
  if (text === undefined) return { from: undefined, to: undefined };
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return daysOf(text, name, offsetOf);
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const [, local = '', offset] = match ?? [];
  const inUTC = parseDateRange(`${local}${offset ?? 'Z'}`);
  const range = inUTC === undefined || offset !== undefined ? inUTC : parseDateRange(`${local}${offsetOf(local)}`);
  return range === undefined ? refuse('malformed', name) : { from: range.lo, to: range.hi };
}

function daysOf(day: string, name: string, offsetOf: OffsetOf): DayRange {
  try {
    return parseDays(day.replaceAll('-', ''), offsetOf);
  } catch {
    return refuse('malformed', name);
  }
}

/** Names that a sender made up are cut to what a page can show. */
function refuse(why: LinkRefusal, name: string): never {
  const kind = NOT_DONE.includes(why) ? 'not-supported' : why === 'missing' ? 'required' : 'invalid';
  const shown = name.replaceAll(/[^\w.-]/g, '?').slice(0, 40);
  throw new Fault(kind, `The parameter ${shown} is refused: ${why}`, { expression: shown, protocolCode: why });
}
