/**
 * WADO-RS Retrieve Rendered and Thumbnail: pictures of a study, series, instance or frame; a document as a page or PDF.
 * @see DICOM PS3.18 10.4.1
 */
import type { RouterContext } from '@koa/router';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type {
  GrantedPictures,
  retrieveRendered,
  retrieveThumbnail,
  ShownPicture,
} from '../../../flows/retrieve/retrieve-rendered.ts';
import type { retrieveRenderedInstance } from '../../../flows/retrieve/retrieve-rendered-instance.ts';
import type { ImageStore } from '../../../ports/image-store.ts';
import type { PictureType } from '../../../ports/frame-renderer.ts';
import { sendPieces } from '../../http/send-pieces.ts';
import type { Identify } from '../../http/visit.ts';
import { acceptedBy, asNotAcceptable, notAcceptable, type MediaRange } from '../accept.ts';
import { formatRelated, formatRelatedType, newBoundary, type RelatedPart } from '../multipart.ts';
import { answerDocument, requireRenderedType } from './rendered-document.ts';
import { parseFrameList } from './frame-list.ts';
import { renderedParameters, thumbnailParameters } from './rendered-parameters.ts';
import { requestedInstances } from './requested-instances.ts';

/** What the endpoints need. */
export type RetrieveRenderedDeps = {
  readonly identify: Identify;
  readonly retrieveRendered: ReturnType<typeof retrieveRendered>;
  readonly retrieveRenderedInstance: ReturnType<typeof retrieveRenderedInstance>;
  readonly retrieveThumbnail: ReturnType<typeof retrieveThumbnail>;
  readonly images: ImageStore;
  readonly baseUrl: () => string;
};

type PictureFormat = { readonly form: 'single' | 'multipart'; readonly mediaType: PictureType };

const PICTURE_TYPES: readonly PictureType[] = [MEDIA_TYPE.jpeg, MEDIA_TYPE.png];

/** Answers an instance: a picture, or a document. */
export function answerRenderedInstance(deps: RetrieveRenderedDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    const ranges = acceptedBy(ctx);
    requireRenderedType(ranges);
    const parameters = renderedParameters(ctx);
    const shown = await deps.retrieveRenderedInstance(visit, requestedInstances(ctx.params)).catch(asNotAcceptable);
    const { decideAgain } = shown;
    if (shown.form === 'document') {
      const location = locationOf(shown, baseUrl);
      return await answerDocument(ctx, deps.images, shown, ranges, location).catch(asNotAcceptable);
    }
    const format = choosePictureFormat(ranges, true);
    const picture = await shown.picture({ ...parameters, mediaType: format.mediaType }).catch(asNotAcceptable);
    if (format.form === 'single') return answerPicture(ctx, picture, baseUrl);
    await answerAll(ctx, deps.images, { pictures: only(picture), decideAgain }, format, baseUrl);
  };
}

async function* only<T>(value: T): AsyncGenerator<T> {
  yield value;
}

/** Answers pictures: one alone, or several as parts. */
export function answerRendered(deps: RetrieveRenderedDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    const which = requestedInstances(ctx.params);
    const frames = ctx.params['frames'] === undefined ? undefined : parseFrameList(ctx.params['frames']);
    const isOne = which.sopInstanceUIDs !== undefined && (frames?.length ?? 1) === 1;
    const format = choosePictureFormat(acceptedBy(ctx), isOne);
    const options = { ...renderedParameters(ctx), mediaType: format.mediaType };
    const { pictures, decideAgain } = await deps.retrieveRendered(visit, which, options, frames);
    const found = { pictures: acceptable(pictures), decideAgain };
    if (format.form === 'multipart') return await answerAll(ctx, deps.images, found, format, baseUrl);
    for await (const shown of found.pictures) return answerPicture(ctx, shown, baseUrl);
    throw new Fault('not-found', 'No such study, series or instance');
  };
}

/** Answers the picture that stands for what is named. */
export function answerThumbnail(deps: RetrieveRenderedDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const baseUrl = deps.baseUrl();
    const visit = await deps.identify(ctx, baseUrl);
    const which = requestedInstances(ctx.params);
    const frames = ctx.params['frames'] === undefined ? undefined : parseFrameList(ctx.params['frames']);
    const { mediaType } = choosePictureFormat(acceptedBy(ctx), true, ['single']);
    const options = { ...thumbnailParameters(ctx), mediaType };
    const shown = await deps.retrieveThumbnail(visit, which, options, frames?.[0]).catch(asNotAcceptable);
    answerPicture(ctx, shown, baseUrl);
  };
}

/**
 * Chooses the first format that is accepted. A single part is for one picture only.
 * @throws {Fault} not-supported (not-acceptable) - there is none
 */
export function choosePictureFormat(
  ranges: readonly MediaRange[],
  isOne: boolean,
  forms: readonly PictureFormat['form'][] = ['single', 'multipart'],
): PictureFormat {
  for (const { mediaType, parameters } of ranges) {
    const isMultipart = [MEDIA_TYPE.multipartRelated, 'multipart/*'].includes(mediaType);
    const isAny = mediaType === '*/*';
    const form = isMultipart || (isAny && !isOne) ? 'multipart' : 'single';
    if (!forms.includes(form) || (form === 'single' && !isOne)) continue;
    const asked = isMultipart ? (parameters.get('type')?.toLowerCase() ?? '*/*') : mediaType;
    const chosen = PICTURE_TYPES.find((type) => ['*/*', 'image/*', type].includes(asked));
    if (chosen !== undefined) return { form, mediaType: chosen };
  }
  const served = PICTURE_TYPES.join(' or ');
  throw notAcceptable(
    `Pictures are sent as ${MEDIA_TYPE.multipartRelated} of ${served}${isOne ? ', or one alone' : ''}`,
  );
}

async function* acceptable(pictures: AsyncIterable<ShownPicture>): AsyncGenerator<ShownPicture> {
  try {
    yield* pictures;
  } catch (error) {
    asNotAcceptable(error);
  }
}

function answerPicture(ctx: RouterContext, shown: ShownPicture, baseUrl: string): void {
  const { bytes, mediaType } = shown.picture;
  ctx.set({
    'Content-Type': mediaType,
    'Content-Location': locationOf(shown, baseUrl),
    'X-Content-Type-Options': 'nosniff',
  });
  ctx.status = 200;
  ctx.body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function answerAll(
  ctx: RouterContext,
  images: ImageStore,
  { pictures, decideAgain }: GrantedPictures,
  { mediaType }: PictureFormat,
  baseUrl: string,
): Promise<void> {
  const boundary = newBoundary();
  ctx.set({ 'Content-Type': formatRelatedType(mediaType, boundary), 'X-Content-Type-Options': 'nosniff' });
  await sendPieces(ctx, { images, pieces: formatRelated(boundary, partsOf(pictures, baseUrl)), decideAgain });
}

async function* partsOf(pictures: AsyncIterable<ShownPicture>, baseUrl: string): AsyncGenerator<RelatedPart> {
  for await (const shown of pictures)
    yield {
      contentType: shown.picture.mediaType,
      contentLocation: locationOf(shown, baseUrl),
      pieces: [shown.picture.bytes],
    };
}

function locationOf({ row, frame }: Omit<ShownPicture, 'picture'>, baseUrl: string): string {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = row;
  const instance = `${baseUrl}/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
  return `${instance}${frame === undefined ? '' : `/frames/${frame}`}/rendered`;
}
