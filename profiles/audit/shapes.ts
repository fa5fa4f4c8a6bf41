/** What the AuditEvents of each kind of passage have in common. */
import type { AuditEvent, Coding } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IHE_PROFILE } from '../codes.ts';

const rest: Coding = { system: CODE_SYSTEM.auditEventType, code: 'rest', display: 'RESTful Operation' };

/** A code of DICOM. */
export const dcm = (code: string, display: string): Coding => ({ system: CODE_SYSTEM.dcm, code, display });
const interaction = (code: string): Coding => ({ system: CODE_SYSTEM.restfulInteraction, code, display: code });
const ihe = (code: string, display: string): Coding => ({ system: CODE_SYSTEM.iheEvent, code, display });

/**
 * Which agents are the client and the server: `in`, data or a question came to the server; `out`, data went to the
 * client; `delete`, the server took them away; `authorize`, it let somebody see, or not see.
 */
export type Roles = 'in' | 'out' | 'delete' | 'authorize';

/**
 * What a kind of passage has in common. `pattern` is the BALP pattern of its event; `guide`, a profile of another guide
 * that says more of an event of a patient (`ofPatient`) or of any.
 */
export type Shape = {
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: NonNullable<AuditEvent['action']>;
  readonly roles: Roles;
  readonly pattern?: 'Create' | 'Read' | 'Update' | 'Delete' | 'Query' | 'AuthZconsent';
  readonly guide?: { readonly profile: string; readonly ofPatient: boolean };
};

const shape = (
  type: Coding,
  subtype: readonly Coding[],
  action: 'C' | 'R' | 'U' | 'D' | 'E',
  roles: Roles,
  claims: Pick<Shape, 'pattern' | 'guide'> = {},
): Shape => ({ type, subtype, action, roles, ...claims });

const isRead = { pattern: 'Read' } as const;
const isQuery = { pattern: 'Query' } as const;
const isUpdate = { pattern: 'Update' } as const;

/** The shape of every kind of passage. Whoever asks a question is its source (DICOM PS3.15 A.5.3.10, BALP Query). */
export const PASSAGE = {
  read: shape(rest, [interaction('read')], 'R', 'out', isRead),
  vread: shape(rest, [interaction('vread')], 'R', 'out', isRead),
  search: shape(rest, [interaction('search-type')], 'E', 'in', isQuery),
  'history-instance': shape(rest, [interaction('history-instance')], 'R', 'out'),
  'history-type': shape(rest, [interaction('history-type')], 'E', 'in'),
  create: shape(rest, [interaction('create')], 'C', 'in', { pattern: 'Create' }),
  update: shape(rest, [interaction('update')], 'U', 'in', isUpdate),
  patch: shape(rest, [interaction('patch')], 'U', 'in', isUpdate),
  delete: shape(rest, [interaction('delete')], 'D', 'delete', { pattern: 'Delete' }),
  transaction: shape(rest, [interaction('transaction')], 'C', 'in'),
  operation: shape(rest, [interaction('operation')], 'E', 'in'),
  'iti-67': shape(rest, [interaction('search-type'), ihe('ITI-67', 'Find Document References')], 'E', 'in', {
    ...isQuery,
    guide: { profile: IHE_PROFILE.mhdFindDocumentReferencesAudit, ofPatient: true },
  }),
  'iti-78': shape(rest, [interaction('search-type'), ihe('ITI-78', 'Mobile Patient Demographics Query')], 'E', 'in', {
    ...isQuery,
    guide: { profile: IHE_PROFILE.pdqmQueryAudit, ofPatient: false },
  }),
  'iti-83': shape(
    rest,
    [interaction('search'), ihe('ITI-83', 'Mobile Patient Identifier Cross-reference Query')],
    'E',
    'in',
    isQuery,
  ),
  'iti-119': shape(rest, [interaction('search'), ihe('ITI-119', 'Patient Demographics Match')], 'E', 'in', {
    ...isQuery,
    guide: { profile: IHE_PROFILE.pdqmMatchAudit, ofPatient: false },
  }),
  'iti-68': shape(rest, [interaction('read'), ihe('ITI-68', 'Retrieve Document')], 'R', 'out', {
    ...isRead,
    guide: { profile: IHE_PROFILE.mhdRetrieveDocumentAudit, ofPatient: true },
  }),
  'iti-18': shape(dcm('110112', 'Query'), [ihe('ITI-18', 'Registry Stored Query')], 'E', 'in'),
  'iti-43': shape(dcm('110106', 'Export'), [ihe('ITI-43', 'Retrieve Document Set')], 'R', 'out'),
  export: shape(dcm('110106', 'Export'), [interaction('operation')], 'R', 'out'),
  'rad-69': shape(
    dcm('110104', 'DICOM Instances Transferred'),
    [ihe('RAD-69', 'Retrieve Imaging Document Set')],
    'R',
    'out',
  ),
  qido: shape(dcm('110112', 'Query'), [ihe('RAD-129', 'QIDO-RS Query')], 'E', 'in'),
  wado: shape(dcm('110104', 'DICOM Instances Transferred'), [ihe('RAD-107', 'WADO-RS Retrieve')], 'R', 'out'),
  'wado-metadata': shape(dcm('110103', 'DICOM Instances Accessed'), [ihe('RAD-107', 'WADO-RS Retrieve')], 'R', 'out'),
  'view-study': shape(dcm('110103', 'DICOM Instances Accessed'), [ihe('RAD-106', 'Invoke Image Display')], 'R', 'out'),
  'invoke-display': shape(dcm('110112', 'Query'), [ihe('RAD-106', 'Invoke Image Display')], 'E', 'in'),
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
  /** The oldest events are removed, as their time is over; how many, and before when they were recorded, is told. */
  'cut-events': shape(
    { system: CODE_SYSTEM.lifecycle, code: 'destroy', display: 'Destroy/Delete Record Lifecycle Event' },
    [dcm('110101', 'Audit Log Used')],
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
    'authorize',
    { pattern: 'AuthZconsent' },
  ),
  refusal: shape(dcm('110113', 'Security Alert'), [dcm('110126', 'Node Authentication')], 'E', 'in'),
} as const satisfies Record<string, Shape>;

/** A kind of passage. */
export type PassageKind = keyof typeof PASSAGE;
