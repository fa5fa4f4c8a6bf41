/** Namespaces, actions, UUIDs and codes of SOAP, ebXML, XDS.b and XDS-I.b: each literal is written once, here. */
import { CONFIDENTIALITY_OID } from '../profiles/codes.ts';

/** XML namespaces, under the prefixes that Passerelle writes and its XPath reads. */
export const NAMESPACE = {
  env: 'http://www.w3.org/2003/05/soap-envelope',
  soap11: 'http://schemas.xmlsoap.org/soap/envelope/',
  wsa: 'http://www.w3.org/2005/08/addressing',
  wsse: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  xop: 'http://www.w3.org/2004/08/xop/include',
  rim: 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0',
  rs: 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0',
  query: 'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0',
  lcm: 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0',
  xdsb: 'urn:ihe:iti:xds-b:2007',
  rad: 'urn:ihe:rad:xdsi-b:2009',
  cda: 'urn:hl7-org:v3',
} as const;

/** WS-Addressing actions of the transactions, request and response. */
export const ACTION = {
  registryStoredQuery: 'urn:ihe:iti:2007:RegistryStoredQuery',
  registryStoredQueryResponse: 'urn:ihe:iti:2007:RegistryStoredQueryResponse',
  retrieveDocumentSet: 'urn:ihe:iti:2007:RetrieveDocumentSet',
  retrieveDocumentSetResponse: 'urn:ihe:iti:2007:RetrieveDocumentSetResponse',
  retrieveImagingDocumentSet: 'urn:ihe:rad:2009:RetrieveImagingDocumentSet',
  soapFault: 'http://www.w3.org/2005/08/addressing/soap/fault',
  addressingFault: 'http://www.w3.org/2005/08/addressing/fault',
} as const;

/** Stored queries that Passerelle answers. @see ITI TF-2 3.18.4.1.2.4 */
export const STORED_QUERY = {
  findDocuments: 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d',
  findDocumentsByReferenceId: 'urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492',
  getDocuments: 'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
  getAssociations: 'urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155',
  getDocumentsAndAssociations: 'urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a',
  getRelatedDocuments: 'urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6',
} as const;

/** DocumentEntry object types. @see ITI TF-3 4.2.5.2 */
export const OBJECT_TYPE = {
  stable: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  onDemand: 'urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248',
} as const;

/** Classification schemes of a DocumentEntry. @see ITI TF-3 4.2.5.2 */
export const DOCUMENT_ENTRY_CLASSIFICATION = {
  author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
  classCode: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a',
  confidentialityCode: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
  eventCodeList: 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
  formatCode: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
  healthcareFacilityTypeCode: 'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
  practiceSettingCode: 'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead',
  typeCode: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
} as const;

/** External identifier schemes of a DocumentEntry, with the Name that the standard prescribes. */
export const DOCUMENT_ENTRY_IDENTIFIER = {
  patientId: { scheme: 'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427', name: 'XDSDocumentEntry.patientId' },
  uniqueId: { scheme: 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab', name: 'XDSDocumentEntry.uniqueId' },
} as const;

/** Object types of associations and of the parts of a registry object. @see ebRIM 3.0 */
export const REGISTRY_OBJECT_TYPE = {
  association: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association',
  classification: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Classification',
  externalIdentifier: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier',
} as const;

/** availabilityStatus of a DocumentEntry. */
export const AVAILABILITY_STATUS = {
  approved: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved',
  deprecated: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated',
} as const;

/** Status of a registry response. @see ITI TF-3 4.2.4 */
export const RESPONSE_STATUS = {
  success: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success',
  partialSuccess: 'urn:ihe:iti:2007:ResponseStatusType:PartialSuccess',
  failure: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure',
} as const;

/** One of the URNs of {@link RESPONSE_STATUS}. */
export type ResponseStatus = (typeof RESPONSE_STATUS)[keyof typeof RESPONSE_STATUS];

/** Severity of a RegistryError. */
export const ERROR_SEVERITY = {
  error: 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error',
  warning: 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning',
} as const;

/** Error codes that Passerelle raises. @see ITI TF-3 4.2.4.1, RAD TF-2 4.69 */
export const XDS_ERROR = {
  documentUniqueIdError: 'XDSDocumentUniqueIdError',
  duplicateUniqueIdInRegistry: 'XDSDuplicateUniqueIdInRegistry',
  imagingRequestError: 'XDSIRequestError',
  registryBusy: 'XDSRegistryBusy',
  registryError: 'XDSRegistryError',
  registryMetadataError: 'XDSRegistryMetadataError',
  registryNotAvailable: 'XDSRegistryNotAvailable',
  registryOutOfResources: 'XDSRegistryOutOfResources',
  repositoryBusy: 'XDSRepositoryBusy',
  repositoryError: 'XDSRepositoryError',
  repositoryMetadataError: 'XDSRepositoryMetadataError',
  repositoryOutOfResources: 'XDSRepositoryOutOfResources',
  resultNotSinglePatient: 'XDSResultNotSinglePatient',
  storedQueryMissingParam: 'XDSStoredQueryMissingParam',
  storedQueryParamNumber: 'XDSStoredQueryParamNumber',
  tooManyResults: 'XDSTooManyResults',
  unknownRepositoryId: 'XDSUnknownRepositoryId',
  unknownStoredQuery: 'XDSUnknownStoredQuery',
} as const;

/** Association types between registry objects. @see ITI TF-3 4.2.2 */
export const ASSOCIATION_TYPE = {
  hasMember: 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
  append: 'urn:ihe:iti:2007:AssociationType:APND',
  replace: 'urn:ihe:iti:2007:AssociationType:RPLC',
  transform: 'urn:ihe:iti:2007:AssociationType:XFRM',
  transformAndReplace: 'urn:ihe:iti:2007:AssociationType:XFRM_RPLC',
  signs: 'urn:ihe:iti:2007:AssociationType:signs',
  isSnapshotOf: 'urn:ihe:iti:2010:AssociationType:IsSnapshotOf',
} as const;

/** Name of the slot referenceIdList, the one slot of a DocumentEntry that is named by a URN. */
export const REFERENCE_ID_LIST_SLOT = 'urn:ihe:iti:xds:2013:referenceIdList';

/** Type codes (CXi.5) of referenceIdList; FHIR documents carry them too. */
export { REFERENCE_ID_TYPE } from '../profiles/codes.ts';

/** OIDs of code systems that FHIR names by another URI, as XDS codingScheme writes them. */
export const CODING_SCHEME = {
  loinc: '2.16.840.1.113883.6.1',
  snomed: '2.16.840.1.113883.6.96',
  confidentiality: CONFIDENTIALITY_OID,
  dcm: '1.2.840.10008.2.16.4',
  iheFormat: '1.3.6.1.4.1.19376.1.2.3',
} as const;
