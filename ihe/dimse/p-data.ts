/**
 * Cuts the bytes of a connection into PDUs, and P-DATA into fragments. Fragments are handed on as they arrive,
 * as slices of what the socket read: nothing is gathered but headers and the small PDUs.
 * @see DICOM PS3.8 9.3.1, 9.3.5 and Annex E
 */
import { PDU_TYPE, protocolFault } from './upper-layer.ts';

/** What a peer may announce. */
export type PDULimits = { readonly maxDataPDUBytes: number; readonly maxOtherPDUBytes: number };

/** A whole PDU that carries no data; `pdu` has its six header bytes. */
export type ControlPDU = { readonly type: number; readonly pdu: Buffer };

/** A part of a message: command or data set. `isLast` is set on the last part of the last fragment. */
export type Fragment = {
  readonly type: typeof PDU_TYPE.data;
  readonly contextId: number;
  readonly isCommand: boolean;
  readonly isLast: boolean;
  readonly bytes: Buffer;
};

const HEADER_BYTES = 6;
const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(PDU_TYPE));
const EMPTY = Buffer.alloc(0);

/** Reads one connection. Feed it a chunk, then take events until there is none. */
export class PDUReader {
  /** Set when an association is established: before that a P-DATA PDU is refused by its header. */
  acceptsData = false;
  /** PDUs whose header was read. */
  startedPDUs = 0;
  readonly #limits: PDULimits;
  #chunk: Buffer = EMPTY;
  /** Bytes of a header or of a control PDU that arrived in an earlier chunk. */
  #gathered: Buffer = EMPTY;
  #type = 0;
  #controlLength = 0;
  #dataRemaining = 0;
  #fragmentRemaining = 0;
  #inFragment = false;
  #contextId = 0;
  #control = 0;

  constructor(limits: PDULimits) {
    this.#limits = limits;
  }

  /** Whether the bytes so far end inside a PDU. */
  get isInsidePDU(): boolean {
    return this.#gathered.length > 0 || this.#type !== 0;
  }

  /** Gives the next bytes; every event of the bytes before must have been taken. */
  feed(chunk: Buffer): void {
    this.#chunk = chunk;
  }

  /**
   * Returns the next event of the chunk, or undefined when it is used up.
   * @throws {Fault} invalid - the protocol is broken; the association must be aborted
   */
  next(): ControlPDU | Fragment | undefined {
    for (;;) {
      if (this.#inFragment) return this.#takeFragment();
      if (this.#type === PDU_TYPE.data) {
        if (!this.#openFragment()) return undefined;
      } else if (this.#type !== 0) return this.#takeControl();
      else if (!this.#openPDU()) return undefined;
    }
  }

  #openPDU(): boolean {
    const header = this.#gather(HEADER_BYTES);
    if (header === undefined) return false;
    const type = header[0] ?? 0;
    const length = header.readUInt32BE(2);
    if (!KNOWN_TYPES.has(type)) throw protocolFault('unrecognized-pdu', 'The PDU type is unknown');
    const isData = type === PDU_TYPE.data;
    if (isData && !this.acceptsData) throw protocolFault('unexpected-pdu', 'P-DATA came before an association');
    const limit = isData ? this.#limits.maxDataPDUBytes : this.#limits.maxOtherPDUBytes;
    if (length > limit) throw protocolFault('invalid-parameter', `The PDU is longer than ${limit} bytes`);
    this.startedPDUs += 1;
    this.#type = length === 0 && isData ? 0 : type;
    if (isData) this.#dataRemaining = length;
    else {
      this.#controlLength = HEADER_BYTES + length;
      this.#gathered = Buffer.from(header);
    }
    return true;
  }

  #takeControl(): ControlPDU | undefined {
    const pdu = this.#gather(this.#controlLength);
    if (pdu === undefined) return undefined;
    const type = this.#type;
    this.#type = 0;
    return { type, pdu };
  }

  /** PDV item header: length, presentation context, message control header. */
  #openFragment(): boolean {
    const header = this.#gather(HEADER_BYTES);
    if (header === undefined) return false;
    const length = header.readUInt32BE(0);
    if (length < 2 || length > this.#dataRemaining - 4) {
      throw protocolFault('invalid-parameter', 'A presentation data value does not fit its PDU');
    }
    this.#dataRemaining -= 4 + length;
    this.#fragmentRemaining = length - 2;
    this.#contextId = header[4] ?? 0;
    this.#control = header[5] ?? 0;
    this.#inFragment = true;
    return true;
  }

  #takeFragment(): Fragment | undefined {
    if (this.#chunk.length === 0 && this.#fragmentRemaining > 0) return undefined;
    const bytes = this.#chunk.subarray(0, this.#fragmentRemaining);
    this.#chunk = this.#chunk.subarray(bytes.length);
    this.#fragmentRemaining -= bytes.length;
    const isComplete = this.#fragmentRemaining === 0;
    if (isComplete) {
      this.#inFragment = false;
      if (this.#dataRemaining === 0) this.#type = 0;
    }
    const isCommand = (this.#control & 0b01) !== 0;
    const isLast = isComplete && (this.#control & 0b10) !== 0;
    return { type: PDU_TYPE.data, contextId: this.#contextId, isCommand, isLast, bytes };
  }

  /**
   * Returns `length` bytes, or keeps what there is until more arrive. Nothing is allocated for what is only announced.
   */
  #gather(length: number): Buffer | undefined {
    const taken = this.#chunk.subarray(0, length - this.#gathered.length);
    this.#chunk = this.#chunk.subarray(taken.length);
    const bytes = this.#gathered.length === 0 ? taken : Buffer.concat([this.#gathered, taken]);
    if (bytes.length < length) {
      this.#gathered = bytes;
      return undefined;
    }
    this.#gathered = EMPTY;
    return bytes;
  }
}
