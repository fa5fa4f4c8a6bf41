/** What the hostile DICOM tests do beside sending: bytes by hand, slow answers, a server that must be alive. */

import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { setTimeout as wait } from 'node:timers/promises';

import { expect } from 'chai';

import { DICOM_UID } from '../../../profiles/codes.ts';

import { dataPDU, echoRequest, RawCaller, storeRequest } from '../../server/endpoints/dimse/door.ts';

import { type TestServer } from '../../support/server.ts';

import { element, hostileDataSet, hostileUids } from './raw-data-set.ts';

const { strasbourg } = ESTABLISHMENTS;

export function us(tag: string, number: number): Buffer {
  return element(tag, 'US', Buffer.from([number & 0xff, number >> 8]));
}

/** The SOP Instance UID of a data set, or one of its own for a deflated one. */
export function sopInstanceOf(dataSet: Buffer): string {
  const at = dataSet.indexOf(Buffer.from('08001800', 'hex'));
  return at === -1
    ? '2.25.8'
    : dataSet
        .subarray(at + 8, at + 8 + dataSet.readUInt16LE(at + 6))
        .toString('latin1')
        .replace(/\0$/, '');
}

/** Reads a mebibyte of an answer and goes away. */
export async function readBeginning({ body }: Response): Promise<void> {
  const reader = body?.getReader();
  for (let read = 0; read < 1024 * 1024;) {
    const part = await reader?.read();
    if (part?.done !== false) return;
    read += part.value.length;
  }
  await reader?.cancel();
}

/** Begins an object and goes on by one byte a second. */
export function sendSlowly(association: RawCaller): { readonly since: number; readonly ends: Promise<number> } {
  const since = Date.now();
  const dataSet = hostileDataSet('slow');
  const pdu = dataPDU(3, dataSet, { isLast: false });
  association.socket.write(
    Buffer.concat([storeRequest(hostileUids('slow').sopInstanceUID), dataPDU(3, dataSet, { isLast: false })]),
  );
  let at = 0;
  const drip = setInterval(() => association.socket.write(pdu.subarray(at, ++at)), 1_000);
  const ends = association.closed().then(() => {
    clearInterval(drip);
    return Date.now();
  });
  return { since, ends };
}

/** Another modality is served. */
export async function expectAlive(server: TestServer): Promise<void> {
  const contexts = [
    { id: 1, abstractSyntax: DICOM_UID.verification, transferSyntaxes: [DICOM_UID.implicitLittleEndian] },
  ];
  const association = await RawCaller.associate({ address: server.dimse }, contexts, {
    calling: strasbourg.aeTitle,
    called: server.dimse.aeTitle,
  });
  association.socket.write(echoRequest());
  expect((await association.pdu())?.[0]).to.equal(0x04);
  association.socket.destroy();
  await wait(0);
}
