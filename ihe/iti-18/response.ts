/** ITI-18 Registry Stored Query, response: documents to AdhocQueryResponse. @see ITI TF-2 3.18.4.1.3 */
import { NAMESPACE, RESPONSE_STATUS } from '../codes.ts';
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
  /** Errors and warnings beside the documents. */
  readonly errors?: readonly RegistryErrorEntry[];
};

/** Formats the body of an answer. Nothing found is a Success with an empty list; a Failure carries no documents. */
export function formatAdhocQueryResponse({ returnType, documents, errors = [] }: AdhocQueryAnswer): string {
  const status = statusOf(errors, documents.length > 0);
  const format = returnType === 'LeafClass' ? formatDocumentEntry : formatObjectRef;
  const objects = status === RESPONSE_STATUS.failure ? [] : documents.map(document => format(document));
  return (
    `<query:AdhocQueryResponse xmlns:query="${NAMESPACE.query}" xmlns:rs="${NAMESPACE.rs}" status="${status}">` +
    `${formatRegistryErrorList(errors)}${formatRegistryObjectList(objects)}</query:AdhocQueryResponse>`
  );
}
