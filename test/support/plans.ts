/** Builders of what stores take: plans and their parts, with names that no other test uses. */
import { createHash, randomUUID } from 'node:crypto';
import type { CareTeam, Consent, Encounter, RelatedPerson } from '@medplum/fhirtypes';
import { buildAuditEvent } from '../../profiles/audit/audit-event.ts';
import type { TouchedEntity } from '../../profiles/audit/facts.ts';
import { CODE_SYSTEM, DICOM_UID, IDENTIFIER_SYSTEM } from '../../profiles/codes.ts';
import type { PermitKind } from '../../profiles/consent/declaration.ts';
import { isEmergency } from '../../profiles/consent/emergency.ts';
import type { BreakGlassSettings, EmergencyRelation } from '../../profiles/consent/emergency.ts';
import type { Circle } from '../../profiles/consent/record-circle.ts';
import { NORMAL } from '../../profiles/confidentiality.ts';
import { toIdentityResource } from '../../profiles/identity/identity-resource.ts';
import type { RowIndex } from '../../profiles/search/indexer.ts';
import type { SearchQuery } from '../../profiles/search/query.ts';
import { storedType, type StoredType } from '../../profiles/types/visibility.ts';
import { grantFor, grantOfOthers, systemGrant, type Grant, type SystemGrant } from '../../server/access/grant.ts';
import { personKey, type PersonKey, type Role } from '../../server/access/requester.ts';
import { FOREVER, principal, referenceOf, rightId, type Right } from '../../server/access/right.ts';
import { claimKey, type ClaimKey } from '../../server/ports/claim-key.ts';
import type { AuditRecord, Claim, CommitPlan, InstanceRow, Move, Put } from '../../server/ports/commit-plan.ts';
import type { JobRequest } from '../../server/ports/job-queue.ts';
import type { BlobRef } from '../../server/ports/image-store.ts';

/** The moment of the tests' grants, epoch milliseconds. */
export const NOW = Date.UTC(2026, 2, 1, 12);

/** No index entries, under a definition that no type has. */
export const NO_ENTRIES: RowIndex = { tokens: [], references: [], dates: [], strings: [], definition: 1 };

/** A grant of the server to everything at {@link NOW}. */
export const SYSTEM: SystemGrant = systemGrant('erase-study', 'whole', NOW);

/** A new person. */
export function aPersonKey(): PersonKey {
  return personKey(randomUUID());
}

/** A new logical id. */
export function anId(): string {
  return randomUUID();
}

/** The key of a claim that nothing else takes. */
export function aClaimKey(): ClaimKey {
  return claimKey.imported(aUid());
}

/** A new UID. @see DICOM PS3.5 B.2 */
export function aUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`;
}

/** Parts of a plan. The rows that give `rights` are put behind the others, and those that gave `ended` are deleted. */
export type Parts = Omit<CommitPlan, 'id'> & { readonly rights?: readonly Right[]; readonly ended?: readonly Right[] };

/** A plan with an id of its own. */
export function aPlan({ rights = [], ended = [], ...parts }: Parts = {}): CommitPlan {
  const puts = [...(parts.puts ?? []), ...rights.map(aGiver)];
  const deletes = [...(parts.deletes ?? []), ...ended.map(({ giver }) => placeOf(giver))];
  return {
    id: randomUUID(),
    ...parts,
    ...(puts.length === 0 ? {} : { puts }),
    ...(deletes.length === 0 ? {} : { deletes }),
  };
}

/** A row to write: a released document of normal confidentiality without index entries, of nobody. */
export function aPut(parts: Partial<Put> = {}): Put {
  const type = parts.type ?? 'DocumentReference';
  const id = parts.id ?? anId();
  return {
    type,
    id,
    resource: { resourceType: type, id, language: 'fr' } as Put['resource'],
    index: NO_ENTRIES,
    sort: NOW,
    ...NORMAL,
    released: true,
    ...(parts.person === undefined ? {} : { subject: patientOf(parts.person) }),
    ...parts,
  };
}

/** The Patient that a person of tests is by herself. */
export function patientOf(person: PersonKey): string {
  return `Patient/${person}`;
}

/** The row that says who an identity of tests is at present. Nobody sees it. */
export function anIdentity(person: PersonKey, parts: Partial<Put> = {}): Put {
  const { id = person } = parts;
  const source = 'Organization/source';
  const resource = toIdentityResource({
    id,
    home: person,
    since: NOW,
    changed: NOW,
    source,
    sources: [source],
    fromImage: false,
    own: { system: 'urn:local', value: id },
    said: { resourceType: 'Patient', id },
    verdicts: [],
    formerPersons: [],
    reviews: [],
  });
  return aPut({ type: 'Person', id, person, level: 'V', released: false, resource, ...parts });
}

/** The move by which an identity that stands alone joins a person, or goes from one to another. */
export function aMove({ from, to, home = from }: Pick<Move, 'from' | 'to'> & { readonly home?: PersonKey }): Move {
  return { identity: patientOf(home), home, from, to, patient: patientOf(to) };
}

/** The row of a study, which says its Study Instance UID. @see FHIR R4 ImagingStudy.identifier */
export function aStudyPut(studyInstanceUID: string, parts: Partial<Put> = {}): Put {
  const identifier = { system: IDENTIFIER_SYSTEM.dicomUid, value: `urn:oid:${studyInstanceUID}` };
  const id = parts.id ?? anId();
  return aPut({
    type: 'ImagingStudy',
    id,
    resource: { resourceType: 'ImagingStudy', id, status: 'available', identifier: [identifier] } as Put['resource'],
    index: { ...NO_ENTRIES, tokens: [{ param: 'identifier', ...identifier }] },
    ...parts,
  });
}

/** The claim by which the row of a study is found. */
export function aStudyClaim(studyInstanceUID: string, { id }: Pick<Put, 'id'>): Claim {
  return { key: claimKey.imagingStudy(studyInstanceUID), value: id };
}

/** What a right to the record is given by. */
const GIVERS: Readonly<Partial<Record<Right['relation'], StoredType>>> = {
  declared: 'Consent',
  'break-glass': 'Consent',
  'break-glass-confidential': 'Consent',
  'break-glass-past-block': 'Consent',
  presence: 'Consent',
  support: 'Consent',
  self: 'Patient',
  'imaging-service': 'Appointment',
  referent: 'CareTeam',
  circle: 'CareTeam',
  assistant: 'CareTeam',
  stay: 'Encounter',
  representative: 'RelatedPerson',
  'representative-of-child': 'RelatedPerson',
  block: 'Consent',
};

/** A right to a person's whole record without an end, of a declared correspondent, given by a row of its own. */
export function aRight(parts: Partial<Omit<Right, 'id' | 'scope'>> & Pick<Right, 'person'>): Right {
  const relation = parts.relation ?? 'declared';
  // A representative holds what the row gives that is she.
  const named =
    GIVERS[relation] === 'RelatedPerson' && parts.principal !== undefined ? referenceOf(parts.principal) : undefined;
  const right = {
    principal: principal.practitioner('Practitioner/lambert'),
    scope: 'record' as const,
    from: 0,
    to: FOREVER,
    giver: named ?? `${GIVERS[relation] ?? ''}/${anId()}`,
    ...parts,
    relation,
  };
  return { ...right, id: rightId(right) };
}

/** The row that gives a right to the record. It is hidden as far as its type lets it be. */
export function aGiver({ person, principal: holder, relation, from, to, giver }: Right): Put {
  const row = { ...placeOf(giver), person, level: 'V', released: false } as const;
  const reference = holder.slice(holder.indexOf(':') + 1);
  switch (relation) {
    case 'self':
      return aPut(row);
    case 'imaging-service':
      return aPut({ ...row, origin: { sources: [], services: [reference] } });
    case 'declared':
    case 'break-glass':
    case 'break-glass-confidential':
    case 'break-glass-past-block':
    case 'presence':
    case 'support':
    case 'block':
      return aPut({ ...row, resource: aPermit(row.id, reference, relation, { from, to }) });
    case 'referent':
    case 'circle':
    case 'assistant': {
      const origin = { sources: [patientOf(person)], services: [] };
      return aPut({ ...row, origin, resource: aCircle(row.id, reference, relation) });
    }
    case 'stay': {
      const origin = { sources: [], services: [], stay: { organization: reference, graceDays: 0 } };
      return aPut({ ...row, origin, resource: A_STAY });
    }
    case 'representative':
    case 'representative-of-child': {
      const origin = { sources: [], services: [], represents: true } as const;
      return aPut({ ...row, origin, resource: aGuardian(row.id) });
    }
    default:
      throw new Error(`No row gives a record to ${relation}`);
  }
}

/** A circle without an end. */
function aCircle(id: string, member: string, code: Circle): CareTeam & { readonly id: string } {
  const category = [{ coding: [{ system: CODE_SYSTEM.recordCircle, code }] }];
  return {
    resourceType: 'CareTeam',
    id,
    status: 'active',
    category,
    participant: [{ member: { reference: member } }],
  };
}

/** Somebody who represents a patient without an end. */
function aGuardian(id: string): RelatedPerson & { readonly id: string } {
  const relationship = [{ coding: [{ system: CODE_SYSTEM.roleCode, code: 'GUARD' }] }];
  return { resourceType: 'RelatedPerson', id, patient: {}, relationship };
}

/** A stay that began before every time of these tests, without an end: it lasts a year. */
const A_STAY: Encounter = {
  resourceType: 'Encounter',
  status: 'in-progress',
  class: { system: CODE_SYSTEM.actCode, code: 'IMP' },
  period: { start: new Date(NOW - 86_400_000).toISOString() },
};

function placeOf(giver: string): { readonly type: StoredType; readonly id: string } {
  const [type = '', id = ''] = giver.split('/');
  return { type: storedType(type), id };
}

/** A Consent that permits a professional. A declaration lasts to the end of the millisecond that it names. */
function aPermit(
  id: string,
  practitioner: string,
  relation: PermitKind | EmergencyRelation | 'block',
  { from, to }: Pick<Right, 'from' | 'to'>,
): Consent & { readonly id: string } {
  const end = isEmergency(relation) ? to : to - 1;
  const period = {
    ...(from === 0 ? {} : { start: new Date(from).toISOString() }),
    ...(to === FOREVER ? {} : { end: new Date(end).toISOString() }),
  };
  return {
    resourceType: 'Consent',
    id,
    status: 'active',
    scope: {},
    category: CATEGORIES[relation] ?? [],
    provision: {
      type: relation === 'block' ? 'deny' : 'permit',
      period,
      actor: [{ role: {}, reference: { reference: practitioner } }],
      purpose: [{ code: isEmergency(relation) ? 'BTG' : 'TREAT' }],
      ...(relation === 'break-glass-confidential' ? { securityLabel: [CONFIDENTIAL] } : {}),
    },
  };
}

const CATEGORIES: Readonly<Partial<Record<Right['relation'], Consent['category']>>> = {
  presence: [{ coding: [{ system: CODE_SYSTEM.temporaryAccess, code: 'presence' }] }],
  support: [{ coding: [{ system: CODE_SYSTEM.temporaryAccess, code: 'support' }] }],
  'break-glass-past-block': [{ coding: [{ system: CODE_SYSTEM.temporaryAccess, code: 'past-block' }] }],
};
const CONFIDENTIAL = { system: CODE_SYSTEM.confidentiality, code: 'R' };

const asked = { clientId: 'contract', scopes: [], display: 'Contract' } as const;

/** The grant of a professional, `Practitioner/id`, whose region lets emergencies do what `breakGlass` says. */
export function aGrant(
  practitioner: string,
  now = NOW,
  roles: readonly Role[] = [],
  breakGlass: BreakGlassSettings = {},
): Grant {
  return grantFor({ ...asked, kind: 'practitioner', practitioner, roles, breakGlass, purpose: 'TREAT' }, now);
}

/** The grant of a professional who acts outside of care, too. */
export function aGrantOutsideCare(
  practitioner: string,
  now = NOW,
  roles: readonly Role[] = [],
  breakGlass: BreakGlassSettings = {},
): Grant {
  const who = { kind: 'practitioner', practitioner, roles, breakGlass, isOutsideCare: true } as const;
  return grantFor({ ...asked, ...who, purpose: 'TREAT' }, now);
}

/** The grant of a patient. */
export function aPatientGrant(person: PersonKey, now = NOW): Grant {
  return grantFor({ ...asked, kind: 'patient', patient: 'Patient/self', person, purpose: 'PATRQT' }, now);
}

/**
 * The grant of who represents a patient, `RelatedPerson/id`, until a moment, as a child until another one (epoch
 * milliseconds).
 */
export function aRepresentativeGrant(
  related: string,
  person: PersonKey,
  now = NOW,
  until = FOREVER,
  ofChildUntil = 0,
): Grant {
  const of = { patient: 'Patient/self', person, until, ofChildUntil };
  return grantFor({ ...asked, kind: 'representative', related, ...of, purpose: 'FAMRQT' }, now);
}

/** The grant of whoever has the links of some shares (`Consent/id`). */
export function aLinkGrant(shares: readonly string[], now = NOW): Grant {
  return grantOfOthers(aGrant('Practitioner/nobody', now), shares.map(principal.share));
}

/** The grant of an establishment, `Organization/id`. */
export function anEstablishmentGrant(organization: string, now = NOW): Grant {
  return grantFor({ ...asked, kind: 'establishment', organization, purpose: 'TREAT' }, now);
}

/** A job that brings a study up to date, due at once. */
export function aJob(parts: Partial<JobRequest<'refresh-study'>> = {}): JobRequest<'refresh-study'> {
  return { id: anId(), kind: 'refresh-study', subject: aUid(), payload: {}, at: NOW, ...parts };
}

/** An event that some persons may read in their access lists. */
export function anAudit(
  persons: readonly PersonKey[] = [],
  id = anId(),
  entities: readonly TouchedEntity[] = [{ what: { reference: 'DocumentReference/asked' } }],
): AuditRecord {
  const recorded = new Date(NOW).toISOString();
  const event = buildAuditEvent({
    id,
    kind: 'read',
    recorded,
    outcome: '0',
    requestId: anId(),
    server: 'https://passerelle.example/fhir',
    client: { id: 'contract', address: '192.0.2.7' },
    user: { reference: 'Practitioner/lambert', display: 'Dr Zoé Lambert', purpose: 'TREAT' },
    entities,
  });
  return { event, persons };
}

/** Bytes under a name of their own. */
export function aBlob(content = anId()): BlobRef {
  return { name: anId(), size: content.length };
}

/** A received instance with UIDs of its own. */
export function anInstance(
  parts: Partial<InstanceRow> & Pick<InstanceRow, 'person' | 'studyInstanceUID'>,
): InstanceRow {
  const sopInstanceUID = parts.sopInstanceUID ?? aUid();
  return {
    seriesInstanceUID: `${parts.studyInstanceUID}.1`,
    sopInstanceUID,
    sopClassUID: `${DICOM_UID.storageClassPrefix}2`,
    transferSyntaxUID: DICOM_UID.explicitLittleEndian,
    instanceNumber: 1,
    seriesNumber: 1,
    blob: aBlob(),
    dataSetOffset: 334,
    dataSetDigest: createHash('sha256').update(sopInstanceUID).digest('hex'),
    metadata: JSON.stringify({ '00080018': { vr: 'UI', Value: [sopInstanceUID] } }),
    source: 'Organization/radiology',
    subject: patientOf(parts.person),
    ...parts,
  };
}

/** A search without conditions and without a total, 50 rows a page. */
export function aQuery(type: StoredType, parts: Partial<SearchQuery> = {}): SearchQuery {
  return { type, where: [], count: 50, total: 'none', include: [], ...parts };
}
