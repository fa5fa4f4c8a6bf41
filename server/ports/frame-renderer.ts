/**
 * The port of rendering: a frame of a stored instance becomes a picture that every browser shows, a document a page.
 */
import type { InstanceRow } from './commit-plan.ts';

/** What a picture is sent as. */
export type PictureType = 'image/jpeg' | 'image/png';

/** Part of a frame and the size to show it in, in pixels. @see DICOM PS3.18 8.3.5.1.3 */
export type Viewport = {
  /** The picture fits into these; its aspect ratio is kept. */
  readonly width: number;
  readonly height: number;
  /** The part of the frame; the whole when it is left out. A negative width or height mirrors. */
  readonly source?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
};

/** Which values are told apart, in measured values. @see DICOM PS3.18 8.3.5.1.4 */
export type AskedWindow = {
  readonly center: number;
  readonly width: number;
  readonly function: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
};

/** What to render. */
export type RenderRequest = {
  readonly instance: Pick<InstanceRow, 'blob' | 'dataSetOffset' | 'transferSyntaxUID'>;
  /** From 1; the one that stands for the instance when it is left out. */
  readonly frame?: number;
  readonly mediaType: PictureType;
  readonly viewport?: Viewport;
  readonly window?: AskedWindow;
  /** 1 to 100, of JPEG. */
  readonly quality?: number;
};

/** What a document is sent as. */
export type DocumentType = 'text/html' | 'application/pdf';

/** Which document to render. */
export type DocumentRequest = Pick<RenderRequest, 'instance'> & {
  readonly document: 'structured-report' | 'cda';
};

/** A picture; of a document its page, or the PDF that it wraps. */
export type Picture = { readonly bytes: Uint8Array; readonly mediaType: PictureType | DocumentType };

/** Renders, and keeps what was rendered lately. */
export interface FrameRenderer {
  /**
   * Renders a frame or a document.
   * @throws {Fault} not-found - the instance has no pixels, or no such frame
   * @throws {Fault} not-supported, invalid - it cannot be rendered
   * @throws {Fault} too-costly - it takes more time or memory than one rendering may
   * @throws {Fault} transient - too many wait already
   */
  render(request: RenderRequest | DocumentRequest): Promise<Picture>;
  /** Drops what is kept of instances, by the names of their blobs. */
  forget(names: readonly string[]): void;
  close(): Promise<void>;
}
