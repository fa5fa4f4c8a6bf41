/**
 * Attributes that are in words already. From one slice of a series to the next few attributes change, so to look the
 * others up is a quarter of the work of writing a header.
 */
import type { DicomDataSet, DicomElement } from './data-element.ts';

type Known = Pick<DicomElement, 'vr' | 'littleEndian'> & { readonly value: string; readonly text: string };

/** Longer values are rare, and would be much to keep. */
const MAX_VALUE_BYTES = 256;
const MAX_ATTRIBUTES = 1_000;

/** The top-level attributes of the data set that was written last, each as `"tag":{…}`. */
export class KnownAttributes {
  readonly #byTag = new Map<number, Known>();
  #characterSet = '';

  /** Says in which character set the next data set is; what was read in another is forgotten. */
  readAs(dataSet: DicomDataSet): void {
    const characterSet = dataSet.characterSet.join('\\');
    if (characterSet !== this.#characterSet) this.#byTag.clear();
    this.#characterSet = characterSet;
  }

  /** Returns the text of an attribute that has the same value. */
  find({ tag, vr, littleEndian }: DicomElement, value: Uint8Array): string | undefined {
    const known = this.#byTag.get(tag);
    if (known === undefined || known.vr !== vr || known.littleEndian !== littleEndian) return undefined;
    return isSame(known.value, value) ? known.text : undefined;
  }

  /** Keeps the text of an attribute in the place of the one before. */
  keep({ tag, vr, littleEndian }: DicomElement, value: Uint8Array, text: string): void {
    if (value.length > MAX_VALUE_BYTES || (this.#byTag.size >= MAX_ATTRIBUTES && !this.#byTag.has(tag))) return;
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
    this.#byTag.set(tag, { vr, littleEndian, value: bytes, text });
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
