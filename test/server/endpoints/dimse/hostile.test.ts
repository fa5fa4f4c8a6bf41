import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { formatCommandSet, parseCommandSet } from '../../../../ihe/dimse/command-set.ts';
import type { DimseOptions } from '../../../../server/endpoints/dimse/scp.ts';
import { Fault } from '../../../../profiles/fault.ts';
import {
  ABORT,
  CONTEXTS,
  RELEASE_REQUEST,
  RawCaller,
  associateRequest,
  dataPDU,
  echoRequest,
  openDoor,
  storeRequest,
} from './door.ts';
import type { Door } from './door.ts';

const ABORTED = 0x07;

function raw(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

function statusOf(pdu: Buffer | undefined): number | undefined {
  if (pdu?.[0] !== 0x04) throw new Error(`No P-DATA: ${pdu?.toString('hex')}`);
  return parseCommandSet(pdu.subarray(12)).status;
}

/** Waits for a condition of the server, at most two seconds. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !condition(); turn++) await sleep(10);
  expect(condition()).to.equal(true);
}

describe('DIMSE door: hostile callers', () => {
  let door: Door;
  const open = async (options: Partial<DimseOptions> = {}): Promise<Door> => (door = await openDoor(options));

  afterEach(async () => {
    await door.close();
    expect(door.openSessions()).to.equal(0);
  });

  /** The door still answers others. */
  async function expectAlive(): Promise<void> {
    const caller = await RawCaller.associate(door);
    caller.socket.write(echoRequest());
    expect(statusOf(await caller.pdu())).to.equal(0);
    caller.socket.destroy();
  }

  const BEFORE_ASSOCIATION = {
    'an HTTP request': [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 1],
    'P-DATA before an association': [dataPDU(1, Buffer.alloc(10)), 2],
    'a release before an association': [RELEASE_REQUEST, 2],
    'an association request of 64 MiB': [raw('01 00 04000000'), 6],
    'an empty association request': [raw('01 00 00000000'), 6],
    'a cut association request': [raw('01 00 00000020').fill(0).fill(1, 0, 1).fill(0x20, 5, 6), undefined],
    'an item longer than its request': [
      Buffer.concat([raw('01 00 00000048 0001 0000'), Buffer.alloc(64, 0x20), raw('2000ffff')]),
      6,
    ],
    'an even context id': [
      associateRequest({ contexts: [{ id: 2, abstractSyntax: '1.2', transferSyntaxes: ['1.2'] }] }),
      6,
    ],
    'a context id used twice': [associateRequest({ contexts: [...CONTEXTS, ...CONTEXTS] }), 6],
  } as const;

  for (const [name, [bytes, reason]] of Object.entries(BEFORE_ASSOCIATION)) {
    it(`aborts on ${name}`, async () => {
      await open({ limits: { associationTimeoutMs: 300 } });
      const caller = await RawCaller.connect(door);
      caller.socket.write(bytes);
      const answer = await caller.pdu();
      expect(answer?.[0]).to.equal(ABORTED);
      if (reason !== undefined) expect([answer?.[8], answer?.[9]]).to.deep.equal([2, reason]);
      await caller.closed();
      await expectAlive();
    });
  }

  const IN_ASSOCIATION = {
    'P-DATA of 1 GiB, by its header': raw('04 00 40000000'),
    'P-DATA of 4 GiB, by its header': raw('04 00 ffffffff'),
    'a fragment longer than its PDU': raw('04 00 00000010 00000100 01 03 00000000000000000000'),
    'a fragment shorter than its own header': raw('04 00 00000006 00000001 01 03'),
    'an unknown context': dataPDU(99, Buffer.alloc(10), { isCommand: true }),
    'a garbage command set': dataPDU(1, Buffer.from('not a command set at all'), { isCommand: true }),
    'a command set without a command': dataPDU(1, raw('00000000 04000000 00000000'), { isCommand: true }),
    'a command set that never ends': Buffer.concat(
      Array.from({ length: 3 }, () => dataPDU(1, Buffer.alloc(8000), { isCommand: true, isLast: false })),
    ),
    'a data set without a command': dataPDU(3, Buffer.alloc(10)),
    'a second association request': associateRequest(),
    'a command inside a data set': Buffer.concat([
      storeRequest(),
      dataPDU(3, Buffer.alloc(10), { isLast: false }),
      storeRequest(),
    ]),
    'a data set on another context': Buffer.concat([storeRequest(), dataPDU(1, Buffer.alloc(10))]),
    'a response that nobody asked for': dataPDU(1, raw('00000001 02000000 3080 00000008 02000000 0101'), {
      isCommand: true,
    }),
  } as const;

  for (const [name, bytes] of Object.entries(IN_ASSOCIATION)) {
    it(`aborts on ${name}`, async () => {
      await open();
      const caller = await RawCaller.associate(door);
      caller.socket.write(bytes);
      expect((await caller.pdu())?.[0]).to.equal(ABORTED);
      await caller.closed();
      await until(() => door.events.length === 2);
      expect(door.events.map(([event]) => event)).to.deep.equal(['opened', 'aborted']);
      await expectAlive();
    });
  }

  it('reads an association and a C-STORE one byte at a time', async () => {
    await open();
    const caller = await RawCaller.connect(door);
    const trickle = async (bytes: Buffer): Promise<void> => {
      for (const byte of bytes) {
        caller.socket.write(Buffer.of(byte));
        await sleep(0);
      }
    };
    await trickle(associateRequest());
    expect((await caller.pdu())?.[0]).to.equal(0x02);
    await trickle(
      Buffer.concat([
        storeRequest(),
        dataPDU(3, Buffer.from('abc'), { isLast: false }),
        dataPDU(3, Buffer.from('def')),
      ]),
    );
    expect(statusOf(await caller.pdu())).to.equal(0);
    expect(door.received.map(({ bytes }) => bytes.toString())).to.deep.equal(['abcdef']);
    caller.socket.write(RELEASE_REQUEST);
    expect((await caller.pdu())?.[0]).to.equal(0x06);
    caller.socket.end();
    await until(() => door.events.length === 2);
    expect(door.events[1]?.[0]).to.equal('closed');
    expect(door.events[1]?.[1]).to.include({ stored: 1, failed: 0 });
  });

  it('drops the data set when the caller aborts in its middle', async () => {
    await open();
    const caller = await RawCaller.associate(door);
    caller.socket.write(Buffer.concat([storeRequest(), dataPDU(3, Buffer.alloc(1000), { isLast: false }), ABORT]));
    await caller.closed();
    await until(() => door.received.length === 1);
    expect(door.received[0]?.end).to.equal('aborted');
  });

  it('drops the data set and leaks no descriptor when the connection breaks 20 times', async function descriptors() {
    await open();
    const countDescriptors = (): number => readdirSync('/proc/self/fd').length;
    if (process.platform !== 'linux') this.skip();
    const before = countDescriptors();
    for (let turn = 0; turn < 20; turn++) {
      const caller = await RawCaller.associate(door);
      caller.socket.write(Buffer.concat([storeRequest(), dataPDU(3, Buffer.alloc(9000), { isLast: false })]));
      await until(() => door.openSessions() === 1);
      caller.socket.resetAndDestroy();
      await until(() => door.openSessions() === 0);
    }
    await until(() => door.events.length === 40);
    expect(door.received.every(({ end }) => end === 'aborted')).to.equal(true);
    expect(countDescriptors()).to.be.at.most(before + 1);
  });

  it('lets 300 silent connections push out each other, and serves the next caller', async () => {
    await open({ limits: { maxWaitingConnections: 20 } });
    const silent = await Promise.all(Array.from({ length: 300 }, async () => await RawCaller.connect(door)));
    await until(() => silent.filter(({ socket }) => !socket.closed).length <= 20);
    await expectAlive();
    for (const { socket } of silent) socket.destroy();
  });

  for (const limit of ['maxAssociations', 'maxAssociationsPerPeer']) {
    it(`refuses associations beyond ${limit} as transient, until one ends`, async () => {
      await open({ limits: { [limit]: 2 } });
      const callers = [await RawCaller.associate(door), await RawCaller.associate(door)];
      const third = await RawCaller.connect(door);
      third.socket.write(associateRequest());
      expect((await third.pdu())?.subarray(7)).to.deep.equal(Buffer.from([2, 3, 2]));
      callers[0]?.socket.destroy();
      await until(() => door.events.some(([event]) => event === 'aborted'));
      await expectAlive();
      for (const { socket } of callers) socket.destroy();
    });
  }

  it('ends a silent connection, a silent association, and a PDU that takes too long', async () => {
    await open({ limits: { associationTimeoutMs: 150, idleTimeoutMs: 300, pduTimeoutMs: 200 } });
    const silent = await RawCaller.connect(door);
    expect((await silent.pdu())?.[0]).to.equal(ABORTED);
    const idle = await RawCaller.associate(door);
    expect((await idle.pdu())?.[0]).to.equal(ABORTED);
    const slow = await RawCaller.associate(door);
    slow.socket.write(Buffer.concat([storeRequest(), dataPDU(3, Buffer.alloc(500)).subarray(0, 20)]));
    const drip = setInterval(() => slow.socket.write(Buffer.of(0)), 20);
    expect((await slow.pdu())?.[0]).to.equal(ABORTED);
    clearInterval(drip);
    await until(() => door.received.length === 1);
    expect(door.received[0]?.end).to.equal('aborted');
  });

  it('gives a PDU one deadline however long its bytes take to be written, and the store none', async () => {
    const write = async (): Promise<void> => await sleep(5);
    await open({
      limits: { pduTimeoutMs: 300 },
      store: () => ({ write, finish: async () => await sleep(500), abort: async () => undefined }),
    });
    const patient = await RawCaller.associate(door);
    patient.socket.write(Buffer.concat([storeRequest(), dataPDU(3, Buffer.alloc(100))]));
    expect(statusOf(await patient.pdu())).to.equal(0);
    patient.socket.destroy();
    const slow = await RawCaller.associate(door);
    slow.socket.write(Buffer.concat([storeRequest(), dataPDU(3, Buffer.alloc(500)).subarray(0, 20)]));
    const drip = setInterval(() => slow.socket.write(Buffer.of(0)), 20);
    expect((await slow.pdu())?.[0]).to.equal(ABORTED);
    clearInterval(drip);
  });

  it('answers A700 to an object that is too long, keeps nothing of it, and goes on', async () => {
    await open({ limits: { maxObjectBytes: 5000 } });
    const caller = await RawCaller.associate(door);
    caller.socket.write(
      Buffer.concat([
        storeRequest(),
        dataPDU(3, Buffer.alloc(4000), { isLast: false }),
        dataPDU(3, Buffer.alloc(4000), { isLast: false }),
        dataPDU(3, Buffer.alloc(10)),
      ]),
    );
    expect(statusOf(await caller.pdu())).to.equal(0xa700);
    caller.socket.write(Buffer.concat([storeRequest('2.25.8'), dataPDU(3, Buffer.alloc(10))]));
    expect(statusOf(await caller.pdu())).to.equal(0);
    expect(door.received.map(({ end }) => end)).to.deep.equal(['aborted', 'finished']);
    caller.socket.destroy();
  });

  it('refuses instance UIDs that are none, a class of another context, a store without data set', async () => {
    await open();
    const caller = await RawCaller.associate(door);
    for (const uid of ['../../../x', '/etc/passwd', '1.2\0.3', `1.${'2'.repeat(64)}`, '']) {
      caller.socket.write(Buffer.concat([storeRequest(uid), dataPDU(3, Buffer.alloc(10))]));
      expect(statusOf(await caller.pdu()), uid).to.equal(0xc000);
    }
    caller.socket.write(
      Buffer.concat([storeRequest('2.25.1', { sopClassUID: '1.2.3' }), dataPDU(3, Buffer.alloc(10))]),
    );
    expect(statusOf(await caller.pdu())).to.equal(0x0122);
    caller.socket.write(storeRequest('2.25.1', { hasDataSet: false }));
    expect(statusOf(await caller.pdu())).to.equal(0xc000);
    expect(door.received).to.deep.equal([]);
    caller.socket.destroy();
  });

  it('answers 0211 to a command that it does not know, and goes on', async () => {
    await open();
    const caller = await RawCaller.associate(door);
    const find = formatCommandSet({ commandField: 0x0020, hasDataSet: true, messageID: 5 });
    caller.socket.write(Buffer.concat([dataPDU(3, find, { isCommand: true }), dataPDU(3, Buffer.alloc(10))]));
    const answer = await caller.pdu();
    expect(statusOf(answer)).to.equal(0x0211);
    expect(parseCommandSet(answer?.subarray(12) ?? Buffer.alloc(0))).to.include({
      commandField: 0x8020,
      messageIDBeingRespondedTo: 5,
    });
    caller.socket.write(echoRequest());
    expect(statusOf(await caller.pdu())).to.equal(0);
    caller.socket.destroy();
  });

  it('holds the sender back while the store is slow', async () => {
    let written = 0;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    await open({
      store: () => ({
        write: (chunk) => {
          written += chunk.length;
          return gate;
        },
        finish: async () => undefined,
        abort: async () => undefined,
      }),
    });
    const caller = await RawCaller.associate(door);
    caller.socket.write(storeRequest());
    const fragment = dataPDU(3, Buffer.alloc(100_000), { isLast: false });
    for (let turn = 0; turn < 400; turn++) caller.socket.write(fragment);
    caller.socket.write(dataPDU(3, Buffer.alloc(2)));
    await sleep(200);
    expect(written).to.be.lessThan(200_000);
    expect(caller.socket.writableLength).to.be.greaterThan(1_000_000);
    release();
    expect(statusOf(await caller.pdu())).to.equal(0);
    expect(written).to.equal(40_000_002);
    caller.socket.destroy();
  });

  it('waits for a caller that does not read its answers', async () => {
    await open({ limits: { idleTimeoutMs: 400 } });
    const caller = await RawCaller.associate(door);
    caller.socket.pause();
    const requests = Buffer.concat(Array.from({ length: 500 }, () => echoRequest()));
    let sent = 0;
    while (sent < 400 && caller.socket.write(requests)) sent++;
    for (; sent < 400; sent++) caller.socket.write(requests);
    await sleep(300);
    expect(caller.socket.writableLength).to.be.greaterThan(100_000);
    caller.socket.destroy();
    await once(caller.socket, 'close');
    await expectAlive();
  });

  it('answers the status of the Fault with which the store refuses at any step', async () => {
    const fault = new Fault('no-store', 'The disk is full');
    const mismatch = new Fault('invalid', 'The data set is of another class', { protocolCode: 'A900' });
    const refusals = {
      open: (): never => {
        throw fault;
      },
      write: () => ({
        write: () => {
          throw fault;
        },
        finish: async () => undefined,
        abort: async () => undefined,
      }),
      later: () => ({
        write: async () => {
          throw fault;
        },
        finish: async () => undefined,
        abort: async () => undefined,
      }),
      finish: () => ({
        write: () => undefined,
        finish: async () => {
          throw mismatch;
        },
        abort: async () => undefined,
      }),
      bug: () => ({
        write: () => undefined,
        finish: async () => {
          throw new Error('secret');
        },
        abort: async () => undefined,
      }),
    };
    let step: keyof typeof refusals = 'open';
    await open({ store: () => refusals[step]() });
    const caller = await RawCaller.associate(door);
    for (const [name, status] of [
      ['open', 0xa700],
      ['write', 0xa700],
      ['later', 0xa700],
      ['finish', 0xa900],
      ['bug', 0x0110],
    ] as const) {
      step = name;
      caller.socket.write(
        Buffer.concat([storeRequest(), dataPDU(3, Buffer.alloc(10), { isLast: false }), dataPDU(3, Buffer.alloc(10))]),
      );
      const answer = await caller.pdu();
      expect(statusOf(answer), name).to.equal(status);
      expect(answer?.includes('secret')).to.equal(false);
    }
    caller.socket.destroy();
  });
});
