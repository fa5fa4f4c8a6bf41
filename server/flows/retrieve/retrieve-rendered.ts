/** A requester looks at pictures of a study: WADO-RS rendered resources and thumbnails, and what viewers show. */
import { hasPixels } from '../../../profiles/dicom/storage-class.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { DocumentRequest, FrameRenderer, Picture, RenderRequest } from '../../ports/frame-renderer.ts';
import type { ShownInstance } from '../../ports/record-store.ts';
import type { GuardDeps, Visit } from '../guard.ts';
import { retrieveInstances, type GrantedInstances } from './retrieve-instances.ts';
import { PAGE, type WhichInstances } from './study-pages.ts';
import type { Viewings } from './viewings.ts';

/** How pictures are made. */
export type PictureOptions = Omit<RenderRequest, 'instance' | 'frame'>;

/** A picture, and what it shows; the frame is the one that stands for the instance when it is left out. */
export type ShownPicture = { readonly row: ShownInstance; readonly frame?: number; readonly picture: Picture };

/** Pictures that a requester may see, each made when its turn comes, under what holds then. */
export type GrantedPictures = {
  readonly pictures: AsyncIterable<ShownPicture>;
  readonly decideAgain: () => Promise<void>;
};

/** What the flow needs. */
export type RetrieveRenderedDeps = GuardDeps & { readonly renderer: FrameRenderer };

/** Faults of one instance that do not keep the others from being shown. */
const NO_PICTURE: ReadonlySet<string> = new Set(['not-found', 'not-supported', 'invalid', 'too-costly']);

/**
 * Finds the pictures of frames (numbers from 1) of one instance, or one of each instance that has any.
 * @throws {Fault} not-found - no such study or instance, none that the requester may see, or no such frame
 * @throws {Fault} not-supported, invalid, too-costly - no picture can be made
 */
export function retrieveRendered(deps: RetrieveRenderedDeps, viewings?: Viewings) {
  const retrieve = retrieveInstances(deps, viewings);
  return async (
    visit: Visit,
    which: WhichInstances,
    options: PictureOptions,
    frames?: readonly number[],
  ): Promise<GrantedPictures> => {
    const rows = await retrieve(visit, {
      ...which,
      passage: 'wado',
      viewing: 'rendered',
      omitMetadata: true,
      ...(frames === undefined ? {} : { detail: { frames: frames.join(',') } }),
    });
    const pictures =
      which.sopInstanceUIDs === undefined
        ? ofEach(deps.renderer, rows, options)
        : ofOne(deps.renderer, rows, options, frames);
    return { pictures, decideAgain: rows.decideAgain };
  };
}

/**
 * Makes the picture that stands for a study, a series, an instance or a frame.
 * @throws {Fault} not-found - there is no such, or none that the requester may see
 * @throws {Fault} not-supported, invalid, too-costly - no picture can be made
 */
export function retrieveThumbnail(deps: RetrieveRenderedDeps, viewings?: Viewings) {
  const retrieve = retrieveInstances(deps, viewings);
  return async (
    visit: Visit,
    which: WhichInstances,
    options: PictureOptions,
    frame?: number,
  ): Promise<ShownPicture> => {
    const detail = { thumbnail: frame === undefined ? 'yes' : `frame ${frame}` };
    const rows = await retrieve(visit, { ...which, passage: 'wado', viewing: 'rendered', omitMetadata: true, detail });
    const row = await representativeOf(rows);
    if (row === undefined) throw new Fault('not-supported', 'There is no picture among the instances');
    const place = frame === undefined ? { row } : { row, frame };
    return { ...place, picture: await renderGranted(deps.renderer, rows, { ...options, ...requestOf(place) }) };
  };
}

async function* ofOne(
  renderer: FrameRenderer,
  rows: GrantedInstances,
  options: PictureOptions,
  frames: readonly number[] | undefined,
): AsyncGenerator<ShownPicture> {
  for await (const row of rows) {
    for (const place of frames === undefined ? [{ row }] : frames.map((frame) => ({ row, frame }))) {
      await rows.decideAgain();
      yield { ...place, picture: await renderGranted(renderer, rows, { ...options, ...requestOf(place) }) };
    }
  }
}

/** Instances of which there is no picture are left out; when there is none at all, the last one says why. */
async function* ofEach(
  renderer: FrameRenderer,
  rows: GrantedInstances,
  options: PictureOptions,
): AsyncGenerator<ShownPicture> {
  let reason: Fault | undefined = new Fault('not-supported', 'There is no picture among the instances');
  for await (const row of rows) {
    if (!hasPixels(row.sopClassUID)) continue;
    try {
      yield { row, picture: await renderGranted(renderer, rows, { ...options, ...requestOf({ row }) }) };
      reason = undefined;
    } catch (error) {
      if (!(error instanceof Fault) || !NO_PICTURE.has(error.kind)) throw error;
      reason &&= error;
    }
  }
  if (reason !== undefined) throw reason;
}

/** Renders, and decides again when that took long: a picture is not given to whom it was withdrawn from meanwhile. */
export async function renderGranted(
  renderer: FrameRenderer,
  { decideAgain }: Pick<GrantedInstances, 'decideAgain'>,
  request: RenderRequest | DocumentRequest,
): Promise<Picture> {
  const picture = await renderer.render(request);
  await decideAgain();
  return picture;
}

/** What the renderer is asked of a place. */
export function requestOf({ row, frame }: Omit<ShownPicture, 'picture'>): Pick<RenderRequest, 'instance' | 'frame'> {
  const { blob, dataSetOffset, transferSyntaxUID } = row;
  return { instance: { blob, dataSetOffset, transferSyntaxUID }, ...(frame === undefined ? {} : { frame }) };
}

/** The middle one of the first series that has pixels, of as many as a page has. */
async function representativeOf(rows: GrantedInstances): Promise<ShownInstance | undefined> {
  const ofSeries: ShownInstance[] = [];
  let seen = 0;
  for await (const row of rows) {
    const isOther = ofSeries[0] !== undefined && ofSeries[0].seriesInstanceUID !== row.seriesInstanceUID;
    if (isOther || ++seen > PAGE) break;
    if (hasPixels(row.sopClassUID)) ofSeries.push(row);
  }
  return ofSeries[Math.floor((ofSeries.length - 1) / 2)];
}
