/** Reads the header of a data set while its bytes pass by, keeping no more of them than the header needs. */
import { UNDEFINED_LENGTH, type DicomHeader } from '../../../profiles/dicom/data-element.ts';
import { scanHeader, SCAN_LIMITS } from '../../../profiles/dicom/dataset.ts';
import { FragmentCheck } from '../../../profiles/dicom/file/fragment-check.ts';
import { encodingOf } from '../../../profiles/dicom/file/transfer-syntax.ts';
import { Fault } from '../../../profiles/fault.ts';

/** An enhanced multi-frame object describes each of its frames; more would cost over 256 MB and 2 s. */
const MAX_ELEMENTS = 300_000;

/**
 * A scan is tried when this much has come, and each time it has grown fourfold since: what was scanned is scanned
 * again.
 */
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
  #fragments: FragmentCheck | undefined;

  constructor(transferSyntaxUID: string) {
    this.#transferSyntaxUID = transferSyntaxUID;
  }

  /** Bytes of the data set that have come. */
  get received(): number {
    return this.#total;
  }

  /** Takes the next bytes. @throws {Fault} invalid, too-costly - the header is malformed or too large */
  take(chunk: Uint8Array): void {
    this.#total += chunk.length;
    if (this.#header !== undefined) return this.#fragments?.take(chunk);
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length >= this.#nextTry) this.#try(false);
  }

  /**
   * The header, once all bytes have come. @throws {Fault} invalid - malformed, or truncated, in its pixels and other
   * bulk data too
   */
  end(): DicomHeader {
    if (this.#header === undefined) this.#try(true);
    if (this.#header === undefined) throw new Fault('invalid', 'The data set has no readable header');
    if (endsInBulk(this.#header, this.#total))
      throw new Fault('invalid', 'The data set ends inside its pixel data or other bulk data');
    this.#fragments?.end();
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
    this.#fragments = fragmentsOf(header);
    this.#fragments?.take(bytes.subarray(header.pixelDataOffset));
  }
}

/** A deflated data set has other lengths than its bytes, so nothing of it is measured. */
function isMeasured({ transferSyntaxUID }: DicomHeader): boolean {
  return !encodingOf(transferSyntaxUID).deflated;
}

/** The check of pixels of undefined length; others are measured by their length. */
function fragmentsOf(header: DicomHeader): FragmentCheck | undefined {
  const { pixelDataOffset, elements } = header;
  if (pixelDataOffset === undefined || !isMeasured(header)) return undefined;
  const areFragments = [...elements.values()].some(
    ({ offset, length }) => offset === pixelDataOffset && length === UNDEFINED_LENGTH,
  );
  return areFragments ? new FragmentCheck() : undefined;
}

function endsInBulk(header: DicomHeader, total: number): boolean {
  if (!isMeasured(header)) return false;
  return [...header.elements.values()].some(
    ({ offset, length }) => length !== UNDEFINED_LENGTH && offset + length > total,
  );
}
