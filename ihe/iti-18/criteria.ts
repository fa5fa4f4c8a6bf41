/**
 * A stored query as criteria on DocumentReference.
 *
 * $XDSDocumentEntry…                | criterion
 * PatientId                         | identifier of the patient; the region's own: the patient
 * Status                            | status
 * ClassCode, TypeCode, FormatCode   | category, type, format
 * PracticeSettingCode, HealthcareFacilityTypeCode | setting, facility
 * EventCodeList, ConfidentialityCode | event, security-label
 * CreationTime                      | creation
 * ServiceStartTime, ServiceStopTime | period
 * ReferenceIdList                   | identifier of related
 * UniqueId, EntryUUID               | identifier
 * AuthorPerson and the kind of a reference are judged on the entries found (entry-filter.ts).
 * @see ITI TF-2 3.18.4.1.2.3.7
 */
import type { Cx } from '../ebxml/hl7-types.ts';
import { toUniqueIdToken } from '../ebxml/unique-id.ts';
import { REFERENCE_ID_TYPE } from '../codes.ts';
import type { FindDocumentsCriteria, InstantRange, NamedDocuments, StoredQuery } from './query.ts';
import { IDENTIFIER_SYSTEM, oidUri } from '../../profiles/codes.ts';
import { TIME_BOUND } from '../../profiles/search/date-range.ts';
import { dateCriterion, type Criterion, type TokenValue } from '../../profiles/search/criterion.ts';

/**
 * Returns the criteria of a query; undefined when it asks for kinds of entry that this registry has none of.
 * `ownSystem` is the region's own system of patient identifiers.
 */
export function criteriaOf(query: StoredQuery, ownSystem: string): readonly Criterion[] | undefined {
  switch (query.kind) {
    case 'GetDocuments':
    case 'GetAssociations':
    case 'GetDocumentsAndAssociations':
      return [identifiersOf(query)];
    case 'GetRelatedDocuments':
      return query.objectType.includes('stable') ? [identifiersOf(query)] : undefined;
    case 'FindDocuments':
      return query.objectType.includes('stable') ? findCriteria(query, ownSystem) : undefined;
    case 'FindDocumentsByReferenceId':
      return query.objectType.includes('stable')
        ? [...findCriteria(query, ownSystem), ...query.referenceIdList.map(referenceOf)]
        : undefined;
  }
}

function identifiersOf(named: NamedDocuments): Criterion {
  const values =
    'uniqueIds' in named ? named.uniqueIds.map(toUniqueIdToken) : named.entryUUIDs.map((code) => ({ code }));
  return { kind: 'token', param: 'identifier', values };
}

function findCriteria(query: FindDocumentsCriteria, ownSystem: string): readonly Criterion[] {
  return [
    patientOf(query.patientId, ownSystem),
    tokens(
      'status',
      query.statuses.map((code) => ({ code })),
    ),
    ...codes('category', query.classCode),
    ...codes('type', query.typeCode),
    ...codes('setting', query.practiceSettingCode),
    ...codes('facility', query.healthcareFacilityTypeCode),
    ...codes('format', query.formatCode),
    ...(query.eventCodeList ?? []).flatMap((group) => codes('event', group)),
    ...(query.confidentialityCode ?? []).flatMap((group) => codes('security-label', group)),
    ...starts('creation', query.creationTime),
    ...starts('period', query.serviceStartTime),
    ...stops('period', query.serviceStopTime),
  ];
}

function tokens(param: string, values: readonly TokenValue[]): Extract<Criterion, { kind: 'token' }> {
  return { kind: 'token', param, values };
}

function codes(param: string, values: readonly TokenValue[] | undefined): readonly Criterion[] {
  return values === undefined ? [] : [tokens(param, values)];
}

function patientOf({ value, assigningAuthority }: FindDocumentsCriteria['patientId'], ownSystem: string): Criterion {
  const system = oidUri(assigningAuthority);
  if (system === ownSystem) return { kind: 'reference', param: 'patient', values: [`Patient/${value}`] };
  const criterion = tokens('identifier', [{ system, code: value }]);
  return {
    kind: 'chain',
    param: 'patient',
    target: 'Patient',
    criterion,
    own: { ...criterion, param: 'patient:identifier' },
  };
}

/** An identifier that the document itself names, or one of a study that it refers to. */
function referenceOf(group: readonly Cx[]): Criterion {
  const criterion = tokens('identifier', group.map(referenceToken));
  return {
    kind: 'chain',
    param: 'related',
    target: 'ImagingStudy',
    criterion,
    own: { ...criterion, param: 'related:identifier' },
  };
}

function referenceToken({ value, assigningAuthority, typeCode }: Cx): TokenValue {
  if (typeCode === REFERENCE_ID_TYPE.studyInstanceUID)
    return { system: IDENTIFIER_SYSTEM.dicomUid, code: oidUri(value) };
  return assigningAuthority === undefined ? { code: value } : { system: oidUri(assigningAuthority), code: value };
}

/** A moment that begins in a half-open range. An open beginning is none, and never matches. */
function starts(param: string, range: InstantRange | undefined): readonly Criterion[] {
  if (range === undefined) return [];
  return [
    dateCriterion(param, 'sa', momentOf(range.from, 1 - TIME_BOUND)),
    dateCriterion(param, 'lt', momentOf(range.to, TIME_BOUND)),
  ];
}

/** A period that ends in a half-open range. Its end is indexed with the precision that it has. */
function stops(param: string, range: InstantRange | undefined): readonly Criterion[] {
  if (range === undefined) return [];
  return [
    dateCriterion(param, 'gt', momentOf(range.from, -TIME_BOUND)),
    dateCriterion(param, 'eb', momentOf(range.to, TIME_BOUND - 1)),
  ];
}

function momentOf(instant: string | undefined, otherwise: number): number {
  return instant === undefined ? otherwise : Date.parse(instant);
}
