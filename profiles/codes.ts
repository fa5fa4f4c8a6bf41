/** Code systems, identifier systems, OIDs and UIDs: each literal of a standard is written once, here. */

/** Canonical URIs of code systems. */
export const CODE_SYSTEM = {
  confidentiality: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  /** TRE_A07-StatusVisibiliteDocument: from whom a document of the French record is masked. */
  frDocumentVisibility: 'urn:oid:1.2.250.1.213.1.1.4.13',
  ucum: 'http://unitsofmeasure.org',
  actReason: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
  actCode: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  participationType: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  participationMode: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode',
  roleClass: 'http://terminology.hl7.org/CodeSystem/v3-RoleClass',
  roleCode: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode',
  identifierType: 'http://terminology.hl7.org/CodeSystem/v2-0203',
  consentCategory: 'http://terminology.hl7.org/CodeSystem/consentcategorycodes',
  consentScope: 'http://terminology.hl7.org/CodeSystem/consentscope',
  auditEventType: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  lifecycle: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle',
  auditEntityType: 'http://terminology.hl7.org/CodeSystem/audit-entity-type',
  objectRole: 'http://terminology.hl7.org/CodeSystem/object-role',
  extraSecurityRole: 'http://terminology.hl7.org/CodeSystem/extra-security-role-type',
  participantType: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type',
  resourceType: 'http://hl7.org/fhir/resource-types',
  restfulInteraction: 'http://hl7.org/fhir/restful-interaction',
  iheEvent: 'urn:ihe:event-type-code',
  balpEntityType: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType',
  balpUserAgent: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes',
  balpAuthZ: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType',
  dcm: 'http://dicom.nema.org/resources/ontology/DCM',
  loinc: 'http://loinc.org',
  snomed: 'http://snomed.info/sct',
  icd10: 'http://hl7.org/fhir/sid/icd-10',
  ccam: 'urn:oid:1.2.250.1.213.2.5',
  language: 'urn:ietf:bcp:47',
  mimeType: 'urn:ietf:bcp:13',
  uri: 'urn:ietf:rfc:3986',
  iheFormat: 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode',
  dicomUids: 'urn:oid:1.2.840.10008.2.6.1',
  endpointConnection: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
  madoEndpointConnection: 'https://profiles.ihe.net/RAD/MADO/CodeSystem/MadoEndpointConnectionTypes',
  endpointPayload: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type',
  mhdIdentifierType: 'https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType',
  diagnosticSection: 'http://terminology.hl7.org/CodeSystem/v2-0074',
  frIdentifierType: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203',
  frIdentityStatus: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status',
  frIdentityStatusComment: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status-comment',
  frIdentityReliability: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445',
  /** The same table as earlier versions of FR Core name it. */
  frFormerIdentityReliability: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-v2-0445',
  frDocumentClass: 'urn:oid:1.2.250.1.213.1.1.4.1',
  frDocumentType: 'urn:oid:1.2.250.1.213.1.1.4.12',
  frActivitySector: 'urn:oid:1.2.250.1.71.4.2.4',
  frActivitySectorNos: 'https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite',
  frPracticeSetting: 'urn:oid:1.2.250.1.213.1.1.4.9',
  /** Ours: where a study came from other than from whoever made it. */
  studyOrigin: 'urn:passerelle:CodeSystem:study-origin',
  reportState: 'urn:passerelle:CodeSystem:report-state',
  /** Ours: offices that the region file alone gives, see `definitions/CodeSystem-region-role.json`. */
  regionRole: 'urn:passerelle:CodeSystem:region-role',
  /** Ours: work for people, and what is told of instances kept aside; each is in `definitions/CodeSystem-….json`. */
  task: 'urn:passerelle:CodeSystem:task',
  /** Ours: what a patient is told, and why by letter; `definitions/CodeSystem-notice.json`, `…-notice-outcome.json`. */
  notice: 'urn:passerelle:CodeSystem:notice',
  noticeOutcome: 'urn:passerelle:CodeSystem:notice-outcome',
  keptAsideReason: 'urn:passerelle:CodeSystem:kept-aside-reason',
  emergencyVerdict: 'urn:passerelle:CodeSystem:emergency-verdict',
  requestVerdict: 'urn:passerelle:CodeSystem:request-verdict',
  exportOutput: 'urn:passerelle:CodeSystem:export-output',
  recordCircle: 'urn:passerelle:CodeSystem:record-circle',
  temporaryAccess: 'urn:passerelle:CodeSystem:temporary-access',
  /** Ours: states in which an item is for fewer people than its label says. */
  itemState: 'urn:passerelle:CodeSystem:item-state',
  identityReviewRule: 'urn:passerelle:CodeSystem:identity-review-rule',
  identityReviewInput: 'urn:passerelle:CodeSystem:identity-review-input',
  keptAsideInput: 'urn:passerelle:CodeSystem:kept-aside-input',
  communeFr: 'https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM',
} as const;

/** The OID under which XDS and CDA know {@link CODE_SYSTEM.confidentiality}. */
export const CONFIDENTIALITY_OID = '2.16.840.1.113883.5.25';

/** Identifier systems. RPPS has two forms in the French directory (professional-numbers.ts). */
export const IDENTIFIER_SYSTEM = {
  dicomUid: 'urn:dicom:uid',
  uri: 'urn:ietf:rfc:3986',
  insNir: 'urn:oid:1.2.250.1.213.1.4.8',
  insNia: 'urn:oid:1.2.250.1.213.1.4.9',
  insNirTest: 'urn:oid:1.2.250.1.213.1.4.10',
  insNirDemonstration: 'urn:oid:1.2.250.1.213.1.4.11',
  matricule: 'urn:oid:1.3.182.4.4',
  professional: 'urn:oid:1.2.250.1.71.4.2.1',
  rpps: 'https://rpps.esante.gouv.fr',
  structure: 'urn:oid:1.2.250.1.71.4.2.2',
} as const;

/** Types of an identifier that a document is related by: CXi.5 of XDS referenceIdList. @see ITI TF-3 4.2.3.2.28 */
export const REFERENCE_ID_TYPE = {
  uniqueId: 'urn:ihe:iti:xds:2013:uniqueId',
  accession: 'urn:ihe:iti:xds:2013:accession',
  referral: 'urn:ihe:iti:xds:2013:referral',
  order: 'urn:ihe:iti:xds:2013:order',
  encounterId: 'urn:ihe:iti:xds:2015:encounterId',
  studyInstanceUID: 'urn:ihe:iti:xds:2016:studyInstanceUID',
  workflowInstanceId: 'urn:ihe:iti:xdw:2013:workflowInstanceId',
} as const;

/** Format codes of documents, in {@link CODE_SYSTEM.iheFormat}. */
export const FORMAT_CODE = {
  pdf: 'urn:ihe:iti:xds-sd:pdf:2008',
  mimeTypeSufficient: 'urn:ihe:iti:xds:2017:mimeTypeSufficient',
} as const;

/** Policies of IHE PCF begin so. */
export const PCF_POLICY_PREFIX = 'https://profiles.ihe.net/ITI/PCF/Policy-';

/** Profiles of IHE PCF begin so. */
export const PCF_PROFILE_PREFIX = 'https://profiles.ihe.net/ITI/PCF/StructureDefinition/';

/** The patterns of IHE BALP begin so. */
export const BALP_PROFILE_PREFIX = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';

/** Profiles of IHE that what we write says it satisfies (meta.profile). */
export const IHE_PROFILE = {
  consentBasic: 'https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentBasic',
  consentIntermediate: 'https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentIntermediate',
  consentAdvanced: 'https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentAdvanced',
  mhdFindDocumentReferencesAudit:
    'https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.FindDocumentReferences.Audit.Responder',
  mhdRetrieveDocumentAudit:
    'https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.RetrieveDocument.Audit.Responder',
  pdqmQueryAudit: 'https://profiles.ihe.net/ITI/PDQm/StructureDefinition/IHE.PDQm.Query.Audit.Supplier',
  pdqmMatchAudit: 'https://profiles.ihe.net/ITI/PDQm/StructureDefinition/IHE.PDQm.Match.Audit.Supplier',
} as const;

/** Extensions that the product reads or writes. */
export const EXTENSION = {
  frIdentityReliability: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
  frBirthListGivenName: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name',
  frInseeCode: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code',
  birthPlace: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
  requiresAccessToken: 'http://hl7.org/fhir/smart-app-launch/StructureDefinition/requires-access-token',
  retrieveLocationUID: 'https://profiles.ihe.net/RAD/MADO/StructureDefinition/MadoRetrieveLocationUIDExtension',
  translation: 'http://hl7.org/fhir/StructureDefinition/translation',
  mothersMaidenName: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName',
  matchGrade: 'http://hl7.org/fhir/StructureDefinition/match-grade',
  nameRepresentation: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation',
  studyId: 'urn:passerelle:StructureDefinition:ImagingStudy-study-id',
  /** Ours, never shown: what is known of an identity beside what its source said. */
  identity: 'urn:passerelle:StructureDefinition:Person-identity',
  /** Ours, never shown: which identity of a person said what it stands at. */
  saidBy: 'urn:passerelle:StructureDefinition:Patient-said-by',
  /** Ours, never shown: how often, and when last, the parts of a Patient changed that not everybody sees alike. */
  seenChanges: 'urn:passerelle:StructureDefinition:Patient-seen-changes',
  /** Ours: who recorded what a Consent says of sharing. */
  recordedBy: 'urn:passerelle:StructureDefinition:Consent-recorded-by',
  /** Ours, of a share: why, how often, and whether its link lets download. */
  shareReason: 'urn:passerelle:StructureDefinition:Consent-share-reason',
  shareUses: 'urn:passerelle:StructureDefinition:Consent-share-uses',
  shareDownload: 'urn:passerelle:StructureDefinition:Consent-share-download',
  /** Ours: who said a coding of a label, where it is not the source of the item. */
  labelSaidBy: 'urn:passerelle:StructureDefinition:label-said-by',
  namedByAccession: 'urn:passerelle:StructureDefinition:DiagnosticReport-named-by-accession',
} as const;

/** Tag of an exam whose images came, some at least, from the former archive of an establishment. */
export const IMPORTED_TAG = { system: CODE_SYSTEM.studyOrigin, code: 'imported' } as const;

/** UIDs of DICOM that the product names. @see DICOM PS3.6 */
export const DICOM_UID = {
  verification: '1.2.840.10008.1.1',
  /** The SOP class of a DICOMDIR (PS3.10 section 8). */
  mediaStorageDirectory: '1.2.840.10008.1.3.10',
  implicitLittleEndian: '1.2.840.10008.1.2',
  explicitLittleEndian: '1.2.840.10008.1.2.1',
  deflatedExplicitLittleEndian: '1.2.840.10008.1.2.1.99',
  explicitBigEndian: '1.2.840.10008.1.2.2',
  jpipReferenced: '1.2.840.10008.1.2.4.94',
  jpipReferencedDeflate: '1.2.840.10008.1.2.4.95',
  jpipHtj2kReferenced: '1.2.840.10008.1.2.4.204',
  jpipHtj2kReferencedDeflate: '1.2.840.10008.1.2.4.205',
  /** General Electric's private syntax: implicit little endian data set, big endian pixels. */
  geImplicitLittleEndian: '1.2.840.113619.5.2',
  encapsulatedPdf: '1.2.840.10008.5.1.4.1.1.104.1',
  encapsulatedCda: '1.2.840.10008.5.1.4.1.1.104.2',
  /** The SOP classes of structured reports begin so, {@link keyObjectSelection} among them. */
  structuredReportPrefix: '1.2.840.10008.5.1.4.1.1.88.',
  keyObjectSelection: '1.2.840.10008.5.1.4.1.1.88.59',
  storageClassPrefix: '1.2.840.10008.5.1.4.1.1.',
  /** The root of every UID that DICOM itself defines; others are private. */
  standardRoot: '1.2.840.10008.',
  /** DICOM Application Context Name (PS3.7 A.2.1). */
  applicationContext: '1.2.840.10008.3.1.1.1',
} as const;

/**
 * Storage classes whose UIDs are not below `storageClassPrefix`: radiotherapy delivery, and retired ones. @see DICOM
 * PS3.4 table B.5-1, PS3.6
 */
export const OTHER_STORAGE_CLASSES: ReadonlySet<string> = new Set([
  '1.2.840.10008.5.1.4.34.1',
  '1.2.840.10008.5.1.4.34.7',
  '1.2.840.10008.5.1.4.34.10',
  '1.2.840.10008.5.1.1.27',
  '1.2.840.10008.5.1.1.29',
  '1.2.840.10008.5.1.1.30',
]);

/** How the product names itself in DICOM (PS3.7 D.3.3.2): Implementation Class UID and Version Name. */
export const DICOM_IMPLEMENTATION = {
  classUID: '2.25.74075779508086848590743477248852595375',
  versionName: 'PASSERELLE_0',
} as const;

/** How our own pages are called among the clients of the authorization server; no client of a region is called so. */
export const PAGES_CLIENT_ID = 'passerelle-pages';

/** Media types that more than one door speaks. */
export const MEDIA_TYPE = {
  jsonPatch: 'application/json-patch+json',
  fhirJson: 'application/fhir+json',
  json: 'application/json',
  dicom: 'application/dicom',
  dicomJson: 'application/dicom+json',
  pdf: 'application/pdf',
  zip: 'application/zip',
  html: 'text/html',
  plainText: 'text/plain',
  jpeg: 'image/jpeg',
  png: 'image/png',
  soap: 'application/soap+xml',
  xop: 'application/xop+xml',
  multipartRelated: 'multipart/related',
  octets: 'application/octet-stream',
} as const;

/** The class that an OID takes in FHIR: `urn:oid:` and the dotted form. */
export function oidUri(oid: string): string {
  return `urn:oid:${oid}`;
}

/** The dotted form of an `urn:oid:` URI, or undefined when it is none. */
export function oidOf(uri: string | undefined): string | undefined {
  return uri !== undefined && OID_URN.test(uri) ? uri.slice('urn:oid:'.length) : undefined;
}

/**
 * Returns a text in the form in which URIs are compared and told: that of an OID begins with `urn:oid:`, whatever
 * capitals the sender wrote. @see RFC 8141 section 3.1
 */
export function comparedUri(text: string): string {
  return /^urn:oid:[\d.]+$/i.test(text) ? text.toLowerCase() : text;
}

const OID_URN = /^urn:oid:/i;
