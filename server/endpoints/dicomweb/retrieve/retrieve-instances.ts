/**
 * WADO-RS Retrieve (RAD-107) of a study, a series or an instance: the files as they were received, streamed. There is
 * no transcoding: a transfer syntax that the client names must be the one that is stored.
 * @see DICOM PS3.18 section 10.4
 */
import type { RouterContext } from '@koa/router';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type { GrantedInstances, retrieveInstances } from '../../../flows/read/retrieve-instances.ts';
import type { ShownInstance } from '../../../ports/record-store.ts';
import type { ImageStore, Piece } from '../../../ports/image-store.ts';
import { sendPieces } from '../../http/send-pieces.ts';
import type { Identify } from '../../http/visit.ts';
import { acceptedBy, instanceFormats, notAcceptable, type InstanceFormat } from '../accept.ts';
import { formatRelated, formatRelatedType, newBoundary, type RelatedPart } from '../multipart.ts';
import { requestedInstances } from './requested-instances.ts';

/** What the endpoint needs. */
export type RetrieveInstancesDeps = {
  readonly identify: Identify;
  readonly retrieveInstances: ReturnType<typeof retrieveInstances>;
  readonly images: ImageStore;
  readonly baseUrl: () => string;
};

/** Answers instances; when they are withdrawn meanwhile the connection is destroyed, so that no part passes for all. */
export function answerInstances(deps: RetrieveInstancesDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    const asked = requestedInstances(ctx.params);
    const formats = instanceFormats(acceptedBy(ctx), asked.sopInstanceUIDs !== undefined);
    const viewing = asked.sopInstanceUIDs === undefined ? {} : ({ viewing: 'instances' } as const);
    const rows = await deps.retrieveInstances(visit, { ...asked, ...viewing, passage: 'wado', omitMetadata: true });
    const format = await chooseFormat(formats, rows);
    if (format.form === 'single') await answerOne(ctx, deps.images, rows, baseUrl);
    else await answerAll(ctx, deps.images, rows, baseUrl);
  };
}

/** The first format that every instance has. Rows are read through only where a transfer syntax is named. */
async function chooseFormat(
  formats: readonly InstanceFormat[],
  rows: AsyncIterable<ShownInstance>,
): Promise<InstanceFormat> {
  const [first] = formats;
  if (first !== undefined && first.transferSyntaxUID === undefined) return first;
  const stored = new Set<string>();
  for await (const { transferSyntaxUID } of rows) stored.add(transferSyntaxUID);
  const chosen = formats.find(
    ({ transferSyntaxUID: uid }) => uid === undefined || (stored.size === 1 && stored.has(uid)),
  );
  if (chosen === undefined) throw notAcceptable('The instances are not stored in a transfer syntax that is accepted');
  return chosen;
}

async function answerOne(
  ctx: RouterContext,
  images: ImageStore,
  rows: GrantedInstances,
  baseUrl: string,
): Promise<void> {
  for await (const row of rows) {
    ctx.set({ 'Content-Type': contentTypeOf(row), 'Content-Location': locationOf(row, baseUrl) });
    ctx.length = row.blob.size;
    return await sendPieces(ctx, { images, pieces: [fileOf(row)], decideAgain: rows.decideAgain });
  }
  throw new Fault('not-found', 'No such study, series or instance');
}

async function answerAll(
  ctx: RouterContext,
  images: ImageStore,
  rows: GrantedInstances,
  baseUrl: string,
): Promise<void> {
  const boundary = newBoundary();
  ctx.set('Content-Type', formatRelatedType(MEDIA_TYPE.dicom, boundary));
  await sendPieces(ctx, {
    images,
    pieces: formatRelated(boundary, partsOf(rows, baseUrl)),
    decideAgain: rows.decideAgain,
  });
}

async function* partsOf(rows: AsyncIterable<ShownInstance>, baseUrl: string): AsyncGenerator<RelatedPart> {
  for await (const row of rows) {
    yield {
      contentType: contentTypeOf(row),
      contentLocation: locationOf(row, baseUrl),
      pieces: [fileOf(row)],
    };
  }
}

function locationOf({ studyInstanceUID, seriesInstanceUID, sopInstanceUID }: ShownInstance, baseUrl: string): string {
  return `${baseUrl}/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
}

function fileOf({ blob }: ShownInstance): Piece {
  return { name: blob.name, start: 0, end: blob.size };
}

function contentTypeOf({ transferSyntaxUID }: ShownInstance): string {
  return `${MEDIA_TYPE.dicom}; transfer-syntax=${transferSyntaxUID}`;
}
