/** A requester looks at one instance: a picture, or a document as a page or PDF. WADO-RS rendered instance. */
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { documentKindOf, hasPixels, type DocumentKind } from '../../../profiles/dicom/storage-class.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { DocumentType, FrameRenderer } from '../../ports/frame-renderer.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { ShownInstance } from '../../ports/record-store.ts';
import { bytesOf, collect } from '../study/stored-data-set.ts';
import type { GuardDeps, Visit } from '../guard.ts';
import type { BulkBytes } from './bulk-bytes.ts';
import { documentRangeOf, isPdf, notPdf } from '../study/encapsulated-document.ts';
import { retrieveInstances, type GrantedInstances } from './retrieve-instances.ts';
import { renderGranted, requestOf, type PictureOptions, type ShownPicture } from './retrieve-rendered.ts';
import type { WhichInstances } from './study-pages.ts';
import type { Viewings } from './viewings.ts';

/** A document as it is sent. */
export type ShownDocument = BulkBytes & { readonly mediaType: DocumentType };

/** An instance that a requester may look at; it is rendered when it is asked for, in a way that its reader accepts. */
export type RenderableInstance = { readonly row: ShownInstance } & Pick<GrantedInstances, 'decideAgain'> &
  (
    | { readonly form: 'picture'; readonly picture: (options: PictureOptions) => Promise<ShownPicture> }
    | {
        readonly form: 'document';
        /** What it can be, before it is known which. */
        readonly mediaTypes: readonly DocumentType[];
        readonly document: () => Promise<ShownDocument>;
      }
  );

/** What the flow needs. */
export type RetrieveRenderedInstanceDeps = GuardDeps & {
  readonly renderer: FrameRenderer;
  readonly images: ImageStore;
};

/** What a document may be shown as; only when it is read it is known what a CDA wraps. */
const MEDIA_TYPES: Readonly<Record<DocumentKind, readonly DocumentType[]>> = {
  'structured-report': [MEDIA_TYPE.html],
  pdf: [MEDIA_TYPE.pdf],
  cda: [MEDIA_TYPE.html, MEDIA_TYPE.pdf],
};

const SIGNATURE_BYTES = 16;

/**
 * Finds an instance to be shown.
 * @throws {Fault} not-found - no such instance, or none that the requester may see
 * @throws {Fault} not-supported - it is neither a picture nor a document that can be shown
 * @throws {Fault} not-supported, invalid, too-costly - of what it gives: it cannot be rendered
 */
export function retrieveRenderedInstance(deps: RetrieveRenderedInstanceDeps, viewings?: Viewings) {
  const retrieve = retrieveInstances(deps, viewings);
  return async (visit: Visit, which: WhichInstances): Promise<RenderableInstance> => {
    const rows = await retrieve(visit, { ...which, passage: 'wado', viewing: 'rendered', omitMetadata: true });
    const { decideAgain } = rows;
    const row = await firstOf(rows);
    const kind = documentKindOf(row.sopClassUID);
    if (kind !== undefined) {
      const document = async (): Promise<ShownDocument> => await documentOf(deps, rows, row, kind);
      return { row, decideAgain, form: 'document', mediaTypes: MEDIA_TYPES[kind], document };
    }
    if (!hasPixels(row.sopClassUID))
      throw new Fault('not-supported', 'The instance is neither a picture nor a document that can be shown');
    const picture = async (options: PictureOptions): Promise<ShownPicture> => ({
      row,
      picture: await renderGranted(deps.renderer, rows, { ...options, ...requestOf({ row }) }),
    });
    return { row, decideAgain, form: 'picture', picture };
  };
}

async function firstOf(rows: AsyncIterable<ShownInstance>): Promise<ShownInstance> {
  for await (const row of rows) return row;
  throw new Fault('not-found', 'No such study, series or instance');
}

async function documentOf(
  { renderer, images }: RetrieveRenderedInstanceDeps,
  rows: Pick<GrantedInstances, 'decideAgain'>,
  row: ShownInstance,
  kind: DocumentKind,
): Promise<ShownDocument> {
  if (kind === 'pdf') return await pdfOf(images, row);
  const request = { instance: requestOf({ row }).instance, document: kind };
  const { bytes, mediaType } = await renderGranted(renderer, rows, request);
  return { mediaType: mediaType as DocumentType, length: bytes.length, pieces: () => [bytes] };
}

/** A PDF is sent from where it is stored: neither read whole nor looked into. */
async function pdfOf(images: ImageStore, row: ShownInstance): Promise<ShownDocument> {
  const { start, end } = await documentRangeOf(images, row);
  const bytes = bytesOf(images, row);
  if (!isPdf(await collect(bytes.read(start, Math.min(start + SIGNATURE_BYTES, end))))) throw notPdf();
  return { mediaType: MEDIA_TYPE.pdf, length: end - start, pieces: () => bytes.pieces(start, end) };
}
