/** WADO-RS Retrieve Metadata: the DICOM JSON of each instance, as it was made on reception. @see DICOM PS3.18 10.4.1.1.2 */
import { pipeline, Readable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import type { RouterContext } from '@koa/router';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import type { GrantedInstances, retrieveInstances } from '../../flows/retrieve-instances.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { sendPieces } from '../http/send-pieces.ts';
import type { Identify } from '../http/visit.ts';
import { acceptedBy, requireDicomJson } from './accept.ts';
import { requestedInstances } from './requested-instances.ts';

/** What the endpoint needs. */
export type RetrieveMetadataDeps = {
  readonly identify: Identify;
  readonly retrieveInstances: ReturnType<typeof retrieveInstances>;
  readonly images: ImageStore;
  readonly baseUrl: () => string;
};

/** Answers the metadata of a study, series or instance as one JSON array. */
export function retrieveMetadata(deps: RetrieveMetadataDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const visit = await deps.identify(ctx, deps.baseUrl());
    requireDicomJson(acceptedBy(ctx));
    const rows = await deps.retrieveInstances(visit, { ...requestedInstances(ctx.params), passage: 'wado-metadata', metadataAsBytes: true });
    ctx.set('Content-Type', MEDIA_TYPE.dicomJson);
    ctx.vary('Accept-Encoding');
    const isZipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    if (isZipped) ctx.set('Content-Encoding', 'gzip');
    const json = formatMetadata(rows);
    await sendPieces(ctx, { images: deps.images, pieces: isZipped ? zipped(json) : json, decideAgain: rows.decideAgain });
  };
}

async function* formatMetadata(rows: GrantedInstances): AsyncGenerator<Uint8Array> {
  let before = OPENING;
  for await (const { metadataBytes = NONE } of rows) {
    yield before;
    yield metadataBytes;
    before = COMMA;
  }
  yield before === OPENING ? Buffer.from('[]') : CLOSING;
}

/** Headers of a series are alike: the fastest level makes them twenty times smaller. */
function zipped(json: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // The consumer sees the error: it reads the last stream of the pipeline.
  return pipeline(Readable.from(json), createGzip({ level: constants.Z_BEST_SPEED }), () => undefined);
}

const OPENING = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSING = Buffer.from(']');
const NONE = new Uint8Array();
