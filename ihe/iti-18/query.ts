/** The stored queries of ITI-18 as plain data, in FHIR's terms. */
import type { CodedValue } from '../ebxml/coded-value.ts';
import type { Cx, PatientCx } from '../ebxml/hl7-types.ts';

/** What the answer holds for each document: all metadata, or its entryUUID. */
export type ReturnType = 'LeafClass' | 'ObjectRef';

/** A half-open range of instants: `from` is in it, `to` is not. */
export type InstantRange = { readonly from?: string; readonly to?: string };

/** Alternatives (OR). */
export type AnyOf<T> = readonly T[];

/** Groups that all apply (AND), each of alternatives (OR). */
export type AllOfAnyOf<T> = readonly AnyOf<T>[];

/** The optional filters of FindDocuments; an absent one does not filter. @see ITI TF-2 3.18.4.1.2.3.7.1 */
export type DocumentFilters = {
  readonly classCode?: AnyOf<CodedValue>;
  readonly typeCode?: AnyOf<CodedValue>;
  readonly practiceSettingCode?: AnyOf<CodedValue>;
  readonly healthcareFacilityTypeCode?: AnyOf<CodedValue>;
  readonly formatCode?: AnyOf<CodedValue>;
  readonly eventCodeList?: AllOfAnyOf<CodedValue>;
  readonly confidentialityCode?: AllOfAnyOf<CodedValue>;
  readonly creationTime?: InstantRange;
  readonly serviceStartTime?: InstantRange;
  readonly serviceStopTime?: InstantRange;
  /** Patterns over the XCN as SQL LIKE writes them: `%` and `_`. */
  readonly authorPerson?: AnyOf<string>;
  /** Which kinds of entry; stable ones alone when the query names none. */
  readonly objectType: AnyOf<'stable' | 'on-demand'>;
};

/** What FindDocuments and FindDocumentsByReferenceId share. */
export type FindDocumentsCriteria = DocumentFilters & {
  readonly patientId: PatientCx;
  /** Approved as `current`, Deprecated as `superseded`. */
  readonly statuses: AnyOf<'current' | 'superseded'>;
};

/** FindDocuments. */
export type FindDocumentsQuery = FindDocumentsCriteria & { readonly kind: 'FindDocuments' };

/** FindDocumentsByReferenceId. `typeCode` of a reference is its CXi.5. */
export type FindDocumentsByReferenceIdQuery = FindDocumentsCriteria & {
  readonly kind: 'FindDocumentsByReferenceId';
  readonly referenceIdList: AllOfAnyOf<Cx>;
};

/** Documents by entryUUID (`urn:uuid:…`) or by uniqueId, never both. */
export type NamedDocuments = { readonly entryUUIDs: AnyOf<string> } | { readonly uniqueIds: AnyOf<string> };

/** GetDocuments. */
export type GetDocumentsQuery = { readonly kind: 'GetDocuments' } & NamedDocuments;

/** GetAssociations: those of which an entry is source or target. */
export type GetAssociationsQuery = { readonly kind: 'GetAssociations'; readonly entryUUIDs: AnyOf<string> };

/** GetDocumentsAndAssociations: documents, and the associations of which one of them is source or target. */
export type GetDocumentsAndAssociationsQuery = { readonly kind: 'GetDocumentsAndAssociations' } & NamedDocuments;

/** GetRelatedDocuments: the associations of one document that are of these types, and the documents at their ends. */
export type GetRelatedDocumentsQuery = {
  readonly kind: 'GetRelatedDocuments';
  /** URNs. @see ITI TF-3 4.2.2 */
  readonly associationTypes: AnyOf<string>;
  readonly objectType: DocumentFilters['objectType'];
} & NamedDocuments;

/** A stored query that names documents. */
export type NamingQuery =
  GetDocumentsQuery | GetAssociationsQuery | GetDocumentsAndAssociationsQuery | GetRelatedDocumentsQuery;

/** A stored query that Passerelle answers. */
export type StoredQuery = FindDocumentsQuery | FindDocumentsByReferenceIdQuery | NamingQuery;

/** A whole AdhocQueryRequest. */
export type AdhocQueryRequest = {
  readonly returnType: ReturnType;
  /** `urn:oid:…`, from the query's home attribute. */
  readonly homeCommunityId?: string;
  readonly query: StoredQuery;
};
