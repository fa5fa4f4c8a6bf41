/** What is used of the codecs of cornerstonejs: each module has one decoder, whose memory is its own. */
declare module '@cornerstonejs/codec-*' {
  export type FrameInfo = {
    readonly width: number;
    readonly height: number;
    readonly bitsPerSample: number;
    readonly componentCount: number;
    readonly isSigned?: boolean;
    readonly isUsingColorTransform?: boolean;
  };
  export class Decoder {
    getEncodedBuffer(length: number): Uint8Array;
    getDecodedBuffer(): Uint8Array;
    decode(): void;
    getFrameInfo(): FrameInfo;
    /** JPEG-LS alone: 0 when the planes follow each other. */
    getInterleaveMode?(): number;
    delete(): void;
  }
  export type Quiet = { readonly print: () => void; readonly printErr: () => void };
  const open: (options: Quiet) => Promise<Readonly<Record<string, new () => Decoder>>>;
  export default open;
}
