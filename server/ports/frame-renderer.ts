/**
 * The port of rendering: a frame of a stored instance becomes a picture that every browser shows, a document a page.
 */
import type { InstanceRow } from './commit-plan.ts';

/** What a picture is sent as. */
export type PictureType = 'image/jpeg' | 'image/png';

/**
 * What a frame becomes: a picture, or its pixels as they would be stored uncompressed, little endian, 8 bit colour as
 * red, green and blue pixel by pixel.
 */
export type FrameForm = PictureType | 'application/octet-stream';

/** Part of a frame and the size to show it in, in pixels. @see DICOM PS3.18 8.3.5.1.3 */
export type Viewport = {
  /** The picture fits into these, its aspect ratio is kept; without both it is as large as what it shows. */
  readonly width?: number;
  readonly height?: number;
  /** The part of the frame; the whole when it is left out. */
  readonly source?: FramePart;
};

/** A part of a frame, in pixels or in shares of it from 0 to 1. A negative width or height mirrors. */
export type FramePart = {
  readonly unit: 'pixel' | 'share';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
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
  readonly mediaType: FrameForm;
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
export type Picture = { readonly bytes: Uint8Array; readonly mediaType: FrameForm | DocumentType };

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
