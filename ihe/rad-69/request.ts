/**
 * RAD-69 Retrieve Imaging Document Set, request. Its answer is that of ITI-43.
 * @see RAD TF-2 4.69.4
 */
import type { XmlElement } from 'libxml2-wasm';
import { Fault } from '../../profiles/fault.ts';
import { XDS_ERROR } from '../codes.ts';
import { readDocumentRequest } from '../iti-43/request.ts';
import type { DocumentRequest } from '../iti-43/request.ts';
import { checkBody } from '../soap/envelope.ts';
import { attributeOf, childrenNamed, textOf } from '../xml/select.ts';

/** One instance asked for: its documentUniqueId is the SOP Instance UID. */
export type ImagingDocumentRequest = DocumentRequest & {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
};

/** A whole request: instances in order, and the transfer syntaxes that the caller reads, at least one. */
export type RetrieveImagingDocumentSetRequest = {
  readonly documents: readonly ImagingDocumentRequest[];
  readonly transferSyntaxUIDs: readonly string[];
};

const MAX_DOCUMENTS = 10_000;

/**
 * Reads the body of a RAD-69 request. A DocumentRequest lies in the namespace of XDS.b, inside elements of XDS-I.b.
 * @throws {Fault} invalid - the body is another element (a SOAP fault)
 * @throws {Fault} required - an empty study or series UID, or no instance (XDSIRequestError); an empty transfer
 *   syntax or none (XDSRepositoryError); an instance without repository or UID, see ITI-43
 * @throws {Fault} too-costly - more than 10,000 instances
 */
export function parseRetrieveImagingDocumentSetRequest(body: XmlElement): RetrieveImagingDocumentSetRequest {
  checkBody(body, 'rad', 'RetrieveImagingDocumentSetRequest');
  const documents = childrenNamed(body, 'rad', 'StudyRequest').flatMap(readStudyRequest);
  if (documents.length === 0) throw requestError('The request names no instance', 'DocumentRequest');
  if (documents.length > MAX_DOCUMENTS) {
    throw new Fault('too-costly', `A request may name ${MAX_DOCUMENTS} instances`);
  }
  return { documents, transferSyntaxUIDs: readTransferSyntaxes(body) };
}

function readStudyRequest(study: XmlElement): ImagingDocumentRequest[] {
  const studyInstanceUID = uidOf(study, 'studyInstanceUID');
  return childrenNamed(study, 'rad', 'SeriesRequest').flatMap(series => {
    const seriesInstanceUID = uidOf(series, 'seriesInstanceUID');
    return childrenNamed(series, 'xdsb', 'DocumentRequest').map(request => ({
      studyInstanceUID,
      seriesInstanceUID,
      ...readDocumentRequest(request),
    }));
  });
}

function uidOf(element: XmlElement, name: string): string {
  const uid = attributeOf(element, name);
  if (uid === undefined) throw requestError(`The ${name} is empty`, name);
  return uid;
}

function readTransferSyntaxes(body: XmlElement): string[] {
  const listed = childrenNamed(body, 'rad', 'TransferSyntaxUIDList')
    .flatMap(list => childrenNamed(list, 'rad', 'TransferSyntaxUID'))
    .map(textOf);
  const uids = listed.filter(uid => uid !== undefined);
  if (uids.length === 0 || uids.length < listed.length) {
    throw new Fault('required', 'Every TransferSyntaxUID must be filled, and one be given', {
      expression: 'TransferSyntaxUID',
      protocolCode: XDS_ERROR.repositoryError,
    });
  }
  return uids;
}

function requestError(message: string, expression: string): Fault {
  return new Fault('required', message, { expression, protocolCode: XDS_ERROR.imagingRequestError });
}
