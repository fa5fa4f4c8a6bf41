/**
 * WADO-RS Retrieve Metadata: the DICOM JSON of each instance, as it was made on reception. @see DICOM PS3.18 10.4.1.1.2
 */
import type { RouterContext } from '@koa/router';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import type { retrieveMetadata } from '../../../flows/retrieve/retrieve-metadata.ts';
import type { ImageStore, SpentBytes } from '../../../ports/image-store.ts';
import { sendPieces } from '../../http/send-pieces.ts';
import type { Identify } from '../../http/visit.ts';
import { acceptedBy, requireDicomJson } from '../accept.ts';
import { requestedInstances } from './requested-instances.ts';
import { zipped } from '../zipped.ts';

/** What the endpoint needs. */
export type RetrieveMetadataDeps = {
  readonly identify: Identify;
  readonly retrieveMetadata: ReturnType<typeof retrieveMetadata>;
  readonly images: ImageStore;
  readonly baseUrl: () => string;
};

/** Answers the metadata of a study, series or instance as one JSON array. */
export function answerMetadata(deps: RetrieveMetadataDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const visit = await deps.identify(ctx, deps.baseUrl());
    requireDicomJson(acceptedBy(ctx));
    const { pages, decideAgain } = await deps.retrieveMetadata(visit, requestedInstances(ctx.params));
    ctx.set('Content-Type', MEDIA_TYPE.dicomJson);
    ctx.vary('Accept-Encoding');
    const isZipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    if (isZipped) ctx.set('Content-Encoding', 'gzip');
    const json = formatMetadata(pages());
    await sendPieces(ctx, { images: deps.images, pieces: isZipped ? zipped(json) : json, decideAgain });
  };
}

/**
 * A few hundred kilobytes at a time: a step for each of many small objects costs more than their bytes. They are not
 * joined here, for what lies outside the heap makes the collector go through all that lies in it.
 */
async function* formatMetadata(pages: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<SpentBytes> {
  let parts: Uint8Array[] = [];
  let [before, length] = [OPENING, 0];
  for await (const page of pages) {
    for (const json of page) {
      parts.push(before, json);
      [before, length] = [COMMA, length + json.length];
      if (length < PIECE_BYTES) continue;
      yield { spent: parts };
      [parts, length] = [[], 0];
    }
  }
  yield { spent: [...parts, CLOSING] };
}

/** Parts of one buffer, which no answer gives back. */
const MARKS = Buffer.from('[,]');
const OPENING = MARKS.subarray(0, 1);
const COMMA = MARKS.subarray(1, 2);
const CLOSING = MARKS.subarray(2, 3);
const PIECE_BYTES = 256 * 1024;
