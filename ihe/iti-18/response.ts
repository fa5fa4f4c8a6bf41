/**
 * ITI-18 Registry Stored Query, response: documents and associations to AdhocQueryResponse.
 * @see ITI TF-2 3.18.4.1.3
 */
import { NAMESPACE, RESPONSE_STATUS } from '../codes.ts';
import { formatAssociation, formatAssociationRef, type Association } from '../ebxml/association.ts';
import { formatDocumentEntry, formatObjectRef } from '../ebxml/document-entry.ts';
import type { DocumentEntrySource } from '../ebxml/document-entry.ts';
import { formatRegistryErrorList, statusOf } from '../ebxml/registry-error.ts';
import type { RegistryErrorEntry } from '../ebxml/registry-error.ts';
import { formatRegistryObjectList } from '../ebxml/registry-object.ts';
import type { ReturnType } from './query.ts';

/** What a stored query found. */
export type AdhocQueryAnswer = {
  readonly returnType: ReturnType;
  readonly documents: readonly DocumentEntrySource[];
  readonly associations?: readonly Association[];
  /** Errors and warnings beside the documents. */
  readonly errors?: readonly RegistryErrorEntry[];
};

/** Formats the body of an answer. Nothing found is a Success with an empty list; a Failure carries no objects. */
export function formatAdhocQueryResponse(answer: AdhocQueryAnswer): string {
  const { returnType, documents, associations = [], errors = [] } = answer;
  const status = statusOf(errors, documents.length + associations.length > 0);
  const [formatEntry, format] =
    returnType === 'LeafClass'
      ? ([formatDocumentEntry, formatAssociation] as const)
      : ([formatObjectRef, formatAssociationRef] as const);
  const found = [...documents.map((document) => formatEntry(document)), ...associations.map(format)];
  const objects = status === RESPONSE_STATUS.failure ? [] : found;
  return (
    `<query:AdhocQueryResponse xmlns:query="${NAMESPACE.query}" xmlns:rs="${NAMESPACE.rs}" status="${status}">` +
    `${formatRegistryErrorList(errors)}${formatRegistryObjectList(objects)}</query:AdhocQueryResponse>`
  );
}
