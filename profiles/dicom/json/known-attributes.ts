/**
 * Attributes that are in words already. From one slice of a series to the next few attributes change, so to look the
 * others up is a quarter of the work of writing a header.
 */
import type { DicomDataSet } from '../data-element.ts';
import type { VR } from '../value-representation.ts';

type Known = { readonly vr: VR; readonly value: string; readonly text: string };

/** Longer values are rare, and would be much to keep. */
const MAX_VALUE_BYTES = 256;
const MAX_ATTRIBUTES = 1_000;

/** The top-level attributes of the data set that was written last, each as `"tag":{…}`. */
export class KnownAttributes {
  readonly #byTag = new Map<number, Known>();
  #encoding = '';

  /** Says how the values of the next data set are to be read; what was read otherwise is forgotten. */
  readAs({ littleEndian, characterSet }: DicomDataSet): void {
    const encoding = [littleEndian, ...characterSet].join('\\');
    if (encoding !== this.#encoding) this.#byTag.clear();
    this.#encoding = encoding;
  }

  /** Returns the text of an attribute that has the same value. */
  find(tag: number, vr: VR, value: Uint8Array): string | undefined {
    const known = this.#byTag.get(tag);
    return known !== undefined && known.vr === vr && isSame(known.value, value) ? known.text : undefined;
  }

  /** Keeps the text of an attribute in the place of the one before. */
  keep(tag: number, vr: VR, value: Uint8Array, text: string): void {
    if (value.length > MAX_VALUE_BYTES || (this.#byTag.size >= MAX_ATTRIBUTES && !this.#byTag.has(tag))) return;
    this.#byTag.set(tag, {
      vr,
      value: Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1'),
      text,
    });
  }
}

/** As many series are commonly sent at a time. */
const MAX_SERIES = 16;

/** The attributes of the series that are being received. */
export class KnownSeries {
  readonly #byUID = new Map<string, KnownAttributes>();

  /** Returns what is known of a series, which replaces the one that was asked for longest ago. */
  of(seriesInstanceUID: string): KnownAttributes {
    const known = this.#byUID.get(seriesInstanceUID) ?? new KnownAttributes();
    this.#byUID.delete(seriesInstanceUID);
    this.#byUID.set(seriesInstanceUID, known);
    const [oldest] = this.#byUID.keys();
    if (oldest !== undefined && this.#byUID.size > MAX_SERIES) this.#byUID.delete(oldest);
    return known;
  }
}

function isSame(known: string, value: Uint8Array): boolean {
  if (known.length !== value.length) return false;
  for (let at = 0; at < value.length; at++) if (known.charCodeAt(at) !== value[at]) return false;
  return true;
}
