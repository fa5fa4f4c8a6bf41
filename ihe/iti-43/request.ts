/** ITI-43 Retrieve Document Set, request. @see ITI TF-2 3.43.4.1 */
import type { XmlElement } from 'libxml2-wasm';
import { Fault } from '../../profiles/fault.ts';
import { XDS_ERROR } from '../codes.ts';
import { checkBody } from '../soap/envelope.ts';
import { toHomeCommunityId } from '../ebxml/home-community-id.ts';
import { childText, childrenNamed } from '../xml/select.ts';

/** One document asked for, by its identifiers of XDS. */
export type DocumentRequest = {
  readonly repositoryUniqueId: string;
  readonly documentUniqueId: string;
  /** `urn:oid:…`. */
  readonly homeCommunityId?: string;
};

const MAX_DOCUMENTS = 1_000;

/**
 * Reads the body of an ITI-43 request.
 * @throws {Fault} invalid - the body is another element (a SOAP fault)
 * @throws {Fault} required - no document, or one without repository (XDSUnknownRepositoryId) or uniqueId
 *   (XDSDocumentUniqueIdError)
 * @throws {Fault} too-costly - more than 1,000 documents
 */
export function parseRetrieveDocumentSetRequest(body: XmlElement): DocumentRequest[] {
  checkBody(body, 'xdsb', 'RetrieveDocumentSetRequest');
  const requests = childrenNamed(body, 'xdsb', 'DocumentRequest');
  if (requests.length === 0) throw new Fault('required', 'The request names no document');
  if (requests.length > MAX_DOCUMENTS) {
    throw new Fault('too-costly', `A request may name ${MAX_DOCUMENTS} documents`);
  }
  return requests.map(readDocumentRequest);
}

/**
 * Reads one xdsb:DocumentRequest, the element that ITI-43 and RAD-69 share.
 * @throws {Fault} required - no repository (XDSUnknownRepositoryId) or no uniqueId (XDSDocumentUniqueIdError)
 */
export function readDocumentRequest(request: XmlElement): DocumentRequest {
  const repositoryUniqueId = childText(request, 'xdsb', 'RepositoryUniqueId');
  const documentUniqueId = childText(request, 'xdsb', 'DocumentUniqueId');
  const homeCommunityId = toHomeCommunityId(childText(request, 'xdsb', 'HomeCommunityId'));
  if (repositoryUniqueId === undefined) throw missing('RepositoryUniqueId', XDS_ERROR.unknownRepositoryId);
  if (documentUniqueId === undefined) throw missing('DocumentUniqueId', XDS_ERROR.documentUniqueIdError);
  return { repositoryUniqueId, documentUniqueId, ...(homeCommunityId === undefined ? {} : { homeCommunityId }) };
}

function missing(expression: string, protocolCode: string): Fault {
  return new Fault('required', `A DocumentRequest needs a ${expression}`, { expression, protocolCode });
}
