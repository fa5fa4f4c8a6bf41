/** A storage SCU on one socket that tells which instances were acknowledged, up to the moment its peer is gone. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { parseCommandSet } from '../../../ihe/dimse/command-set.ts';
import { associateRequest, dataPDU, RELEASE_REQUEST, storeRequest } from '../../server/endpoints/dimse/door.ts';

/** One CT image to send, as a Part 10 file. */
export type SentInstance = { readonly sopInstanceUID: string; readonly bytes: Uint8Array };

/** Where to send. */
export type Receiver = { readonly host: string; readonly port: number; readonly aeTitle: string };

const CT_CONTEXT = 3;
const FRAGMENT_BYTES = 4_000;

/**
 * Sends CT images one after the other, each only when the one before was answered. Resolves when all were answered
 * or the connection is gone; `answered` is told of each answer and its status.
 */
export async function sendInstances(
  to: Receiver,
  callingAE: string,
  instances: Iterable<SentInstance> | AsyncIterable<SentInstance>,
  answered: (instance: SentInstance, status: number) => void,
): Promise<void> {
  const socket = connect(to.port, to.host).setNoDelay(true);
  socket.on('error', () => undefined);
  const pdus = readPDUs(socket);
  try {
    socket.write(associateRequest({ calling: callingAE, called: to.aeTitle }));
    const accepted = await pdus.next();
    if (accepted.done === true) return;
    if (accepted.value[0] !== 0x02) throw new Error(`The association was refused: ${accepted.value.toString('hex')}`);
    for await (const instance of instances) {
      writeInstance(socket, instance);
      const response = await pdus.next();
      if (response.done === true) return;
      answered(instance, parseCommandSet(response.value.subarray(12)).status ?? -1);
    }
    socket.write(RELEASE_REQUEST);
    await pdus.next();
  } finally {
    socket.destroy();
    if (!socket.closed) await once(socket, 'close');
  }
}

/** The data set of a Part 10 file: what C-STORE carries. */
export function dataSetOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(parseFileMeta(bytes).dataSetOffset);
}

function writeInstance(socket: Socket, { sopInstanceUID, bytes }: SentInstance): void {
  const dataSet = dataSetOf(bytes);
  const fragments: Buffer[] = [storeRequest(sopInstanceUID)];
  for (let at = 0; at < dataSet.length; at += FRAGMENT_BYTES) {
    const isLast = at + FRAGMENT_BYTES >= dataSet.length;
    fragments.push(dataPDU(CT_CONTEXT, dataSet.subarray(at, at + FRAGMENT_BYTES), { isLast }));
  }
  socket.write(Buffer.concat(fragments));
}

/** Whole PDUs until the connection ends, however it ends. */
async function* readPDUs(socket: Socket): AsyncGenerator<Buffer, undefined> {
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of socket) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      while (rest.length >= 6 && rest.length >= 6 + rest.readUInt32BE(2)) {
        const length = 6 + rest.readUInt32BE(2);
        yield rest.subarray(0, length);
        rest = rest.subarray(length);
      }
    }
  } catch {
    // A killed peer resets the connection: what it acknowledged before counts.
  }
  return undefined;
}
