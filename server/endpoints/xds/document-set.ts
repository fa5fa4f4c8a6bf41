/** The answer of ITI-43 and RAD-69: documents beside errors, as an MTOM package. */
import type { Readable } from 'node:stream';
import { toRegistryError, type RegistryErrorEntry } from '../../../ihe/ebxml/registry-error.ts';
import { formatRetrieveDocumentSetResponse, type RetrievedDocument } from '../../../ihe/iti-43/response.ts';
import type { MtomPart } from '../../../ihe/soap/mtom.ts';
import type { Fault } from '../../../profiles/fault.ts';
import type { SoapAnswer } from './soap-endpoint.ts';

/** A document that the answer names, and how its bytes are opened when its turn comes. */
export type PreparedDocument = { readonly document: RetrievedDocument; readonly open: () => Promise<Readable> };

/** A document, or why it is not returned. */
export type Prepared = PreparedDocument | RegistryErrorEntry;

/** Answers what was prepared, in its order. */
export function answerDocuments(prepared: readonly Prepared[]): SoapAnswer {
  const documents = prepared.filter((one): one is PreparedDocument => 'document' in one);
  const errors = prepared.filter((one): one is RegistryErrorEntry => !('document' in one));
  const body = formatRetrieveDocumentSetResponse(documents.map(({ document }) => document), errors);
  return { body, parts: documents.map(toPart) };
}

/** Answers a request of which nothing can be returned. */
export function failDocuments(fault: Fault): SoapAnswer {
  return { body: formatRetrieveDocumentSetResponse([], [toRegistryError(fault, 'repository')]), parts: [] };
}

function toPart({ document, open }: PreparedDocument): MtomPart {
  return { contentId: document.contentId, contentType: document.mimeType, stream: () => bytesOf(open) };
}

async function* bytesOf(open: () => Promise<Readable>): AsyncGenerator<Uint8Array> {
  yield* await open();
}
