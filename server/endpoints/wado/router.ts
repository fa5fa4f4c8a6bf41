/** WADO-URI under `/wado`: one object by query, as a picture or as it is stored. @see DICOM PS3.18 9, IHE RAD-55 */
import { Router } from '@koa/router';
import type { Context } from 'koa';
import { DICOM_UID, MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { retrieveInstances } from '../../flows/retrieve/retrieve-instances.ts';
import type { retrieveRendered } from '../../flows/retrieve/retrieve-rendered.ts';
import type { transcodeInstance } from '../../flows/study/transcode-instance.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { answerFaults } from '../http/outcome.ts';
import { answerPrivately } from '../http/private-answer.ts';
import { sendPieces } from '../http/send-pieces.ts';
import type { Identify } from '../http/visit.ts';
import { asNotAcceptable, notAcceptable } from '../dicomweb/accept.ts';
import { parseWadoQuery, WADO_TYPES, type WadoObject, type WadoRequest } from './wado-parameters.ts';

/** What the door needs. */
export type WadoDeps = {
  readonly identify: Identify;
  readonly retrieveInstances: ReturnType<typeof retrieveInstances>;
  readonly retrieveRendered: ReturnType<typeof retrieveRendered>;
  readonly transcode: ReturnType<typeof transcodeInstance>;
  readonly images: ImageStore;
  readonly baseUrl: () => string;
};

type WadoType = (typeof WADO_TYPES)[number];

/** Makes the router. */
export function wadoRouter(deps: WadoDeps): Router {
  const router = new Router();
  router.use('/wado', answerFaults, answerPrivately);
  router.get('/wado', async (ctx) => await answerObject(ctx, deps));
  return router;
}

async function answerObject(ctx: Context, deps: WadoDeps): Promise<void> {
  const visit = await deps.identify(ctx, deps.baseUrl());
  const request = parseWadoQuery(ctx.querystring);
  const type = chosenType(request);
  ctx.set('X-Content-Type-Options', 'nosniff');
  if (type === MEDIA_TYPE.dicom) return await answerFile(ctx, deps, visit, request);
  const frames = request.frame === undefined ? undefined : [request.frame];
  const options = { ...request.picture, mediaType: type };
  const { pictures } = await deps.retrieveRendered(visit, whichOf(request.object), options, frames);
  try {
    for await (const { picture } of pictures) {
      ctx.set('Content-Type', picture.mediaType);
      ctx.body = Buffer.from(picture.bytes.buffer, picture.bytes.byteOffset, picture.bytes.byteLength);
      return;
    }
  } catch (error) {
    asNotAcceptable(error);
  }
  throw new Fault('not-found', 'No such object');
}

/** The first type that is known; a picture where the request leaves it to the server. */
function chosenType({ contentTypes, transferSyntaxUID }: WadoRequest): WadoType {
  if (contentTypes.length === 0) return transferSyntaxUID === undefined ? MEDIA_TYPE.jpeg : MEDIA_TYPE.dicom;
  for (const asked of contentTypes) {
    const found = WADO_TYPES.find((type) => [type, `${type.split('/')[0]}/*`, '*/*'].includes(asked));
    if (found !== undefined) return found;
  }
  throw notAcceptable(`Objects are sent as ${WADO_TYPES.join(', ')}`);
}

async function answerFile(
  ctx: Context,
  { retrieveInstances, transcode, images }: WadoDeps,
  visit: Awaited<ReturnType<Identify>>,
  { object, transferSyntaxUID }: WadoRequest,
): Promise<void> {
  const rows = await retrieveInstances(visit, {
    ...whichOf(object),
    passage: 'wado',
    viewing: 'instances',
    omitMetadata: true,
  });
  for await (const row of rows) {
    const { name, size } = row.blob;
    const isStored = transferSyntaxUID === undefined || transferSyntaxUID === row.transferSyntaxUID;
    if (!isStored && transferSyntaxUID !== DICOM_UID.explicitLittleEndian)
      throw notAcceptable(`The object is sent as it is stored, or in ${DICOM_UID.explicitLittleEndian}`);
    ctx.set('Content-Type', MEDIA_TYPE.dicom);
    if (isStored) ctx.length = size;
    const pieces = isStored ? [{ name, start: 0, end: size }] : await transcode(row).catch(asNotAcceptable);
    return await sendPieces(ctx, { images, pieces, decideAgain: rows.decideAgain });
  }
  throw new Fault('not-found', 'No such object');
}

function whichOf({ studyInstanceUID, seriesInstanceUID, sopInstanceUID }: WadoObject) {
  return { studyInstanceUID, seriesInstanceUID, sopInstanceUIDs: [sopInstanceUID] };
}
