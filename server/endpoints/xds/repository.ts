/** ITI-43 Retrieve Document Set. @see ITI TF-2 3.43 */
import { ACTION, XDS_ERROR } from '../../../ihe/codes.ts';
import { toRegistryError, type RegistryErrorEntry } from '../../../ihe/ebxml/registry-error.ts';
import { parseRetrieveDocumentSetRequest, type DocumentRequest } from '../../../ihe/iti-43/request.ts';
import { Fault, toFault } from '../../../profiles/fault.ts';
import type { Visit } from '../../flows/guard.ts';
import type { retrieveDocumentOfSet } from '../../flows/read/retrieve-document-set.ts';
import { answerDocuments, failDocuments, type Prepared } from './document-set.ts';
import { newContentId, type SoapTransaction } from './soap-endpoint.ts';

/** What the transaction needs. */
export type RepositoryDeps = {
  readonly repositoryUniqueId: string;
  readonly retrieveDocumentOfSet: ReturnType<typeof retrieveDocumentOfSet>;
};

/** Makes the transaction. What may not be seen is unknown: one error for each such document, beside those that may. */
export function retrieveDocumentSet(deps: RepositoryDeps): SoapTransaction<readonly DocumentRequest[]> {
  return {
    name: 'ITI-43',
    scope: { type: 'DocumentReference', action: 'r' },
    action: ACTION.retrieveDocumentSet,
    responseAction: ACTION.retrieveDocumentSetResponse,
    parse: parseRetrieveDocumentSetRequest,
    run: async (visit, requests) => answerDocuments(await prepareAll(deps, visit, requests)),
    fail: failDocuments,
  };
}

async function prepareAll(
  deps: RepositoryDeps,
  visit: Visit,
  requests: readonly DocumentRequest[],
): Promise<readonly Prepared[]> {
  const prepared: Prepared[] = [];
  for (const request of requests) prepared.push(await prepare(deps, visit, request));
  return prepared;
}

async function prepare(deps: RepositoryDeps, visit: Visit, request: DocumentRequest): Promise<Prepared> {
  const location = request.documentUniqueId;
  if (request.repositoryUniqueId !== deps.repositoryUniqueId) return unknownRepository(location);
  try {
    const { contentType, open } = await deps.retrieveDocumentOfSet(visit, request.documentUniqueId);
    return { document: { ...request, mimeType: contentType, contentId: newContentId() }, open };
  } catch (error) {
    const fault = toFault(error);
    if (!isOfOneDocument(fault)) throw error;
    return toRegistryError(fault, 'repository', location);
  }
}

/** Whether a refusal is about the document that was asked for; any other one fails the whole request. */
export function isOfOneDocument({ kind }: Fault): boolean {
  return kind === 'not-found' || kind === 'forbidden';
}

/** The error of a document that is asked of another repository. */
export function unknownRepository(documentUniqueId: string): RegistryErrorEntry {
  const detail = { protocolCode: XDS_ERROR.unknownRepositoryId };
  return toRegistryError(
    new Fault('not-found', 'The repository is not the one of this address', detail),
    'repository',
    documentUniqueId,
  );
}
