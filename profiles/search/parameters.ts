/** The closed table of search parameters, by type. What is not here is not searched. */
import { EXTENSION } from '../codes.ts';
import type { StoredType } from '../types/visibility.ts';

/** Kinds of search parameter that are served. */
export type ParameterType = 'token' | 'reference' | 'date' | 'string' | 'uri';

/** One search parameter of one type. */
export type SearchParameterEntry = {
  readonly code: string;
  readonly type: ParameterType;
  /** Canonical URL of the SearchParameter. */
  readonly definition: string;
  /** FHIRPath of ours; without it the expression of the R4 definition counts. */
  readonly expression?: string;
  /** References only: types that are served. A chain without a type takes the first that has the chained parameter. */
  readonly targets?: readonly StoredType[];
  /** References only: a logical reference counts when it says its type, as the element holds many types. */
  readonly needsType?: true;
  /** Tokens on a `code` or boolean only: the system that the element implies. The index keeps none for it. */
  readonly impliedSystem?: string;
};

const R4 = 'http://hl7.org/fhir/SearchParameter/';
const BOOLEANS = 'http://terminology.hl7.org/CodeSystem/special-values';

type Extra = Omit<SearchParameterEntry, 'code' | 'type' | 'definition'>;

function token(code: string, name: string, extra: Extra = {}): SearchParameterEntry {
  return { code, type: 'token', definition: R4 + name, ...extra };
}

function reference(
  code: string,
  name: string,
  targets: readonly StoredType[],
  extra: Extra = {},
): SearchParameterEntry {
  return { code, type: 'reference', definition: R4 + name, targets, ...extra };
}

function date(code: string, name: string): SearchParameterEntry {
  return { code, type: 'date', definition: R4 + name };
}

/** A parameter of ours: R4 has none for it. */
function own(type: StoredType, code: string, kind: 'string' | 'date', expression: string): SearchParameterEntry {
  return { code, type: kind, definition: `urn:passerelle:SearchParameter:${type}-${code}`, expression };
}

function string(code: string, name: string): SearchParameterEntry {
  return { code, type: 'string', definition: R4 + name };
}

// R4 writes `where(resolve() is Patient)`, which drops a logical reference without a type; targets do it here.
function patient(name: string, expression: string, extra: Extra = {}): SearchParameterEntry {
  return reference('patient', name, ['Patient'], { expression, ...extra });
}

function status(type: string, impliedSystem: string): SearchParameterEntry {
  return token('status', `${type}-status`, { impliedSystem: `http://hl7.org/fhir/${impliedSystem}` });
}

const EVERY_TYPE: readonly SearchParameterEntry[] = [
  token('_id', 'Resource-id'),
  // R4 writes `Resource.meta.lastUpdated`, which the FHIRPath engine does not take for a subtype.
  { ...date('_lastUpdated', 'Resource-lastUpdated'), expression: 'meta.lastUpdated' },
];

/**
 * Parameters of each type, `_id` and `_lastUpdated` not repeated. @see
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 */
const OF_TYPE = {
  ImagingStudy: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'ImagingStudy.subject'),
    reference('subject', 'ImagingStudy-subject', ['Patient']),
    date('started', 'ImagingStudy-started'),
    status('ImagingStudy', 'imagingstudy-status'),
    token('modality', 'ImagingStudy-modality'),
    token('series', 'ImagingStudy-series'),
    reference('basedon', 'ImagingStudy-basedon', ['Task']),
    reference('endpoint', 'ImagingStudy-endpoint', ['Endpoint']),
    reference('encounter', 'ImagingStudy-encounter', []),
    reference('referrer', 'ImagingStudy-referrer', ['Practitioner', 'PractitionerRole']),
    reference('interpreter', 'ImagingStudy-interpreter', ['Practitioner', 'PractitionerRole']),
    reference('performer', 'ImagingStudy-performer', ['Practitioner', 'PractitionerRole', 'Organization', 'Patient']),
    token('reason', 'ImagingStudy-reason'),
    token('bodysite', 'ImagingStudy-bodysite'),
    token('dicom-class', 'ImagingStudy-dicom-class'),
    own('ImagingStudy', 'accession', 'string', 'ImagingStudy.basedOn.identifier.value'),
    own('ImagingStudy', 'description', 'string', 'ImagingStudy.description'),
    own('ImagingStudy', 'referrer-name', 'string', 'ImagingStudy.referrer.display'),
    own('ImagingStudy', 'study-id', 'string', `ImagingStudy.extension.where(url = '${EXTENSION.studyId}').value`),
    // The local time of day, as a time of the first day that a Date knows.
    own(
      'ImagingStudy',
      'started-time',
      'date',
      "'1970-01-01T' + ImagingStudy.started.toString().substring(11, 8) + 'Z'",
    ),
  ],
  DiagnosticReport: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'DiagnosticReport.subject'),
    reference('subject', 'DiagnosticReport-subject', ['Patient']),
    date('date', 'clinical-date'),
    status('DiagnosticReport', 'diagnostic-report-status'),
    token('category', 'DiagnosticReport-category'),
    token('code', 'clinical-code'),
    date('issued', 'DiagnosticReport-issued'),
    reference('based-on', 'DiagnosticReport-based-on', []),
    {
      code: 'imaging-study',
      type: 'reference',
      definition: 'urn:passerelle:SearchParameter:DiagnosticReport-imaging-study',
      expression: 'DiagnosticReport.imagingStudy',
      targets: ['ImagingStudy'],
    },
  ],
  DocumentReference: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'DocumentReference.subject'),
    reference('subject', 'DocumentReference-subject', ['Patient', 'Practitioner']),
    status('DocumentReference', 'document-reference-status'),
    token('type', 'clinical-type'),
    token('category', 'DocumentReference-category'),
    date('date', 'DocumentReference-date'),
    {
      code: 'creation',
      type: 'date',
      definition: 'https://profiles.ihe.net/ITI/MHD/SearchParameter/DocumentReference-Creation',
      expression: 'DocumentReference.content.attachment.creation',
    },
    date('period', 'DocumentReference-period'),
    reference('related', 'DocumentReference-related', ['ImagingStudy', 'DiagnosticReport', 'DocumentReference']),
    token('setting', 'DocumentReference-setting'),
    token('facility', 'DocumentReference-facility'),
    token('event', 'DocumentReference-event'),
    token('format', 'DocumentReference-format'),
    token('security-label', 'DocumentReference-security-label'),
    reference('author', 'DocumentReference-author', ['Practitioner', 'PractitionerRole', 'Organization', 'Patient']),
  ],
  Patient: [
    token('identifier', 'Patient-identifier'),
    own('Patient', 'identifier-value', 'string', 'Patient.identifier.value'),
    string('family', 'individual-family'),
    string('given', 'individual-given'),
    string('name', 'Patient-name'),
    date('birthdate', 'individual-birthdate'),
    token('gender', 'individual-gender', { impliedSystem: 'http://hl7.org/fhir/administrative-gender' }),
    token('active', 'Patient-active', { impliedSystem: BOOLEANS }),
  ],
  Practitioner: [
    token('identifier', 'Practitioner-identifier'),
    string('name', 'Practitioner-name'),
    string('family', 'individual-family'),
    string('given', 'individual-given'),
    token('active', 'Practitioner-active', { impliedSystem: BOOLEANS }),
  ],
  PractitionerRole: [
    reference('practitioner', 'PractitionerRole-practitioner', ['Practitioner']),
    reference('organization', 'PractitionerRole-organization', ['Organization']),
    token('role', 'PractitionerRole-role'),
    token('specialty', 'PractitionerRole-specialty'),
    token('active', 'PractitionerRole-active', { impliedSystem: BOOLEANS }),
    token('identifier', 'PractitionerRole-identifier'),
  ],
  Organization: [
    token('identifier', 'Organization-identifier'),
    string('name', 'Organization-name'),
    token('active', 'Organization-active', { impliedSystem: BOOLEANS }),
    token('type', 'Organization-type'),
  ],
  Endpoint: [
    token('identifier', 'Endpoint-identifier'),
    reference('organization', 'Endpoint-organization', ['Organization']),
    status('Endpoint', 'endpoint-status'),
    token('connection-type', 'Endpoint-connection-type'),
  ],
  Consent: [
    reference('patient', 'clinical-patient', ['Patient']),
    status('Consent', 'consent-state-codes'),
    date('date', 'clinical-date'),
    token('identifier', 'clinical-identifier'),
    reference('actor', 'Consent-actor', ['Practitioner', 'PractitionerRole', 'Organization', 'Patient']),
  ],
  AuditEvent: [
    date('date', 'AuditEvent-date'),
    patient('AuditEvent-patient', 'AuditEvent.agent.who | AuditEvent.entity.what', { needsType: true }),
    reference('agent', 'AuditEvent-agent', ['Practitioner', 'PractitionerRole', 'Organization', 'Patient']),
    reference('entity', 'AuditEvent-entity', [
      'Patient',
      'ImagingStudy',
      'DiagnosticReport',
      'DocumentReference',
      'Binary',
      'Consent',
      'Task',
    ]),
    token('type', 'AuditEvent-type'),
    token('subtype', 'AuditEvent-subtype'),
    token('action', 'AuditEvent-action', { impliedSystem: 'http://hl7.org/fhir/audit-event-action' }),
    token('outcome', 'AuditEvent-outcome', { impliedSystem: 'http://hl7.org/fhir/audit-event-outcome' }),
    token('entity-type', 'AuditEvent-entity-type'),
  ],
  Task: [patient('Task-patient', 'Task.for'), status('Task', 'task-status'), token('code', 'Task-code')],
  Binary: [],
  Communication: [],
} as const satisfies Record<StoredType, readonly SearchParameterEntry[]>;

const BY_CODE: ReadonlyMap<StoredType, ReadonlyMap<string, SearchParameterEntry>> = new Map(
  Object.keys(OF_TYPE).map((name) => {
    // Object.keys widens to string; the keys are those of the table.
    const type = name as StoredType;
    const entries: readonly SearchParameterEntry[] = [...EVERY_TYPE, ...OF_TYPE[type]];
    return [type, new Map(entries.map((entry) => [entry.code, entry]))];
  }),
);

/** The search parameters of a type, `_id` and `_lastUpdated` first. */
export function searchParametersOf(type: StoredType): readonly SearchParameterEntry[] {
  return [...(BY_CODE.get(type)?.values() ?? [])];
}

/** Other spellings of codes: the European imaging profiles name the R4 parameters so. @see HL7 Europe Imaging Report */
const OTHER_SPELLINGS: Partial<Record<StoredType, ReadonlyMap<string, string>>> = {
  ImagingStudy: new Map([
    ['based-on', 'basedon'],
    ['body-site', 'bodysite'],
  ]),
};

/** The search parameter of a type by its code, or another spelling of it; undefined when there is none. */
export function findSearchParameter(type: StoredType, code: string): SearchParameterEntry | undefined {
  return BY_CODE.get(type)?.get(OTHER_SPELLINGS[type]?.get(code) ?? code);
}

/** The parameter that each type's lists are sorted by, latest first. It is the only order that is served. */
export const DEFAULT_SORT = {
  ImagingStudy: 'started',
  DiagnosticReport: 'issued',
  DocumentReference: 'date',
  AuditEvent: 'date',
  Patient: '_lastUpdated',
  Practitioner: '_lastUpdated',
  PractitionerRole: '_lastUpdated',
  Organization: '_lastUpdated',
  Endpoint: '_lastUpdated',
  Consent: '_lastUpdated',
  Task: '_lastUpdated',
  Binary: '_lastUpdated',
  Communication: '_lastUpdated',
} as const satisfies Record<StoredType, string>;
