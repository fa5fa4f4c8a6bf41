/**
 * A request to look at exams as criteria on ImagingStudy.
 *
 * studyUID, accessionNumber          | identifier
 * idCDA                              | a document that refers to the exam, or the report that it is of
 * patientID                          | identifier of the patient
 * lowerDateTime, upperDateTime       | started
 * modalitiesInStudy                  | modality
 */
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from '../../profiles/codes.ts';
import {
  dateCriterion,
  type Criterion,
  type TokenCriterion,
  type TokenValue,
} from '../../profiles/search/criterion.ts';
import { isOid } from '../ebxml/coded-value.ts';
import { toUniqueIdToken } from '../ebxml/unique-id.ts';
import type { DisplayRequest, PatientRequest, StudyRequest } from './request.ts';

/** Returns the criteria, all of which hold of what is asked for. */
export function criteriaOf(request: DisplayRequest): readonly Criterion[] {
  return request.kind === 'STUDY' ? studyCriteria(request) : patientCriteria(request);
}

function studyCriteria({ studyInstanceUIDs, accessionNumbers, reportId }: StudyRequest): readonly Criterion[] {
  const uids = studyInstanceUIDs.map((uid) => ({ system: IDENTIFIER_SYSTEM.dicomUid, code: oidUri(uid) }));
  return [
    ...tokens('identifier', uids),
    ...tokens('identifier', accessionNumbers.flatMap(accessionTokens)),
    ...(reportId === undefined ? [] : [reportCriterion(reportId)]),
  ];
}

function patientCriteria({ patient, during, modalities }: PatientRequest): readonly Criterion[] {
  const values = [{ system: oidUri(patient.assigningAuthority), code: patient.value }];
  const criterion: TokenCriterion = { kind: 'token', param: 'identifier', values };
  const own = { ...criterion, param: 'patient:identifier' };
  return [
    { kind: 'chain', param: 'patient', target: 'Patient', criterion, own },
    ...(during.from === undefined ? [] : [dateCriterion('started', 'ge', during.from)]),
    ...(during.to === undefined ? [] : [dateCriterion('started', 'lt', during.to)]),
    ...tokens(
      'modality',
      modalities.map((code) => ({ system: CODE_SYSTEM.dcm, code })),
    ),
  ];
}

function tokens(param: string, values: readonly TokenValue[]): readonly Criterion[] {
  return values.length === 0 ? [] : [{ kind: 'token', param, values }];
}

/** French links put the OID of the issuer before the number: `1.2.250.….A123`. */
function accessionTokens(number: string): readonly TokenValue[] {
  const at = number.lastIndexOf('.');
  const root = number.slice(0, Math.max(at, 0));
  const issued = isOid(root) ? [{ system: oidUri(root), code: number.slice(at + 1) }] : [];
  return [{ code: number }, ...issued];
}

/** The id that its establishment gave a report, or that of a document of the exam. */
function reportCriterion(id: string): Criterion {
  const values = [toUniqueIdToken(id), { code: id }];
  const criterion: TokenCriterion = { kind: 'token', param: 'identifier', values };
  return {
    kind: 'has',
    source: 'DocumentReference',
    param: 'related',
    criterion: { kind: 'chain', param: 'related', target: 'DiagnosticReport', criterion, own: criterion },
  };
}
