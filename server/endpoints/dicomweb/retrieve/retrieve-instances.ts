/**
 * WADO-RS Retrieve (RAD-107) of a study, a series or an instance: the files as they were received, streamed. A transfer
 * syntax that the client names must be the one that is stored, or Explicit VR Little Endian, which every instance is
 * written in when it is asked for.
 * @see DICOM PS3.18 section 10.4
 */
import type { RouterContext } from '@koa/router';
import { DICOM_UID, MEDIA_TYPE } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type { Pieces } from '../../../flows/retrieve/bulk-bytes.ts';
import type { GrantedInstances, retrieveInstances } from '../../../flows/retrieve/retrieve-instances.ts';
import type { ShownInstance } from '../../../ports/record-store.ts';
import type { ImageStore, Piece } from '../../../ports/image-store.ts';
import { sendPieces } from '../../http/send-pieces.ts';
import type { Identify } from '../../http/visit.ts';
import { acceptedBy, asNotAcceptable, instanceFormats, notAcceptable, type InstanceFormat } from '../accept.ts';
import { formatRelated, formatRelatedType, newBoundary, type RelatedPart } from '../multipart.ts';
import { requestedInstances } from './requested-instances.ts';

/** What the endpoint needs. */
export type RetrieveInstancesDeps = {
  readonly identify: Identify;
  readonly retrieveInstances: ReturnType<typeof retrieveInstances>;
  readonly transcode: (row: ShownInstance) => Promise<AsyncIterable<Piece>>;
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
    const send = format.isTranscoded ? transcodedBy(deps.transcode) : asStored;
    if (format.form === 'single') await answerOne(ctx, deps.images, rows, send, baseUrl);
    else await answerAll(ctx, deps.images, rows, send, baseUrl);
  };
}

type ChosenFormat = Pick<InstanceFormat, 'form'> & { readonly isTranscoded: boolean };

/** One instance as it is sent: its length where it is known beforehand. */
type SentInstance = { readonly contentType: string; readonly length?: number; readonly pieces: Pieces };
type Send = (row: ShownInstance) => Promise<SentInstance>;

/** The first format that every instance has or can have. Rows are read through where a transfer syntax is named. */
async function chooseFormat(
  formats: readonly InstanceFormat[],
  rows: AsyncIterable<ShownInstance>,
): Promise<ChosenFormat> {
  const [first] = formats;
  if (first !== undefined && first.transferSyntaxUID === undefined) return { form: first.form, isTranscoded: false };
  const stored = new Set<string>();
  for await (const { transferSyntaxUID } of rows) stored.add(transferSyntaxUID);
  for (const { form, transferSyntaxUID: uid } of formats) {
    if (uid === undefined || (stored.size === 1 && stored.has(uid))) return { form, isTranscoded: false };
    if (uid === DICOM_UID.explicitLittleEndian) return { form, isTranscoded: true };
  }
  throw notAcceptable(`The instances are sent as they are stored, or all in ${DICOM_UID.explicitLittleEndian}`);
}

async function asStored(row: ShownInstance): Promise<SentInstance> {
  const { name, size } = row.blob;
  return {
    contentType: contentTypeOf(row.transferSyntaxUID),
    length: size,
    pieces: [{ name, start: 0, end: size }],
  };
}

function transcodedBy(transcode: RetrieveInstancesDeps['transcode']): Send {
  return async (row) => {
    if (row.transferSyntaxUID === DICOM_UID.explicitLittleEndian) return await asStored(row);
    const pieces = await transcode(row).catch(asNotAcceptable);
    return { contentType: contentTypeOf(DICOM_UID.explicitLittleEndian), pieces };
  };
}

async function answerOne(
  ctx: RouterContext,
  images: ImageStore,
  rows: GrantedInstances,
  send: Send,
  baseUrl: string,
): Promise<void> {
  for await (const row of rows) {
    const { contentType, length, pieces } = await send(row);
    ctx.set({ 'Content-Type': contentType, 'Content-Location': locationOf(row, baseUrl) });
    if (length !== undefined) ctx.length = length;
    return await sendPieces(ctx, { images, pieces, decideAgain: rows.decideAgain });
  }
  throw new Fault('not-found', 'No such study, series or instance');
}

async function answerAll(
  ctx: RouterContext,
  images: ImageStore,
  rows: GrantedInstances,
  send: Send,
  baseUrl: string,
): Promise<void> {
  const boundary = newBoundary();
  ctx.set('Content-Type', formatRelatedType(MEDIA_TYPE.dicom, boundary));
  await sendPieces(ctx, {
    images,
    pieces: formatRelated(boundary, partsOf(rows, send, baseUrl)),
    decideAgain: rows.decideAgain,
  });
}

async function* partsOf(rows: AsyncIterable<ShownInstance>, send: Send, baseUrl: string): AsyncGenerator<RelatedPart> {
  for await (const row of rows) {
    const { contentType, pieces } = await send(row);
    yield { contentType, contentLocation: locationOf(row, baseUrl), pieces };
  }
}

function locationOf({ studyInstanceUID, seriesInstanceUID, sopInstanceUID }: ShownInstance, baseUrl: string): string {
  return `${baseUrl}/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
}

function contentTypeOf(transferSyntaxUID: string): string {
  return `${MEDIA_TYPE.dicom}; transfer-syntax=${transferSyntaxUID}`;
}
