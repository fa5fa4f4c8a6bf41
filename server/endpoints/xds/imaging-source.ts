/**
 * RAD-69 Retrieve Imaging Document Set: instances as they were received, in a transfer syntax that the caller lists.
 * There is no transcoding.
 * @see RAD TF-2 4.69
 */
import type { Readable } from 'node:stream';
import { ACTION, XDS_ERROR } from '../../../ihe/codes.ts';
import { toRegistryError } from '../../../ihe/ebxml/registry-error.ts';
import {
  parseRetrieveImagingDocumentSetRequest,
  type ImagingDocumentRequest,
  type RetrieveImagingDocumentSetRequest,
} from '../../../ihe/rad-69/request.ts';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { isUID } from '../../../profiles/dicom/uid.ts';
import { Fault, toFault } from '../../../profiles/fault.ts';
import type { Visit } from '../../flows/guard.ts';
import {
  openInstance,
  type GrantedInstances,
  type retrieveInstances,
} from '../../flows/retrieve/retrieve-instances.ts';
import type { ShownInstance } from '../../ports/record-store.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { answerDocuments, failDocuments, type Prepared, type PreparedDocument } from './document-set.ts';
import { InstanceReading } from './instance-reading.ts';
import { isOfOneDocument, unknownRepository } from './repository.ts';
import { newContentId, type SoapTransaction } from './soap-endpoint.ts';

/** What the transaction needs. */
export type ImagingSourceDeps = {
  readonly repositoryUniqueId: string;
  readonly retrieveInstances: ReturnType<typeof retrieveInstances>;
  readonly images: ImageStore;
};

/** Makes the transaction: one passage a study; what may not be seen is unknown. */
export function retrieveImagingDocumentSet(
  deps: ImagingSourceDeps,
): SoapTransaction<RetrieveImagingDocumentSetRequest> {
  return {
    name: 'RAD-69',
    scope: { type: 'ImagingStudy', action: 'r' },
    action: ACTION.retrieveImagingDocumentSet,
    responseAction: ACTION.retrieveDocumentSetResponse,
    parse: parseRetrieveImagingDocumentSetRequest,
    run: async (visit, request) => answerDocuments(await prepareAll(deps, visit, request)),
    fail: failDocuments,
  };
}

async function prepareAll(
  deps: ImagingSourceDeps,
  visit: Visit,
  request: RetrieveImagingDocumentSetRequest,
): Promise<readonly Prepared[]> {
  const prepared: Prepared[] = [];
  const isHere = ({ repositoryUniqueId }: ImagingDocumentRequest): boolean =>
    repositoryUniqueId === deps.repositoryUniqueId;
  for (const [studyInstanceUID, documents] of Map.groupBy(
    request.documents.filter(isHere),
    (document) => document.studyInstanceUID,
  )) {
    prepared.push(
      ...(await prepareStudy(deps, visit, { studyInstanceUID, documents, syntaxes: request.transferSyntaxUIDs })),
    );
  }
  const elsewhere = request.documents.filter((document) => !isHere(document));
  return [...prepared, ...elsewhere.map(({ documentUniqueId }) => unknownRepository(documentUniqueId))];
}

/** Documents of one study, and the transfer syntaxes in which they may be sent. */
type StudyDocuments = {
  readonly studyInstanceUID: string;
  readonly documents: readonly ImagingDocumentRequest[];
  readonly syntaxes: readonly string[];
};

async function prepareStudy(
  deps: ImagingSourceDeps,
  visit: Visit,
  study: StudyDocuments,
): Promise<readonly Prepared[]> {
  const asked = new Map(study.documents.map((document) => [document.documentUniqueId, document]));
  try {
    const rows = await findRows(deps, visit, study.studyInstanceUID, [...asked.keys()]);
    const stored = new Map<string, ShownInstance>();
    for await (const row of rows) stored.set(row.sopInstanceUID, row);
    // Parts are read again in the order of the rows, under what holds when their turn comes.
    const reading = new InstanceReading(rows);
    const order = new Set([...stored.keys(), ...asked.keys()]);
    return [...order].flatMap((uid) => {
      const document = asked.get(uid);
      if (document === undefined) return [];
      const refusal = refusalOf(document, stored.get(uid), study.syntaxes);
      return [
        refusal === undefined
          ? prepare(deps.images, rows, reading, document)
          : toRegistryError(refusal, 'repository', uid),
      ];
    });
  } catch (error) {
    const fault = toFault(error);
    if (!isOfOneDocument(fault)) throw error;
    return [...asked.keys()].map((uid) => toRegistryError(fault, 'repository', uid));
  }
}

async function findRows(
  { retrieveInstances }: ImagingSourceDeps,
  visit: Visit,
  studyInstanceUID: string,
  uids: readonly string[],
): Promise<GrantedInstances> {
  const sopInstanceUIDs = uids.filter(isUID);
  if (!isUID(studyInstanceUID) || sopInstanceUIDs.length === 0) throw unknownInstance();
  return await retrieveInstances(visit, { studyInstanceUID, sopInstanceUIDs, passage: 'rad-69', omitMetadata: true });
}

function refusalOf(
  { seriesInstanceUID }: ImagingDocumentRequest,
  row: ShownInstance | undefined,
  syntaxes: readonly string[],
): Fault | undefined {
  if (row === undefined || row.seriesInstanceUID !== seriesInstanceUID) return unknownInstance();
  if (syntaxes.includes(row.transferSyntaxUID)) return undefined;
  const detail = { protocolCode: XDS_ERROR.repositoryError };
  return new Fault(
    'not-supported',
    `The instance is stored in the transfer syntax ${row.transferSyntaxUID}, which is not listed`,
    detail,
  );
}

function unknownInstance(): Fault {
  return new Fault('not-found', 'No such study, series or instance');
}

function prepare(
  images: ImageStore,
  granted: GrantedInstances,
  reading: InstanceReading,
  request: ImagingDocumentRequest,
): PreparedDocument {
  const { repositoryUniqueId, documentUniqueId, homeCommunityId } = request;
  const names = { repositoryUniqueId, documentUniqueId, ...(homeCommunityId === undefined ? {} : { homeCommunityId }) };
  const open = async (): Promise<Readable> => {
    const row = await reading.find(documentUniqueId);
    if (row === undefined) throw new Fault('not-found', 'The instance is not there any more');
    return await openInstance(images, granted, row);
  };
  return { document: { ...names, mimeType: MEDIA_TYPE.dicom, contentId: newContentId() }, open };
}
