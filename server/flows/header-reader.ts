/** Reads the header of a data set while its bytes pass by, keeping no more of them than the header needs. */
import { UNDEFINED_LENGTH, type DicomHeader } from '../../profiles/dicom/data-element.ts';
import { scanHeader, SCAN_LIMITS } from '../../profiles/dicom/dataset.ts';
import { encodingOf } from '../../profiles/dicom/transfer-syntax.ts';
import { Fault } from '../../profiles/fault.ts';

/** An enhanced multi-frame object describes each of its frames; more would cost over 256 MB and 2 s. */
const MAX_ELEMENTS = 300_000;

/** A scan is tried when this much has come, and each time it has grown fourfold since: what was scanned is scanned again. */
const FIRST_TRY = 32 * 1024;
const GROWTH = 4;

/** Collects the beginning of a data set until its header can be read. */
export class HeaderReader {
  readonly #transferSyntaxUID: string;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #total = 0;
  #nextTry = FIRST_TRY;
  #header: DicomHeader | undefined;

  constructor(transferSyntaxUID: string) {
    this.#transferSyntaxUID = transferSyntaxUID;
  }

  /** Takes the next bytes. @throws {Fault} invalid, too-costly - the header is malformed or too large */
  take(chunk: Uint8Array): void {
    this.#total += chunk.length;
    if (this.#header !== undefined) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length >= this.#nextTry) this.#try(false);
  }

  /** The header, once all bytes have come. @throws {Fault} invalid - malformed, or truncated, in its pixel data too */
  end(): DicomHeader {
    if (this.#header === undefined) this.#try(true);
    if (this.#header === undefined) throw new Fault('invalid', 'The data set has no readable header');
    if (endsInPixels(this.#header, this.#total)) throw new Fault('invalid', 'The data set ends inside its pixel data');
    return this.#header;
  }

  #try(isWhole: boolean): void {
    const bytes = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    if (bytes === undefined) return;
    this.#chunks = [bytes];
    this.#nextTry = Math.min(this.#length * GROWTH, Math.max(SCAN_LIMITS.maxBytes, this.#length) + 1);
    const header = scanHeader(bytes, this.#transferSyntaxUID, { isWhole, maxElements: MAX_ELEMENTS });
    if (header === 'incomplete') return;
    this.#header = header;
    this.#chunks = [];
  }
}

/** Pixels of undefined length are fragments, and deflated ones have another length here: neither is measured. */
function endsInPixels({ pixelDataOffset, transferSyntaxUID, elements }: DicomHeader, total: number): boolean {
  if (pixelDataOffset === undefined || encodingOf(transferSyntaxUID).deflated) return false;
  const pixels = [...elements.values()].find(({ offset }) => offset === pixelDataOffset);
  return pixels !== undefined && pixels.length !== UNDEFINED_LENGTH && pixelDataOffset + pixels.length > total;
}
