/** A DIMSE door whose store keeps what it receives, and the bytes of hostile or plain callers. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { COMMAND_FIELD, formatCommandSet } from '../../../../ihe/dimse/command-set.ts';
import { listenDimse } from '../../../../server/endpoints/dimse/scp.ts';
import type { DimseListener, DimseOptions } from '../../../../server/endpoints/dimse/scp.ts';
import type {
  AssociationEvent,
  AssociationInfo,
  IncomingInstance,
  StoreSession,
} from '../../../../server/endpoints/dimse/store-handler.ts';

/** The AE titles of the door and of its one known caller. */
export const CALLED = 'PASSERELLE';
export const CALLING = 'SCANNER';
export const CT_IMAGE = `${DICOM_UID.storageClassPrefix}2`;

/** A received instance and how its session ended. */
export type Received = IncomingInstance & { readonly bytes: Buffer; readonly end: 'finished' | 'aborted' };

/** A door under test. */
export type Door = DimseListener & {
  readonly received: Received[];
  readonly events: [AssociationEvent, AssociationInfo][];
  /** Sessions opened and not yet ended. */
  readonly openSessions: () => number;
};

/** Opens a door on a free port; every option can be replaced. */
export async function openDoor(options: Partial<DimseOptions> = {}): Promise<Door> {
  const received: Received[] = [];
  const events: [AssociationEvent, AssociationInfo][] = [];
  let open = 0;
  const keep = (incoming: IncomingInstance): StoreSession => {
    const chunks: Uint8Array[] = [];
    open += 1;
    const end = async (kind: 'finished' | 'aborted'): Promise<void> => {
      open -= 1;
      received.push({ ...incoming, bytes: Buffer.concat(chunks), end: kind });
    };
    return { write: (chunk) => void chunks.push(chunk), finish: () => end('finished'), abort: () => end('aborted') };
  };
  const listener = await listenDimse({
    host: '127.0.0.1',
    port: 0,
    calledAETitles: [CALLED],
    identifyPeer: ({ callingAE }) =>
      callingAE === CALLING ? { aeTitle: CALLING, organization: 'hospital' } : undefined,
    store: keep,
    onAssociation: (event, info) => void events.push([event, info]),
    ...options,
  });
  return { ...listener, received, events, openSessions: () => open };
}

/** A raw connection that gathers what it is sent. */
export class RawCaller {
  readonly socket: Socket;
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      socket.emit('gathered');
    });
  }

  static async connect(door: Pick<Door, 'address'>): Promise<RawCaller> {
    const socket = connect(door.address.port, door.address.host);
    const caller = new RawCaller(socket);
    await once(socket, 'connect');
    socket.setNoDelay(true);
    return caller;
  }

  /** A connection with an established association. */
  static async associate(
    door: Pick<Door, 'address'>,
    contexts?: readonly OfferedContext[],
    request: { calling?: string; called?: string; maxLength?: number } = {},
  ): Promise<RawCaller> {
    const caller = await RawCaller.connect(door);
    caller.socket.write(associateRequest({ contexts, ...request }));
    const answer = await caller.pdu();
    if (answer?.[0] !== 0x02) throw new Error(`No association: ${answer?.toString('hex')}`);
    return caller;
  }

  /** The next PDU, or undefined when the connection ends before it is whole. */
  async pdu(): Promise<Buffer | undefined> {
    for (;;) {
      const length = this.#received.length < 6 ? Number.POSITIVE_INFINITY : 6 + this.#received.readUInt32BE(2);
      if (this.#received.length >= length) {
        const pdu = this.#received.subarray(0, length);
        this.#received = this.#received.subarray(length);
        return pdu;
      }
      if (this.socket.closed) return undefined;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.socket.off('gathered', done).off('close', done);
          resolve();
        };
        this.socket.on('gathered', done).on('close', done);
      });
    }
  }

  /** Resolves when the connection is gone. */
  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}

/** A presentation context as offered. */
export type OfferedContext = {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
};

/** Context 1 Verification, context 3 CT Image Storage in explicit little endian. */
export const CONTEXTS: readonly OfferedContext[] = [
  { id: 1, abstractSyntax: DICOM_UID.verification, transferSyntaxes: [DICOM_UID.implicitLittleEndian] },
  { id: 3, abstractSyntax: CT_IMAGE, transferSyntaxes: [DICOM_UID.explicitLittleEndian] },
];

function item(type: number, body: Buffer): Buffer {
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function pdu(type: number, body: Buffer): Buffer {
  const header = Buffer.from([type, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

/** An A-ASSOCIATE-RQ. */
export function associateRequest({
  calling = CALLING,
  called = CALLED,
  maxLength = 16_384,
  contexts = CONTEXTS,
}: {
  calling?: string;
  called?: string;
  maxLength?: number;
  contexts?: readonly OfferedContext[] | undefined;
} = {}): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(maxLength);
  const syntax = (type: number, uid: string): Buffer => item(type, Buffer.from(uid));
  return pdu(
    0x01,
    Buffer.concat([
      Buffer.from([0, 1, 0, 0]),
      Buffer.from(called.padEnd(16)),
      Buffer.from(calling.padEnd(16)),
      Buffer.alloc(32),
      syntax(0x10, '1.2.840.10008.3.1.1.1'),
      ...contexts.map(({ id, abstractSyntax, transferSyntaxes }) =>
        item(
          0x20,
          Buffer.concat([
            Buffer.from([id, 0, 0, 0]),
            syntax(0x30, abstractSyntax),
            ...transferSyntaxes.map((uid) => syntax(0x40, uid)),
          ]),
        ),
      ),
      item(0x50, Buffer.concat([item(0x51, length), syntax(0x52, '2.25.1')])),
    ]),
  );
}

/** A P-DATA-TF with one fragment. */
export function dataPDU(contextId: number, bytes: Uint8Array, { isCommand = false, isLast = true } = {}): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt32BE(bytes.length + 2);
  header[4] = contextId;
  header[5] = (isCommand ? 1 : 0) | (isLast ? 2 : 0);
  return pdu(0x04, Buffer.concat([header, bytes]));
}

/** A C-ECHO-RQ on context 1. */
export function echoRequest(messageID = 1): Buffer {
  const command = {
    commandField: COMMAND_FIELD.cEchoRequest,
    hasDataSet: false,
    messageID,
    affectedSOPClassUID: DICOM_UID.verification,
  };
  return dataPDU(1, formatCommandSet(command), { isCommand: true });
}

/** The command of a C-STORE-RQ on context 3. */
export function storeRequest(
  sopInstanceUID = '2.25.7',
  { sopClassUID = CT_IMAGE, hasDataSet = true, messageID = 1 } = {},
): Buffer {
  const command = {
    commandField: COMMAND_FIELD.cStoreRequest,
    hasDataSet,
    messageID,
    affectedSOPClassUID: sopClassUID,
    affectedSOPInstanceUID: sopInstanceUID,
  };
  return dataPDU(3, formatCommandSet(command), { isCommand: true });
}

export const RELEASE_REQUEST = pdu(0x05, Buffer.alloc(4));
export const ABORT = pdu(0x07, Buffer.alloc(4));
