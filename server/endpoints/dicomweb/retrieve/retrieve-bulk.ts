/**
 * WADO-RS Retrieve Frames and Bulk Data: pixels as they are stored, uncompressed ones little endian, or decoded for who
 * asks for Explicit VR Little Endian. @see DICOM PS3.18 10.4.1
 */
import type { RouterContext } from '@koa/router';
import { isUID } from '../../../../profiles/dicom/uid.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type { BulkBytes } from '../../../flows/retrieve/bulk-bytes.ts';
import type {
  FoundBulk,
  InstancePlace,
  retrieveBulkData,
  retrieveFrames,
} from '../../../flows/retrieve/retrieve-bulk.ts';
import type { ImageStore } from '../../../ports/image-store.ts';
import { sendPieces } from '../../http/send-pieces.ts';
import type { Identify } from '../../http/visit.ts';
import { acceptedBy, asNotAcceptable, notAcceptable } from '../accept.ts';
import { chooseBulkFormat, contentTypeOf, type BulkFormat } from './bulk-format.ts';
import { parseFrameList } from './frame-list.ts';
import { formatRelated, formatRelatedType, newBoundary, type RelatedPart } from '../multipart.ts';

/** What the endpoints need. */
export type RetrieveBulkDeps = {
  readonly identify: Identify;
  readonly retrieveFrames: ReturnType<typeof retrieveFrames>;
  readonly retrieveBulkData: ReturnType<typeof retrieveBulkData>;
  readonly images: ImageStore;
  readonly baseUrl: () => string;
};

const MAX_PATH_PARTS = 32;

/** Answers the frames of a list, in its order. */
export function answerFrames(deps: RetrieveBulkDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    const place = placeOf(ctx.params);
    const numbers = parseFrameList(ctx.params['frames'] ?? '');
    const found = await deps.retrieveFrames(visit, place, numbers).catch(asUntold);
    await answer(ctx, deps.images, found, (at) => `${locationOf(baseUrl, found)}/frames/${numbers[at]}`);
  };
}

/** Answers a value by the path that metadata give it in BulkDataURI. */
export function answerBulkData(deps: RetrieveBulkDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    const path = [ctx.params['path'] ?? ''].flat().join('/').split('/');
    if (path.length > MAX_PATH_PARTS) throw new Fault('not-found', 'The instance has no such value');
    const found = await deps.retrieveBulkData(visit, placeOf(ctx.params), path).catch(asUntold);
    await answer(ctx, deps.images, found, () => `${locationOf(baseUrl, found)}/bulkdata/${path.join('/')}`);
  };
}

function placeOf({ study = '', series, instance = '' }: Readonly<Record<string, string | undefined>>): InstancePlace {
  if (![study, series ?? study, instance].every(isUID))
    throw new Fault('not-found', 'No such study, series or instance');
  return {
    studyInstanceUID: study,
    ...(series === undefined ? {} : { seriesInstanceUID: series }),
    sopInstanceUID: instance,
  };
}

/** Frames that cannot be told apart have no representation that could be accepted. */
function asUntold(error: unknown): never {
  throw error instanceof Fault && error.kind === 'not-supported' ? notAcceptable(error.message) : error;
}

async function answer(
  ctx: RouterContext,
  images: ImageStore,
  found: FoundBulk,
  locationAt: (at: number) => string,
): Promise<void> {
  const format = chooseBulkFormat(acceptedBy(ctx), found);
  // What a peer stored is never a page of this origin, whatever it claims to be.
  ctx.set({ 'X-Content-Type-Options': 'nosniff', 'Content-Security-Policy': "sandbox; default-src 'none'" });
  if (format.form === 'single') return await answerOne(ctx, images, found, format, locationAt(0));
  const boundary = newBoundary();
  ctx.set('Content-Type', formatRelatedType(format.mediaType, boundary));
  const pieces = formatRelated(boundary, partsOf(partsIn(found, format), contentTypeOf(format), locationAt));
  await sendPieces(ctx, { images, pieces, decideAgain: found.decideAgain });
}

async function answerOne(
  ctx: RouterContext,
  images: ImageStore,
  found: FoundBulk,
  format: BulkFormat,
  location: string,
): Promise<void> {
  for await (const { length, pieces } of partsIn(found, format)) {
    ctx.set({
      'Content-Type': contentTypeOf(format),
      'Content-Location': location,
      'Content-Disposition': 'attachment',
    });
    ctx.length = length;
    return await sendPieces(ctx, { images, pieces: pieces(), decideAgain: found.decideAgain });
  }
}

/** What is decoded for an answer is told of as a refusal when it cannot be. */
async function* partsIn({ parts, uncompressed }: FoundBulk, { isUncompressed }: BulkFormat): AsyncGenerator<BulkBytes> {
  try {
    yield* isUncompressed && uncompressed !== undefined ? uncompressed : parts;
  } catch (error) {
    asNotAcceptable(error);
  }
}

async function* partsOf(
  parts: FoundBulk['parts'],
  contentType: string,
  locationAt: (at: number) => string,
): AsyncGenerator<RelatedPart> {
  let at = 0;
  for await (const { pieces } of parts) {
    yield { contentType, contentLocation: locationAt(at), pieces: pieces() };
    at += 1;
  }
}

function locationOf(baseUrl: string, { row }: FoundBulk): string {
  return `${baseUrl}/studies/${row.studyInstanceUID}/series/${row.seriesInstanceUID}/instances/${row.sopInstanceUID}`;
}
