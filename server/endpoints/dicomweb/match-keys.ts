/**
 * Matching keys of a study query as criteria on ImagingStudy.
 *
 * Key               | criterion
 * StudyInstanceUID  | identifier (a list are alternatives)
 * AccessionNumber   | identifier of basedOn
 * ModalitiesInStudy | modality (a list are alternatives)
 * StudyDate         | started
 * PatientID         | identifier of the patient
 * PatientName       | family and given names of the patient
 * @see DICOM PS3.4 C.2.2.2; PS3.18 table 10.6.1-5
 */
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from '../../../profiles/codes.ts';
import type { OffsetOf } from '../../../profiles/dicom/date-time.ts';
import { isUniversal } from '../../../profiles/dicom/match.ts';
import { isUID } from '../../../profiles/dicom/uid.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search-criterion.ts';
import { normalizeString } from '../../../profiles/search-values.ts';
import { parseDays } from './local-day.ts';

/** A key's criteria, and a warning where it is matched otherwise than DICOM says. */
export type KeyMatch = { readonly where: readonly Criterion[]; readonly warning?: string };

type Matcher = (value: string, offsetOf: OffsetOf) => KeyMatch;

const MAX_VALUES = 100;

/** The served keys, by keyword. `Modality` is asked at study level by some viewers and means ModalitiesInStudy. */
export const STUDY_KEYS: Readonly<Record<string, Matcher>> = {
  StudyInstanceUID: (value) => only({ kind: 'token', param: 'identifier', values: listOf(value).map(studyToken) }),
  AccessionNumber: (value) => wholly('AccessionNumber', value, (code) => ({ kind: 'token', param: 'basedon:identifier', values: [{ code }] })),
  ModalitiesInStudy: matchModality,
  Modality: matchModality,
  StudyDate: (value, offsetOf) => ({ where: datesOf(parseDays(value, offsetOf)) }),
  PatientID: (value) => wholly('PatientID', value, patientIdentifier),
  PatientName: (value) => ({ where: namesOf(value) }),
};

function only(criterion: Criterion): KeyMatch {
  return { where: [criterion] };
}

function matchModality(value: string): KeyMatch {
  return only({ kind: 'token', param: 'modality', values: listOf(value).map((code) => ({ system: CODE_SYSTEM.dcm, code })) });
}

/** Values of a list, which clients separate by a comma or a backslash. */
function listOf(value: string): readonly string[] {
  const values = value.split(/[,\\]/).map((one) => one.trim()).filter((one) => one !== '');
  if (values.length > MAX_VALUES) throw new Fault('too-costly', `A key has at most ${MAX_VALUES} values`);
  if (values.some((one) => /[*?]/.test(one))) throw new Fault('invalid', 'This key takes no wildcard');
  return values;
}

function studyToken(uid: string): { system: string; code: string } {
  if (!isUID(uid)) throw new Fault('invalid', 'StudyInstanceUID must be a UID', { expression: 'StudyInstanceUID' });
  return { system: IDENTIFIER_SYSTEM.dicomUid, code: oidUri(uid) };
}

/** Matches a number as a whole: asterisks that viewers put around it are taken off, which only narrows. */
function wholly(keyword: string, value: string, criterionOf: (text: string) => Criterion): KeyMatch {
  const text = value.trim().replaceAll(/^\*+|\*+$/g, '');
  if (/[*?\\]/.test(text)) throw new Fault('invalid', `${keyword} takes one value without wildcards`, { expression: keyword });
  const match = only(criterionOf(text));
  return text === value.trim() ? match : { ...match, warning: `${keyword} is matched as a whole` };
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
  if (isUniversal(pattern)) return undefined;
  const [, before = '', text = '', after = ''] = /^(\**)(.*?)(\**)$/s.exec(pattern.trim()) ?? [];
  const isServed = !/[*?]/.test(text) && (before === '' || after !== '');
  if (!isServed) throw badName('takes the wildcard * at the end of a name or at both ends');
  const values = [normalizeString(text)];
  if (values[0] === '') throw badName('holds no letters');
  const ending = after === '' ? 'exact' : 'starts';
  return toPatient({ kind: 'string', param, values, match: before === '' ? ending : 'contains' }, `patient.${param}`);
}

/** A criterion on the study's patient; `ownParam` is where the index keeps a patient that is no row of its own. */
function toPatient(criterion: Extract<Criterion, { kind: 'token' | 'string' }>, ownParam: string): Criterion {
  return { kind: 'chain', param: 'patient', target: 'Patient', criterion, own: { ...criterion, param: ownParam } };
}

function badName(rule: string): Fault {
  return new Fault('invalid', `PatientName ${rule}`, { expression: 'PatientName' });
}

/** A study is of the day on which it starts. */
function datesOf({ from, to }: { from: number | undefined; to: number | undefined }): readonly Criterion[] {
  return [
    ...(from === undefined ? [] : [{ kind: 'date', param: 'started', lo: from, hi: from, prefix: 'sa' } as const]),
    ...(to === undefined ? [] : [{ kind: 'date', param: 'started', lo: to, hi: to, prefix: 'lt' } as const]),
  ];
}
