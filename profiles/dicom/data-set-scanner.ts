/**
 * The scan itself: one pass over the bytes, no value decoded, no value copied.
 * @see DICOM PS3.5 7.1 (elements), 7.5 (sequences), A.4 (encapsulated pixels)
 */
import { Fault } from '../fault.ts';
import { MAX_KEPT_BINARY_BYTES, MAX_KEPT_TEXT_BYTES, UNDEFINED_LENGTH, formatTag } from './data-element.ts';
import type { DicomDataSet, DicomElement, ScanLimits } from './data-element.ts';
import type { DataSetEncoding } from './transfer-syntax.ts';
import { VALUE_REPRESENTATION, vrOfCode, vrOfTag, vrToRead } from './value-representation.ts';
import type { VR } from './value-representation.ts';

/** Thrown when the bytes end where more are needed. */
export class EndOfPrefix extends Error {
  override readonly name = 'EndOfPrefix';
}

const ITEM = 0xff_fe_e0_00;
const ITEM_DELIMITATION = 0xff_fe_e0_0d;
const SEQUENCE_DELIMITATION = 0xff_fe_e0_dd;
const SPECIFIC_CHARACTER_SET = 0x00_08_00_05;
const PIXEL_REPRESENTATION = 0x00_28_01_03;
/** PixelData, FloatPixelData, DoubleFloatPixelData. */
const PIXEL_DATA: ReadonlySet<number> = new Set([0x7f_e0_00_10, 0x7f_e0_00_08, 0x7f_e0_00_09]);
/** Groups that no data set holds: commands, file meta information, item tags. */
const FOREIGN_GROUPS: ReadonlySet<number> = new Set([0x00_00, 0x00_02, 0xff_fe]);

type OpenDataSet = { characterSet: readonly string[]; elements: Map<number, DicomElement> };

/** What the header of an element says. */
type ElementHeader = Pick<DicomElement, 'tag' | 'vr' | 'length' | 'littleEndian'>;

/** An element whose value is a view that is made when it is asked for: a header may have some hundred thousand. */
class ScannedElement implements DicomElement {
  readonly tag: number;
  readonly vr: VR;
  readonly length: number;
  readonly littleEndian: boolean;
  readonly offset: number;
  readonly items: readonly DicomDataSet[] | undefined;
  readonly #bytes: Uint8Array | undefined;

  /** `bytes` are those of the data set when the value is kept. */
  constructor(
    { tag, vr, length, littleEndian }: ElementHeader,
    offset: number,
    bytes: Uint8Array | undefined,
    items: readonly DicomDataSet[] | undefined,
  ) {
    this.tag = tag;
    this.vr = vr;
    this.length = length;
    this.littleEndian = littleEndian;
    this.offset = offset;
    this.items = items;
    this.#bytes = bytes;
  }

  get value(): Uint8Array | undefined {
    return this.#bytes?.subarray(this.offset, this.offset + this.length);
  }
}

/** Scans one prefix once. */
export class DataSetScanner {
  /** Set when the scan reached pixel data. */
  pixelDataOffset: number | undefined;
  /** Set when a top-level bulk value runs past the end and the scan may not read further. */
  stoppedInBulk = false;
  readonly #bytes: Uint8Array;
  readonly #limits: ScanLimits;
  readonly #mayStopInBulk: boolean;
  #explicitVR: boolean;
  #littleEndian: boolean;
  #position = 0;
  #elementCount = 0;
  #isSigned = false;
  // The element header read last.
  #tag = 0;
  #vr: VR = 'UN';
  #length = 0;
  /** Written as UN: its value is in implicit VR little endian, whatever is around it (PS3.5 6.2.2). */
  #isUnknown = false;

  constructor(bytes: Uint8Array, encoding: DataSetEncoding, limits: ScanLimits, mayStopInBulk: boolean) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#mayStopInBulk = mayStopInBulk;
    this.#explicitVR = encoding.explicitVR;
    this.#littleEndian = encoding.littleEndian;
  }

  /** Reads to the pixel data or to the end. */
  scan(): DicomDataSet {
    const dataSet = this.#open([]);
    const end = this.#bytes.length;
    while (this.#position < end && !this.stoppedInBulk) {
      this.#readHeader(end);
      if (FOREIGN_GROUPS.has(this.#tag >>> 16)) throw this.#fault('No data set holds an element of this group');
      if (PIXEL_DATA.has(this.#tag)) {
        this.pixelDataOffset = this.#position;
        this.#keep(dataSet, this.#position, false);
        return dataSet;
      }
      this.#readValue(dataSet, end, 0);
    }
    return dataSet;
  }

  /** Reads the elements of one group from the start, and says where it ends. */
  scanGroup(group: number): { dataSet: DicomDataSet; end: number } {
    const dataSet = this.#open([]);
    while (this.#position < this.#bytes.length && this.#uint16(this.#position) === group) {
      this.#readHeader(this.#bytes.length);
      this.#readValue(dataSet, this.#bytes.length, 0);
    }
    return { dataSet, end: this.#position };
  }

  #open(characterSet: readonly string[]): OpenDataSet {
    return { characterSet, elements: new Map() };
  }

  /** A first occurrence wins over a repeated tag. */
  #keep(dataSet: OpenDataSet, offset: number, isKept: boolean, items?: readonly DicomDataSet[]): void {
    if (dataSet.elements.has(this.#tag)) return;
    if (dataSet.elements.size >= this.#limits.maxSiblings) {
      throw new Fault('too-costly', `The data set has more than ${this.#limits.maxSiblings} elements side by side`);
    }
    const littleEndian = this.#littleEndian || this.#isUnknown;
    const header = { tag: this.#tag, vr: this.#vr, length: this.#length, littleEndian };
    dataSet.elements.set(this.#tag, new ScannedElement(header, offset, isKept ? this.#bytes : undefined, items));
  }

  #readHeader(end: number): void {
    this.#need(8, end);
    if (++this.#elementCount > this.#limits.maxElements) {
      throw new Fault('too-costly', `The data set has more than ${this.#limits.maxElements} elements`);
    }
    const at = this.#position;
    const group = this.#uint16(at);
    this.#tag = ((group << 16) | this.#uint16(at + 2)) >>> 0;
    if (group === 0xff_fe || !this.#explicitVR) {
      this.#isUnknown = false;
      this.#vr = vrOfTag(this.#tag, this.#isSigned);
      this.#length = this.#uint32(at + 4);
      this.#position = at + 8;
    } else this.#readExplicit(at, end);
  }

  #readExplicit(at: number, end: number): void {
    const first = this.#bytes[at + 4] ?? 0;
    const second = this.#bytes[at + 5] ?? 0;
    const known = vrOfCode(first, second);
    const isCode = isCapital(first) && isCapital(second);
    if (known === undefined && !isCode) throw this.#fault('The VR is not two capitals');
    // A VR of a later edition has a long length and is read as UN (PS3.5 6.2.2).
    const written = known ?? 'UN';
    this.#isUnknown = written === 'UN';
    this.#vr = vrToRead(this.#tag, written, this.#isSigned);
    if (!VALUE_REPRESENTATION[written].hasLongLength) {
      this.#length = this.#uint16(at + 6);
      this.#position = at + 8;
      return;
    }
    this.#need(12, end);
    this.#length = this.#uint32(at + 8);
    this.#position = at + 12;
  }

  #readValue(dataSet: OpenDataSet, end: number, depth: number): void {
    const isUndefined = this.#length === UNDEFINED_LENGTH;
    if (this.#length % 2 === 1 && !isUndefined) throw this.#fault('The value length is odd');
    if (this.#isSequence()) {
      if (isUndefined || !this.#isUnknown) return this.#readSequence(dataSet, end, depth);
      if (this.#readUnknownSequence(dataSet, end, depth)) return;
    } else if (isUndefined) return this.#skipFragments(dataSet, end);
    const isBulk = this.#length > mostKept(this.#vr);
    if (isBulk && this.#isCutInBulk(end, depth)) this.stoppedInBulk = true;
    else this.#need(this.#length, end);
    this.#keep(dataSet, this.#position, !isBulk);
    if (!isBulk) this.#notice(dataSet, this.#position);
    this.#position += this.#length;
  }

  /** Takes up what the value that begins at `at` says of the elements behind it. */
  #notice(dataSet: OpenDataSet, at: number): void {
    if (this.#tag === SPECIFIC_CHARACTER_SET) {
      const value = this.#bytes.subarray(at, at + Math.min(this.#length, 512));
      dataSet.characterSet = String.fromCharCode(...value).split('\\').map(trimPadding);
    } else if (this.#tag === PIXEL_REPRESENTATION && this.#length >= 2) this.#isSigned = this.#bytes[at] === 1 || this.#bytes[at + 1] === 1;
  }

  /** What is written as UN of undefined length is a sequence, but for pixels that are encapsulated (6.2.2). */
  #isSequence(): boolean {
    if (this.#vr === 'SQ') return true;
    if (this.#length !== UNDEFINED_LENGTH) return false;
    return this.#vr === 'UN' || (this.#isUnknown && VALUE_REPRESENTATION[this.#vr].form !== 'binary');
  }

  #readSequence(parent: OpenDataSet, end: number, depth: number): void {
    if (depth >= this.#limits.maxDepth) throw this.#fault(`Sequences nest deeper than ${this.#limits.maxDepth}`);
    const { tag, length, offset } = { tag: this.#tag, length: this.#length, offset: this.#position };
    const around = { explicitVR: this.#explicitVR, littleEndian: this.#littleEndian };
    if (this.#isUnknown) [this.#explicitVR, this.#littleEndian] = [false, true];
    const items = this.#readItems(parent.characterSet, this.#endOf(length, end), length === UNDEFINED_LENGTH, depth);
    [this.#explicitVR, this.#littleEndian] = [around.explicitVR, around.littleEndian];
    [this.#tag, this.#vr, this.#length] = [tag, 'SQ', length];
    this.#keep(parent, offset, false, items);
  }

  /**
   * Reads a sequence that is written as UN of known length. False when its value is none, or is cut by the limit of the
   * header: then it stays UN, the bytes that it is.
   */
  #readUnknownSequence(parent: OpenDataSet, end: number, depth: number): boolean {
    if (!this.#isCutInBulk(end, depth)) {
      this.#need(this.#length, end);
      if (this.#trySequence(parent, end, depth)) return true;
    }
    this.#vr = 'UN';
    return false;
  }

  /** Reads a sequence whose bytes are all there; when it is malformed, false, and the header is the one read last. */
  #trySequence(parent: OpenDataSet, end: number, depth: number): boolean {
    const [tag, length, position] = [this.#tag, this.#length, this.#position];
    const [explicitVR, littleEndian, isSigned] = [this.#explicitVR, this.#littleEndian, this.#isSigned];
    try {
      this.#readSequence(parent, end, depth);
      return true;
    } catch (error) {
      // A length inside may lead out of the prefix.
      if (!(error instanceof EndOfPrefix) && !(error instanceof Fault && error.kind === 'invalid')) throw error;
      [this.#explicitVR, this.#littleEndian, this.#isSigned] = [explicitVR, littleEndian, isSigned];
      [this.#tag, this.#length, this.#position, this.#isUnknown] = [tag, length, position, true];
      return false;
    }
  }

  #readItems(characterSet: readonly string[], end: number, isDelimited: boolean, depth: number): DicomDataSet[] {
    const items: DicomDataSet[] = [];
    for (;;) {
      if (!isDelimited && this.#position >= end) return items;
      this.#readHeader(end);
      if (this.#tag === SEQUENCE_DELIMITATION && isDelimited) return items;
      if (this.#tag !== ITEM) throw this.#fault('A sequence holds something that is not an item');
      items.push(this.#readItem(characterSet, end, depth));
    }
  }

  #readItem(characterSet: readonly string[], sequenceEnd: number, depth: number): DicomDataSet {
    const item = this.#open(characterSet);
    const isDelimited = this.#length === UNDEFINED_LENGTH;
    const end = this.#endOf(this.#length, sequenceEnd);
    for (;;) {
      if (!isDelimited && this.#position >= end) return item;
      this.#readHeader(end);
      if (this.#tag === ITEM_DELIMITATION && isDelimited) return item;
      if (this.#tag >>> 16 === 0xff_fe) throw this.#fault('A delimiter stands where an element was expected');
      this.#readValue(item, end, depth + 1);
    }
  }

  /** Encapsulated pixel data inside an item (an icon): fragments up to the delimiter. */
  #skipFragments(dataSet: OpenDataSet, end: number): void {
    const form = VALUE_REPRESENTATION[this.#vr].form;
    if (form !== 'binary') throw this.#fault('Only sequences and encapsulated pixels may have an undefined length');
    this.#keep(dataSet, this.#position, false);
    for (;;) {
      this.#readHeader(end);
      if (this.#tag === SEQUENCE_DELIMITATION) return;
      if (this.#tag !== ITEM || this.#length === UNDEFINED_LENGTH) throw this.#fault('A fragment is not an item');
      this.#need(this.#length, end);
      this.#position += this.#length;
    }
  }

  /** Whether the limit of the header ends inside the value, where it may. */
  #isCutInBulk(end: number, depth: number): boolean {
    return depth === 0 && this.#mayStopInBulk && this.#position + this.#length > end;
  }

  #endOf(length: number, end: number): number {
    if (length === UNDEFINED_LENGTH) return end;
    this.#need(length, end);
    return this.#position + length;
  }

  /** Past the end of the prefix more may come; past the end of a container the lengths contradict each other. */
  #need(count: number, end: number): void {
    if (this.#position + count <= end) return;
    if (end === this.#bytes.length) throw new EndOfPrefix();
    throw this.#fault('An element is longer than the item or sequence around it');
  }

  #uint16(at: number): number {
    const first = this.#bytes[at] ?? 0;
    const second = this.#bytes[at + 1] ?? 0;
    return this.#littleEndian ? first | (second << 8) : (first << 8) | second;
  }

  #uint32(at: number): number {
    const low = this.#uint16(this.#littleEndian ? at : at + 2);
    const high = this.#uint16(this.#littleEndian ? at + 2 : at);
    return ((high << 16) | low) >>> 0;
  }

  #fault(message: string): Fault {
    return new Fault('invalid', message, { expression: formatTag(this.#tag) });
  }
}

/** Tags are told one by one, however many. */
function mostKept(vr: VR): number {
  const { form } = VALUE_REPRESENTATION[vr];
  if (form === 'text') return MAX_KEPT_TEXT_BYTES;
  return form === 'binary' || form === 'numeric' ? MAX_KEPT_BINARY_BYTES : Infinity;
}

function isCapital(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

function trimPadding(text: string): string {
  return text.replace(/[\0 ]+$/, '').trimStart();
}
