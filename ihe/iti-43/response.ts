/**
 * ITI-43 Retrieve Document Set, response; RAD-69 answers with the same. Documents are parts beside the envelope
 * (soap/mtom.ts), named here by their Content-ID.
 * @see ITI TF-2 3.43.4.2, RAD TF-2 4.69.5
 */
import { NAMESPACE } from '../codes.ts';
import { formatRegistryResponse, statusOf } from '../ebxml/registry-error.ts';
import type { RegistryErrorEntry } from '../ebxml/registry-error.ts';
import { cidUrl } from '../soap/xop.ts';
import { escapeAttribute, escapeText } from '../xml/escape.ts';
import type { DocumentRequest } from './request.ts';

/** A document that the answer holds. */
export type RetrievedDocument = DocumentRequest & {
  readonly mimeType: string;
  /** Content-ID of its part, without angle brackets. */
  readonly contentId: string;
};

/**
 * Formats the body of an answer: Success, PartialSuccess when documents stand beside errors, Failure when there
 * is no document. The location of each error is the documentUniqueId that it is about.
 */
export function formatRetrieveDocumentSetResponse(
  documents: readonly RetrievedDocument[],
  errors: readonly RegistryErrorEntry[] = [],
): string {
  const response = formatRegistryResponse(statusOf(errors, documents.length > 0), errors);
  return (
    `<xdsb:RetrieveDocumentSetResponse xmlns:xdsb="${NAMESPACE.xdsb}" xmlns:xop="${NAMESPACE.xop}">` +
    `${response}${documents.map(formatDocument).join('')}</xdsb:RetrieveDocumentSetResponse>`
  );
}

function formatDocument(document: RetrievedDocument): string {
  const { homeCommunityId, repositoryUniqueId, documentUniqueId, mimeType, contentId } = document;
  return (
    '<xdsb:DocumentResponse>' +
    (homeCommunityId === undefined ? '' : element('HomeCommunityId', homeCommunityId)) +
    element('RepositoryUniqueId', repositoryUniqueId) +
    element('DocumentUniqueId', documentUniqueId) +
    element('mimeType', mimeType) +
    `<xdsb:Document><xop:Include href="${escapeAttribute(cidUrl(contentId))}"/></xdsb:Document>` +
    '</xdsb:DocumentResponse>'
  );
}

function element(name: string, text: string): string {
  return `<xdsb:${name}>${escapeText(text)}</xdsb:${name}>`;
}
