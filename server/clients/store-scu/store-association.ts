/**
 * Sends DICOM instances by C-STORE: the bytes of each data set go out exactly as they are, private attributes included,
 * as they are read. A command answer is awaited before the next.
 * @see DICOM PS3.4 annex B, PS3.7 9.1.1, PS3.8 annex E
 */
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTLS } from 'node:tls';
import { parseFileMeta, type FileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { Fault } from '../../../profiles/fault.ts';
import { COMMAND_FIELD, formatCommandSet, parseCommandSet } from '../../../ihe/dimse/command-set.ts';
import { PDUReader } from '../../../ihe/dimse/p-data.ts';
import { formatCommandPDUs, formatPDU, PDU_TYPE } from '../../../ihe/dimse/upper-layer.ts';
import {
  formatAssociateRequest,
  parseAssociateAccept,
  type Agreement,
  type OfferedContext,
  type StoreTarget,
} from './association-request.ts';

/** What one association may carry: a SOP class in a transfer syntax. */
export type StorageContext = Omit<OfferedContext, 'id'>;

/** What the peer answered: 0 is success. */
export type StoreAnswer = { readonly status: number; readonly errorComment: string | undefined };

/** What an instance is, as the command tells it. */
export type SentInstance = Pick<FileMeta, 'sopClassUID' | 'sopInstanceUID' | 'transferSyntaxUID'>;

/** So long a peer may say nothing, be it that it stores a large object. */
const SILENCE_MS = 120_000;
/** So long it may take to answer a release, and to close. */
const GOODBYE_MS = 5_000;
const MOST_PDU_BYTES = 131_072;
const LEAST_PDU_BYTES = 128;
const LIMITS = { maxDataPDUBytes: 1024 * 1024, maxOtherPDUBytes: 64 * 1024 };
const MAX_COMMAND_BYTES = 16 * 1024;
const PERMANENT = 1;
/** Source and reason of an A-ASSOCIATE-RJ (PS3.8 table 9-21). */
const REJECTIONS: Readonly<Record<string, string>> = {
  '1.1': 'no reason given',
  '1.2': 'the application context is not supported',
  '1.3': 'the calling AE title is not known',
  '1.7': 'the called AE title is not known',
  '2.1': 'no reason given',
  '2.2': 'the protocol version is not supported',
  '3.1': 'the peer is congested',
  '3.2': 'the peer takes no further association',
};

type Received = { readonly type: number; readonly pdu: Buffer };

/** An open association. Give it one instance at a time; end it with `release` or `abort`. */
export class StoreAssociation {
  readonly #socket: Socket;
  readonly #contexts: readonly OfferedContext[];
  readonly #reader = new PDUReader(LIMITS);
  #agreement: Agreement = { accepted: new Set(), maxLength: 0 };
  #received: Received[] = [];
  #command: Buffer[] = [];
  #messageID = 0;
  #broken: Fault | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket, contexts: readonly OfferedContext[]) {
    this.#socket = socket;
    this.#contexts = contexts;
    socket.setNoDelay(true);
    socket.setTimeout(SILENCE_MS, () => this.#break('The peer said nothing for two minutes'));
    socket.on('error', (cause) =>
      this.#break(`The connection broke (${'code' in cause ? String(cause.code) : cause.message})`, cause),
    );
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('drain', () => this.#wake?.());
    socket.on('close', () => this.#break('The peer closed the connection'));
  }

  /**
   * Connects and negotiates.
   * @throws {Fault} transient - nobody listens, the connection breaks, or the peer rejects it for now
   * @throws {Fault} forbidden - the peer rejects the association for good
   */
  static async open(target: StoreTarget, contexts: readonly StorageContext[]): Promise<StoreAssociation> {
    const socket = await connected(target);
    const offered = contexts.map((context, at) => ({ id: 2 * at + 1, ...context }));
    const association = new StoreAssociation(socket, offered);
    await association.#send(formatAssociateRequest(target, offered));
    const { type, pdu } = await association.#next();
    if (type !== PDU_TYPE.associateAccept) {
      socket.destroy();
      throw refusalOf(pdu);
    }
    association.#agreement = parseAssociateAccept(pdu);
    association.#reader.acceptsData = true;
    return association;
  }

  /** Whether a context was asked for, whatever the peer said. */
  offers(context: StorageContext): boolean {
    return this.#contexts.some((one) => isSame(one, context));
  }

  /** Whether the peer takes a SOP class in a transfer syntax. */
  accepts(context: StorageContext): boolean {
    return this.#contextOf(context) !== undefined;
  }

  /**
   * Sends an instance.
   * @throws {Fault} not-supported - no accepted context fits it
   * @throws {Fault} transient - the association broke; what `dataSet` throws: the association is then aborted
   */
  async store(instance: SentInstance, dataSet: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoreAnswer> {
    const { sopClassUID: affectedSOPClassUID, sopInstanceUID: affectedSOPInstanceUID, transferSyntaxUID } = instance;
    const context = this.#contextOf(instance);
    if (context === undefined)
      throw new Fault('not-supported', `The peer takes no ${affectedSOPClassUID} in ${transferSyntaxUID}`);
    this.#messageID = (this.#messageID % 0xffff) + 1;
    const command = {
      commandField: COMMAND_FIELD.cStoreRequest,
      hasDataSet: true,
      messageID: this.#messageID,
      priority: 0,
      affectedSOPClassUID,
      affectedSOPInstanceUID,
    };
    await this.#send(formatCommandPDUs(context.id, formatCommandSet(command), this.#agreement.maxLength));
    try {
      await this.#sendDataSet(context.id, dataSet);
    } catch (error) {
      this.abort();
      throw error;
    }
    return await this.#readAnswer();
  }

  /** Sends a whole Part 10 file; returns the status. */
  async storeFile(file: Uint8Array): Promise<number> {
    const { dataSetOffset, transferSyntaxUID, sopClassUID = '', sopInstanceUID = '' } = parseFileMeta(file);
    return (await this.store({ sopClassUID, sopInstanceUID, transferSyntaxUID }, [file.subarray(dataSetOffset)]))
      .status;
  }

  /** Releases the association and closes the connection. */
  async release(): Promise<void> {
    if (this.#broken !== undefined) return;
    const closed = once(this.#socket, 'close');
    this.#socket.write(formatPDU(PDU_TYPE.releaseRequest, Buffer.alloc(4)));
    await this.#next().catch(() => undefined);
    this.#socket.end();
    this.#socket.setTimeout(GOODBYE_MS);
    await closed;
  }

  /** Ends it at once: what was under way is not stored. */
  abort(): void {
    if (this.#broken !== undefined) return;
    this.#socket.write(formatPDU(PDU_TYPE.abort, Buffer.alloc(4)));
    this.#socket.destroySoon();
  }

  #contextOf(context: StorageContext): OfferedContext | undefined {
    return this.#contexts.find((one) => this.#agreement.accepted.has(one.id) && isSame(one, context));
  }

  /** One fragment a PDU; the last is known when there is no more. */
  async #sendDataSet(contextId: number, dataSet: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const { maxLength } = this.#agreement;
    const most = maxLength === 0 ? MOST_PDU_BYTES : Math.min(maxLength, MOST_PDU_BYTES);
    // A fragment has an even number of bytes (PS3.8 annex E); the last has what there is.
    const size = (Math.max(LEAST_PDU_BYTES, most) - 6) & ~1;
    let rest: Uint8Array = new Uint8Array();
    for await (const chunk of dataSet) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (; rest.length > size; rest = rest.subarray(size))
        await this.#sendFragment(contextId, rest.subarray(0, size), false);
    }
    await this.#sendFragment(contextId, rest, true);
  }

  async #sendFragment(contextId: number, fragment: Uint8Array, isLast: boolean): Promise<void> {
    const header = Buffer.alloc(12);
    header[0] = PDU_TYPE.data;
    header.writeUInt32BE(fragment.length + 6, 2);
    header.writeUInt32BE(fragment.length + 2, 6);
    header[10] = contextId;
    header[11] = isLast ? 0b10 : 0;
    this.#socket.cork();
    this.#socket.write(header);
    const mayGoOn = this.#socket.write(fragment);
    this.#socket.uncork();
    await this.#sent(mayGoOn);
  }

  async #send(bytes: Buffer): Promise<void> {
    await this.#sent(this.#socket.write(bytes));
  }

  /** Waits until more may be sent. @throws {Fault} transient - the association broke */
  async #sent(mayGoOn: boolean): Promise<void> {
    if (!mayGoOn) while (this.#broken === undefined && this.#socket.writableNeedDrain) await this.#event();
    if (this.#broken !== undefined) throw this.#broken;
  }

  async #readAnswer(): Promise<StoreAnswer> {
    const { type, pdu } = await this.#next();
    if (type !== PDU_TYPE.data) throw this.#break('The peer ended the association instead of an answer');
    const { status, messageIDBeingRespondedTo, errorComment } = parseCommandSet(pdu);
    if (status === undefined || messageIDBeingRespondedTo !== this.#messageID)
      throw this.#break('The peer answered something else');
    return { status, errorComment };
  }

  #take(chunk: Buffer): void {
    try {
      this.#reader.feed(chunk);
      for (let event = this.#reader.next(); event !== undefined; event = this.#reader.next()) {
        if (!('bytes' in event)) this.#received.push(event);
        else if (event.isCommand) this.#takeCommand(event.bytes, event.isLast);
      }
    } catch (cause) {
      this.#break('The peer broke the protocol', cause);
    }
    this.#wake?.();
  }

  #takeCommand(bytes: Buffer, isLast: boolean): void {
    this.#command.push(Buffer.from(bytes));
    if (this.#command.reduce((sum, { length }) => sum + length, 0) > MAX_COMMAND_BYTES)
      throw new Fault('too-long', 'The command set is too long');
    if (!isLast) return;
    this.#received.push({ type: PDU_TYPE.data, pdu: Buffer.concat(this.#command) });
    this.#command = [];
  }

  async #next(): Promise<Received> {
    for (;;) {
      const first = this.#received.shift();
      if (first !== undefined) return first;
      if (this.#broken !== undefined) throw this.#broken;
      await this.#event();
    }
  }

  async #event(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** The first reason stays. */
  #break(message: string, cause?: unknown): Fault {
    this.#broken ??= new Fault('transient', message, { cause });
    this.#socket.destroy();
    this.#wake?.();
    return this.#broken;
  }
}

function isSame(one: StorageContext, other: StorageContext): boolean {
  return one.sopClassUID === other.sopClassUID && one.transferSyntaxUID === other.transferSyntaxUID;
}

async function connected({ host, port, tls }: StoreTarget): Promise<Socket> {
  const socket =
    tls === undefined
      ? connect(port, host)
      : connectTLS({ ...tls, host, port, ...(isIP(host) === 0 ? { servername: host } : {}) });
  socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error('The peer said nothing for two minutes')));
  try {
    await once(socket, tls === undefined ? 'connect' : 'secureConnect');
    return socket;
  } catch (cause) {
    socket.destroy();
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new Fault('transient', `${host}:${port} cannot be reached (${reason})`, { cause });
  }
}

function refusalOf(pdu: Buffer): Fault {
  if (pdu[0] !== PDU_TYPE.associateReject) return new Fault('transient', 'The peer aborted the association');
  const reason = REJECTIONS[`${pdu[8]}.${pdu[9]}`] ?? `source ${pdu[8]}, reason ${pdu[9]}`;
  return new Fault(pdu[7] === PERMANENT ? 'forbidden' : 'transient', `The peer rejected the association: ${reason}`);
}
