/** The entities of an AuditEvent: whose record, what was touched or asked, under which right, in which request. */
import type { AuditEventEntity, AuditEventEntityDetail, Coding } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM } from '../codes.ts';
import type { PassageFacts, TouchedEntity } from './facts.ts';
import type { Shape } from './shapes.ts';

const entityType = (code: string): Coding => ({ system: CODE_SYSTEM.auditEntityType, code });
/** The type of an entity that is a resource. */
export const resourceType = (code: string): Coding => ({ system: CODE_SYSTEM.resourceType, code });
/** MHD demands the display of a report. */
const objectRole = (code: string): Coding => ({
  system: CODE_SYSTEM.objectRole,
  code,
  ...(code === '3' ? { display: 'Report' } : {}),
});

/** Whose request it was, of all events of the request. */
const REQUEST_ID = 'XrequestId';

/** Whether an entity tells of which request an event was. */
export function isRequestEntity({ type }: AuditEventEntity): boolean {
  return type?.system === CODE_SYSTEM.balpEntityType && type.code === REQUEST_ID;
}

/** Whether what an event told of its entities was erased: of which request it was is told in the same part. */
export function isForgotten(entities: readonly AuditEventEntity[]): boolean {
  return entities.some((entity) => isRequestEntity(entity) && entity.what?.identifier === undefined);
}

/** Builds the entities. An authorization names patient and Consent alone; what else is told of it is its detail. */
export function entitiesOf(facts: PassageFacts, { roles }: Shape): AuditEventEntity[] {
  if (roles === 'authorize' && facts.consent !== undefined) return authorizedOf(facts);
  const entities: AuditEventEntity[] = patientOf(facts);
  for (const reference of facts.identities ?? []) entities.push({ what: { reference }, type: resourceType('Patient') });
  for (const entity of [...(facts.entities ?? []), ...(facts.exams ?? [])]) entities.push(touched(entity));
  if (facts.consent !== undefined || facts.relation !== undefined)
    entities.push(rightEntity(facts, facts.relation === undefined ? {} : { relation: facts.relation }));
  entities.push({
    what: { identifier: { value: facts.requestId } },
    type: { system: CODE_SYSTEM.balpEntityType, code: REQUEST_ID },
  });
  return entities;
}

function patientOf({ patient }: PassageFacts): AuditEventEntity[] {
  return patient === undefined ? [] : [{ what: { reference: patient }, type: entityType('1'), role: objectRole('1') }];
}

/** @see BALP, AuthZ Consent: the entities are closed */
function authorizedOf(facts: PassageFacts): AuditEventEntity[] {
  const told = (facts.entities ?? []).map(({ detail }) => detail);
  return [...patientOf(facts), rightEntity(facts, Object.assign({}, ...told, { [REQUEST_ID]: facts.requestId }))];
}

/** A list makes an event for each patient, in which all but the patient is the same. */
const MADE = new WeakMap<TouchedEntity, AuditEventEntity>();

function touched(entity: TouchedEntity): AuditEventEntity {
  const made = MADE.get(entity) ?? toEntity(entity);
  MADE.set(entity, made);
  return made;
}

function toEntity(entity: TouchedEntity): AuditEventEntity {
  const detail = detailOf(entity.detail ?? {});
  return {
    ...(entity.what === undefined ? {} : { what: entity.what }),
    type: typeof entity.type === 'object' ? entity.type : entityType(entity.type ?? '2'),
    role: objectRole(entity.role ?? '4'),
    ...(entity.description === undefined ? {} : { description: entity.description }),
    ...(entity.query === undefined ? {} : { query: base64Of(entity.query) }),
    ...(detail.length === 0 ? {} : { detail }),
  };
}

function rightEntity({ consent }: PassageFacts, told: Readonly<Record<string, string>>): AuditEventEntity {
  const detail = detailOf(told);
  return {
    ...(consent === undefined ? {} : { what: { reference: consent } }),
    type: resourceType('Consent'),
    ...(detail.length === 0 ? {} : { detail }),
  };
}

function detailOf(told: Readonly<Record<string, string>>): AuditEventEntityDetail[] {
  return Object.entries(told).map(([type, valueString]) => ({ type, valueString }));
}

/** Base64 of UTF-8 text without Node: btoa takes bytes as Latin-1 characters. */
function base64Of(text: string): string {
  let latin1 = '';
  for (const byte of new TextEncoder().encode(text)) latin1 += String.fromCharCode(byte);
  return btoa(latin1);
}

/** The entity of a study, by its Study Instance UID and, when there is one, its ImagingStudy. */
export function studyEntity(
  studyInstanceUID: string,
  imagingStudy?: string,
  detail?: Readonly<Record<string, string>>,
): TouchedEntity {
  const identifier = { system: IDENTIFIER_SYSTEM.dicomUid, value: `urn:oid:${studyInstanceUID}` };
  return {
    what: { ...(imagingStudy === undefined ? {} : { reference: imagingStudy }), identifier },
    role: '3',
    ...(detail === undefined ? {} : { detail }),
  };
}
