/**
 * Matching keys of a study query as criteria on ImagingStudy.
 *
 * Key               | criterion
 * StudyInstanceUID  | identifier (a list are alternatives)
 * AccessionNumber   | identifier of basedOn; with wildcards its text
 * StudyID           | study-id
 * StudyDescription  | description
 * ReferringPhysicianName | every part in referrer-name
 * ModalitiesInStudy | modality (a list are alternatives)
 * StudyDate         | started
 * StudyTime         | started-time
 * PatientID         | the number that the images bear, or identifier of the patient; with wildcards its text
 * PatientName       | family and given names of the patient
 * @see DICOM PS3.4 C.2.2.2; PS3.18 table 10.6.1-5
 */
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from '../../profiles/codes.ts';
import type { OffsetOf } from '../../profiles/dicom/date-time.ts';
import { isUniversal } from '../../profiles/dicom/match.ts';
import { isUID } from '../../profiles/dicom/uid.ts';
import { Fault } from '../../profiles/fault.ts';
import { dateCriterion, type Criterion } from '../../profiles/search/criterion.ts';
import type { SortSpan } from '../../profiles/search/query.ts';
import { normalizeString } from '../../profiles/search/values.ts';
import { parseDays } from './local-day.ts';
import { parseTimes } from './time-of-day.ts';

/** A key's criteria, and a warning where it is matched otherwise than DICOM says. */
export type KeyMatch = { readonly where: readonly Criterion[]; readonly span?: SortSpan; readonly warning?: string };

type Matcher = (value: string, offsetOf: OffsetOf) => KeyMatch;

const MAX_VALUES = 100;
const MAX_NAME_PARTS = 10;
const MAX_STARS = 5;

/** The served keys, by keyword. `Modality` is asked at study level by some viewers and means ModalitiesInStudy. */
export const STUDY_KEYS: Readonly<Record<string, Matcher>> = {
  StudyInstanceUID: (value) => only({ kind: 'token', param: 'identifier', values: listOf(value).map(studyToken) }),
  AccessionNumber: (value) =>
    only(
      hasWildcard(value)
        ? textOf('AccessionNumber', 'accession', value)
        : { kind: 'token', param: 'basedon:identifier', values: [{ code: oneOf('AccessionNumber', value) }] },
    ),
  StudyID: (value) => only(textOf('StudyID', 'study-id', value)),
  StudyDescription: (value) => only(textOf('StudyDescription', 'description', value)),
  ReferringPhysicianName: matchReferrer,
  ModalitiesInStudy: matchModality,
  Modality: matchModality,
  StudyDate: matchDays,
  StudyTime: (value) => ({ where: rangeOf('started-time', parseTimes(value)) }),
  PatientID: (value) =>
    only(
      hasWildcard(value)
        ? toPatient(textOf('PatientID', 'identifier-value', value), 'patient-id')
        : patientIdentifier(oneOf('PatientID', value)),
    ),
  PatientName: (value) => ({ where: namesOf(value) }),
};

function only(criterion: Criterion): KeyMatch {
  return { where: [criterion] };
}

function matchModality(value: string): KeyMatch {
  return only({
    kind: 'token',
    param: 'modality',
    values: listOf(value).map((code) => ({ system: CODE_SYSTEM.dcm, code })),
  });
}

/** Values of a list, which clients separate by a comma or a backslash. */
function listOf(value: string): readonly string[] {
  const values = value
    .split(/[,\\]/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (values.length > MAX_VALUES) throw new Fault('too-costly', `A key has at most ${MAX_VALUES} values`);
  if (values.some((one) => /[*?]/.test(one))) throw new Fault('invalid', 'This key takes no wildcard');
  return values;
}

function studyToken(uid: string): { system: string; code: string } {
  if (!isUID(uid)) throw new Fault('invalid', 'StudyInstanceUID must be a UID', { expression: 'StudyInstanceUID' });
  return { system: IDENTIFIER_SYSTEM.dicomUid, code: oidUri(uid) };
}

function hasWildcard(value: string): boolean {
  return /[*?]/.test(value);
}

/** A key that takes one value. */
function oneOf(keyword: string, value: string): string {
  if (value.includes('\\')) throw new Fault('invalid', `${keyword} takes one value`, { expression: keyword });
  return value.trim();
}

type TextCriterion = Extract<Criterion, { kind: 'string' }>;

/** A text: whole, by its beginning (`x*`), by a part (`*x*`) or by a pattern, without regard to case and diacritics. */
function textOf(keyword: string, param: string, value: string): TextCriterion {
  const [, before = '', text = '', after = ''] = /^(\**)(.*?)(\**)$/s.exec(oneOf(keyword, value)) ?? [];
  const values = [normalizeString(text)];
  if (hasWildcard(text) || (before !== '' && after === '')) return patternOf(keyword, param, value);
  if (values[0] === '') throw new Fault('invalid', `${keyword} holds no characters`, { expression: keyword });
  const ending = after === '' ? 'exact' : 'starts';
  return { kind: 'string', param, values, match: before === '' ? ending : 'contains' };
}

function patternOf(keyword: string, param: string, value: string): TextCriterion {
  const pattern = normalizeString(value).replaceAll(/\*+/g, '*');
  const stars = pattern.split('*').length - 1;
  if (stars <= MAX_STARS) return { kind: 'string', param, values: [pattern], match: 'pattern' };
  throw new Fault('invalid', `${keyword} takes at most ${MAX_STARS} wildcards *`, { expression: keyword });
}

/** The study keeps the referrer's name as a reader writes it, so the parts of the key are looked for in it. */
function matchReferrer(value: string): KeyMatch {
  const parts = oneOf('ReferringPhysicianName', value)
    .split(/[\^=*\s]+/)
    .map(normalizeString)
    .filter((part) => part !== '');
  const isServed = parts.length > 0 && parts.length <= MAX_NAME_PARTS && !value.includes('?');
  if (!isServed)
    throw new Fault('invalid', 'ReferringPhysicianName takes the parts of a name and the wildcard *', {
      expression: 'ReferringPhysicianName',
    });
  return {
    where: parts.map((part): Criterion => ({
      kind: 'string',
      param: 'referrer-name',
      values: [part],
      match: 'contains',
    })),
    warning: 'ReferringPhysicianName is matched by its parts anywhere in the name',
  };
}

function patientIdentifier(code: string): Criterion {
  const values = [{ code }];
  return toPatient({ kind: 'token', param: 'identifier', values }, 'patient:identifier');
}

/** The family name, then the given names: whole, by their beginning (`x*`) or by a part (`*x*`). */
function namesOf(value: string): readonly Criterion[] {
  const [family = '', given = '', ...others] = value.trim().replace(/\^+$/, '').split('^');
  if (others.some((part) => !isUniversal(part)) || /[\\=]/.test(value)) {
    throw badName('is matched by family and given name only');
  }
  // Without components, a leading wildcard may stand for the family name.
  const isAnyPart = given === '' && family.startsWith('*');
  return [nameOf(isAnyPart ? 'name' : 'family', family), nameOf('given', given)].filter((one) => one !== undefined);
}

function nameOf(param: 'name' | 'family' | 'given', pattern: string): Criterion | undefined {
  return isUniversal(pattern) ? undefined : toPatient(textOf('PatientName', param, pattern), `patient.${param}`);
}

/** A criterion on the study's patient; `ownParam` is where the index keeps a patient that is no row of its own. */
function toPatient(criterion: Extract<Criterion, { kind: 'token' | 'string' }>, ownParam?: string): Criterion {
  const chain = { kind: 'chain', param: 'patient', target: 'Patient', criterion } as const;
  return ownParam === undefined ? chain : { ...chain, own: { ...criterion, param: ownParam } };
}

function badName(rule: string): Fault {
  return new Fault('invalid', `PatientName ${rule}`, { expression: 'PatientName' });
}

/** Studies are sorted by when they began, so days are a span of their list. */
function matchDays(value: string, offsetOf: OffsetOf): KeyMatch {
  const { from, to } = parseDays(value, offsetOf);
  return { where: rangeOf('started', { from, to }), span: { from, before: to } };
}

/** A study is of the day and time at which it starts. */
function rangeOf(
  param: string,
  { from, to }: { from: number | undefined; to: number | undefined },
): readonly Criterion[] {
  return [
    ...(from === undefined ? [] : [dateCriterion(param, 'sa', from)]),
    ...(to === undefined ? [] : [dateCriterion(param, 'lt', to)]),
  ];
}
