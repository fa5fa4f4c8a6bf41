/** An instance that is no picture, as it is sent: a page, or a PDF. @see DICOM PS3.18 8.7.4, table 8.7.4-1 */
import type { RouterContext } from '@koa/router';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import type { RenderableInstance, ShownDocument } from '../../../flows/retrieve/retrieve-rendered-instance.ts';
import type { ImageStore } from '../../../ports/image-store.ts';
import { sendPieces } from '../../http/send-pieces.ts';
import { notAcceptable, type MediaRange } from '../accept.ts';
import { formatRelated, formatRelatedType, newBoundary } from '../multipart.ts';

/** A document that may be shown. */
type RenderableDocument = Extract<RenderableInstance, { form: 'document' }>;

/** All that a rendered instance can be. */
const RENDERED_TYPES: readonly string[] = [MEDIA_TYPE.jpeg, MEDIA_TYPE.png, MEDIA_TYPE.html, MEDIA_TYPE.pdf];

/**
 * A page is of nobody's origin, runs nothing and fetches nothing. A PDF is shown by what a browser has for it, which
 * does not start within a sandbox; nothing but that is let it.
 */
const POLICY: Readonly<Record<string, string>> = {
  [MEDIA_TYPE.html]: "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'",
  [MEDIA_TYPE.pdf]: "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'",
};

/**
 * Refuses, before anything is read, what no instance is rendered as.
 * @throws {Fault} not-supported (not-acceptable) - none is accepted
 */
export function requireRenderedType(ranges: readonly MediaRange[]): void {
  if (formOf(ranges, RENDERED_TYPES) === undefined) throw refusal('An instance', RENDERED_TYPES);
}

/**
 * Answers a document, alone or as the only part.
 * @throws {Fault} not-supported (not-acceptable) - it is nothing that is accepted
 */
export async function answerDocument(
  ctx: RouterContext,
  images: ImageStore,
  { mediaTypes, document, decideAgain }: RenderableDocument,
  ranges: readonly MediaRange[],
  location: string,
): Promise<void> {
  const what = 'This instance is no picture: it';
  if (formOf(ranges, mediaTypes) === undefined) throw refusal(what, mediaTypes);
  const shown = await document();
  const form = formOf(ranges, [shown.mediaType]);
  if (form === undefined) throw refusal(what, [shown.mediaType]);
  const contentType = shown.mediaType === MEDIA_TYPE.html ? `${MEDIA_TYPE.html}; charset=utf-8` : shown.mediaType;
  ctx.set({
    'Content-Security-Policy': POLICY[shown.mediaType] ?? "sandbox; default-src 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  const send = async (pieces: ShownDocument['pieces']): Promise<void> =>
    await sendPieces(ctx, { images, pieces: pieces(), decideAgain });
  if (form === 'single') {
    ctx.set({ 'Content-Type': contentType, 'Content-Location': location });
    ctx.length = shown.length;
    return await send(shown.pieces);
  }
  const boundary = newBoundary();
  ctx.set('Content-Type', formatRelatedType(shown.mediaType, boundary));
  async function* parts() {
    yield { contentType, contentLocation: location, pieces: shown.pieces() };
  }
  await send(() => formatRelated(boundary, parts()));
}

/** In which form the most wanted range takes one of some media types; undefined when none does. */
function formOf(ranges: readonly MediaRange[], mediaTypes: readonly string[]): 'single' | 'multipart' | undefined {
  for (const { mediaType, parameters } of ranges) {
    const isMultipart = [MEDIA_TYPE.multipartRelated, 'multipart/*'].includes(mediaType);
    const asked = isMultipart ? (parameters.get('type')?.toLowerCase() ?? '*/*') : mediaType;
    if (mediaTypes.some((type) => ['*/*', type, `${type.split('/')[0]}/*`].includes(asked)))
      return isMultipart ? 'multipart' : 'single';
  }
  return undefined;
}

function refusal(what: string, mediaTypes: readonly string[]) {
  return notAcceptable(`${what} is sent as ${mediaTypes.join(' or ')}, alone or in ${MEDIA_TYPE.multipartRelated}`);
}
