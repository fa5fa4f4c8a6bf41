/**
 * AuditEvents in the shapes of IHE BALP; DICOM codes where BALP has no pattern (DICOMweb, C-STORE, break-glass).
 * @see https://profiles.ihe.net/ITI/BALP
 */
import type { AuditEvent, AuditEventAgent, AuditEventEntity, Coding, Reference } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM } from '../codes.ts';

const DCM = CODE_SYSTEM.dcm;
const rest: Coding = { system: CODE_SYSTEM.auditEventType, code: 'rest', display: 'RESTful Operation' };
const dcm = (code: string, display: string): Coding => ({ system: DCM, code, display });
const interaction = (code: string): Coding => ({ system: CODE_SYSTEM.restfulInteraction, code, display: code });
const ihe = (code: string, display: string): Coding => ({ system: CODE_SYSTEM.iheEvent, code, display });

type Shape = {
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: NonNullable<AuditEvent['action']>;
  readonly flow: 'in' | 'out';
};

const shape = (
  type: Coding,
  subtype: readonly Coding[],
  action: 'C' | 'R' | 'U' | 'D' | 'E',
  flow: 'in' | 'out',
): Shape => ({ type, subtype, action, flow });

/** Type, subtype and action of every kind of passage. `flow` tells whether data came in or went out. */
export const PASSAGE = {
  read: shape(rest, [interaction('read')], 'R', 'out'),
  vread: shape(rest, [interaction('vread')], 'R', 'out'),
  search: shape(rest, [interaction('search-type')], 'E', 'out'),
  'history-instance': shape(rest, [interaction('history-instance')], 'R', 'out'),
  'history-type': shape(rest, [interaction('history-type')], 'E', 'out'),
  create: shape(rest, [interaction('create')], 'C', 'in'),
  update: shape(rest, [interaction('update')], 'U', 'in'),
  patch: shape(rest, [interaction('patch')], 'U', 'in'),
  delete: shape(rest, [interaction('delete')], 'D', 'in'),
  transaction: shape(rest, [interaction('transaction')], 'C', 'in'),
  operation: shape(rest, [interaction('operation')], 'E', 'in'),
  'iti-67': shape(rest, [interaction('search-type'), ihe('ITI-67', 'Find Document References')], 'E', 'out'),
  /** Who asks is the source of a query, as IHE's own events of these have it. */
  'iti-78': shape(rest, [interaction('search-type'), ihe('ITI-78', 'Mobile Patient Demographics Query')], 'E', 'in'),
  'iti-83': shape(
    rest,
    [interaction('search'), ihe('ITI-83', 'Mobile Patient Identifier Cross-reference Query')],
    'E',
    'in',
  ),
  'iti-119': shape(rest, [interaction('search'), ihe('ITI-119', 'Patient Demographics Match')], 'E', 'in'),
  'iti-68': shape(rest, [interaction('read'), ihe('ITI-68', 'Retrieve Document')], 'R', 'out'),
  'iti-18': shape(dcm('110112', 'Query'), [ihe('ITI-18', 'Registry Stored Query')], 'E', 'out'),
  'iti-43': shape(dcm('110106', 'Export'), [ihe('ITI-43', 'Retrieve Document Set')], 'R', 'out'),
  'rad-69': shape(
    dcm('110104', 'DICOM Instances Transferred'),
    [ihe('RAD-69', 'Retrieve Imaging Document Set')],
    'R',
    'out',
  ),
  qido: shape(dcm('110112', 'Query'), [ihe('RAD-129', 'QIDO-RS Query')], 'E', 'out'),
  wado: shape(dcm('110104', 'DICOM Instances Transferred'), [ihe('RAD-107', 'WADO-RS Retrieve')], 'R', 'out'),
  'wado-metadata': shape(dcm('110103', 'DICOM Instances Accessed'), [ihe('RAD-107', 'WADO-RS Retrieve')], 'R', 'out'),
  'view-study': shape(dcm('110103', 'DICOM Instances Accessed'), [ihe('RAD-106', 'Invoke Image Display')], 'R', 'out'),
  'invoke-display': shape(dcm('110112', 'Query'), [ihe('RAD-106', 'Invoke Image Display')], 'E', 'out'),
  'c-store-begin': shape(dcm('110102', 'Begin Transferring DICOM Instances'), [], 'E', 'in'),
  'c-store': shape(dcm('110104', 'DICOM Instances Transferred'), [], 'C', 'in'),
  'stow-begin': shape(
    dcm('110102', 'Begin Transferring DICOM Instances'),
    [ihe('RAD-108', 'Store Instances Over the Web')],
    'E',
    'in',
  ),
  stow: shape(
    dcm('110104', 'DICOM Instances Transferred'),
    [ihe('RAD-108', 'Store Instances Over the Web')],
    'C',
    'in',
  ),
  'import-begin': shape(dcm('110102', 'Begin Transferring DICOM Instances'), [dcm('110107', 'Import')], 'E', 'in'),
  import: shape(dcm('110107', 'Import'), [dcm('110104', 'DICOM Instances Transferred')], 'C', 'in'),
  association: shape(dcm('110114', 'User Authentication'), [dcm('110126', 'Node Authentication')], 'E', 'in'),
  'close-study': shape(dcm('110107', 'Import'), [], 'C', 'in'),
  'erase-study': shape(dcm('110105', 'DICOM Study Deleted'), [], 'D', 'in'),
  /** What earlier events tell of their entities is erased; how many events is told. */
  'erase-events': shape(
    { system: CODE_SYSTEM.lifecycle, code: 'destroy', display: 'Destroy/Delete Record Lifecycle Event' },
    [],
    'D',
    'in',
  ),
  /** A person lets the server start on a trail that does not hold what was anchored. */
  'accept-restored': shape(dcm('110113', 'Security Alert'), [dcm('110132', 'Use of Restricted Function')], 'E', 'in'),
  /** Who belongs to the region, and what may be done by whom, is what another file says. */
  'load-region': shape(dcm('110113', 'Security Alert'), [dcm('110137', 'User Security Attributes Changed')], 'U', 'in'),
  'operate-jobs': shape(dcm('110100', 'Application Activity'), [], 'E', 'in'),
  'sign-in': shape(dcm('110114', 'User Authentication'), [dcm('110122', 'Login')], 'E', 'in'),
  'break-glass': shape(dcm('110113', 'Security Alert'), [dcm('110127', 'Emergency Override Started')], 'E', 'in'),
  'break-glass-end': shape(dcm('110113', 'Security Alert'), [dcm('110138', 'Emergency Override Stopped')], 'E', 'in'),
  withdraw: shape(
    dcm('110113', 'Security Alert'),
    [{ system: CODE_SYSTEM.balpAuthZ, code: 'AuthZ-Consent', display: 'Consent Authorization Decision' }],
    'E',
    'in',
  ),
  refusal: shape(dcm('110113', 'Security Alert'), [dcm('110126', 'Node Authentication')], 'E', 'in'),
} as const satisfies Record<string, Shape>;

/** A kind of passage. */
export type PassageKind = keyof typeof PASSAGE;

/** Something that was touched. `role` is a code of object-role: 3 report, 4 domain resource, 24 query … */
export type TouchedEntity = {
  readonly what?: Reference;
  readonly type?: string;
  readonly role?: string;
  readonly query?: string;
  readonly detail?: Readonly<Record<string, string>>;
};

/** The facts of one passage. */
export type PassageFacts = {
  readonly id: string;
  readonly kind: PassageKind;
  /** Instant, ISO 8601. */
  readonly recorded: string;
  /** 0 success, 4 refused or the peer's fault, 8 the server's fault. */
  readonly outcome: '0' | '4' | '8';
  readonly outcomeDesc?: string;
  readonly requestId: string;
  /** Base URL or name of the door that was passed. */
  readonly server: string;
  readonly client: { readonly id: string; readonly address?: string };
  /** The person or establishment behind the client. */
  readonly user?: {
    readonly reference: string;
    readonly display: string;
    readonly purpose: string;
    readonly tokenId?: string;
  };
  /** `Patient/id`. */
  readonly patient?: string;
  readonly entities?: readonly TouchedEntity[];
  /** The Consent that gave the right (`Consent/id`). */
  readonly consent?: string;
  /** The relation that gave the right, as shown to the patient. */
  readonly relation?: string;
};

/** Builds the AuditEvent of a passage. */
export function buildAuditEvent(facts: PassageFacts): AuditEvent & { id: string } {
  const { type, subtype, action, flow } = PASSAGE[facts.kind];
  return {
    resourceType: 'AuditEvent',
    id: facts.id,
    type,
    ...(subtype.length === 0 ? {} : { subtype: [...subtype] }),
    action,
    recorded: facts.recorded,
    outcome: facts.outcome,
    ...(facts.outcomeDesc === undefined ? {} : { outcomeDesc: facts.outcomeDesc }),
    ...(facts.user === undefined ? {} : { purposeOfEvent: [{ coding: [purposeCoding(facts.user.purpose)] }] }),
    agent: agentsOf(facts, flow),
    source: {
      site: facts.server,
      observer: { display: 'Passerelle' },
      type: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
          code: '4',
          display: 'Application Server',
        },
      ],
    },
    entity: entitiesOf(facts),
  };
}

function purposeCoding(purpose: string): Coding {
  return { system: CODE_SYSTEM.actReason, code: purpose };
}

function agentsOf(facts: PassageFacts, flow: 'in' | 'out'): AuditEventAgent[] {
  const source = dcm('110153', 'Source Role ID');
  const destination = dcm('110152', 'Destination Role ID');
  const [client, server] = flow === 'in' ? [source, destination] : [destination, source];
  const agents: AuditEventAgent[] = [
    {
      type: { coding: [client] },
      who: { identifier: { value: facts.client.id } },
      requestor: facts.user === undefined,
      ...(facts.client.address === undefined ? {} : { network: { address: facts.client.address, type: '2' } }),
    },
    { type: { coding: [server] }, who: { display: 'Passerelle' }, requestor: false },
  ];
  if (facts.user !== undefined) agents.push(userAgent(facts.user));
  return agents;
}

function userAgent(user: NonNullable<PassageFacts['user']>): AuditEventAgent {
  return {
    type: { coding: [{ system: CODE_SYSTEM.participationType, code: 'IRCP', display: 'information recipient' }] },
    who: { reference: user.reference, display: user.display },
    requestor: true,
    ...(user.tokenId === undefined ? {} : { policy: [`urn:ietf:params:oauth:jti:${user.tokenId}`] }),
    purposeOfUse: [{ coding: [purposeCoding(user.purpose)] }],
  };
}

const entityType = (code: string): Coding => ({ system: CODE_SYSTEM.auditEntityType, code });
const objectRole = (code: string): Coding => ({ system: CODE_SYSTEM.objectRole, code });

function entitiesOf(facts: PassageFacts): AuditEventEntity[] {
  const entities: AuditEventEntity[] = [];
  if (facts.patient !== undefined) {
    entities.push({ what: { reference: facts.patient }, type: entityType('1'), role: objectRole('1') });
  }
  for (const entity of facts.entities ?? []) entities.push(touched(entity));
  if (facts.consent !== undefined || facts.relation !== undefined) entities.push(rightEntity(facts));
  entities.push({
    what: { identifier: { value: facts.requestId } },
    type: { system: CODE_SYSTEM.balpEntityType, code: 'XrequestId' },
  });
  return entities;
}

/** A list makes an event for each patient, in which all but the patient is the same. */
const MADE = new WeakMap<TouchedEntity, AuditEventEntity>();

function touched(entity: TouchedEntity): AuditEventEntity {
  const made = MADE.get(entity) ?? toEntity(entity);
  MADE.set(entity, made);
  return made;
}

function toEntity(entity: TouchedEntity): AuditEventEntity {
  const detail = Object.entries(entity.detail ?? {}).map(([type, valueString]) => ({ type, valueString }));
  return {
    ...(entity.what === undefined ? {} : { what: entity.what }),
    type: entityType(entity.type ?? '2'),
    role: objectRole(entity.role ?? '4'),
    ...(entity.query === undefined ? {} : { query: base64Of(entity.query) }),
    ...(detail.length === 0 ? {} : { detail }),
  };
}

function rightEntity(facts: PassageFacts): AuditEventEntity {
  return {
    ...(facts.consent === undefined ? {} : { what: { reference: facts.consent } }),
    type: { system: 'http://hl7.org/fhir/resource-types', code: 'Consent' },
    ...(facts.relation === undefined ? {} : { detail: [{ type: 'relation', valueString: facts.relation }] }),
  };
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
