/** The control socket: commands ask a running server by it. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import { askServer, converse } from '../../../server/control/caller.ts';
import { openControl, type ControlCommand, type ControlDoor } from '../../../server/control/door.ts';
import { readImportedFile } from '../../../server/control/import-lines.ts';
import { CONTROL_LIMITS, CONTROL_VERSION, controlPath } from '../../../server/control/protocol.ts';
import { expectFault } from '../../support/faults.ts';
import { faultOf } from '../../support/thrown-fault.ts';

const nothing = (): void => undefined;
const log = { error: nothing, warn: nothing, info: nothing, debug: nothing };

const COMMANDS: Readonly<Record<string, ControlCommand>> = {
  echo: async (args) => args,
  refuse: async () => {
    throw new Fault('not-found', 'There is no such thing');
  },
  break: async () => {
    throw new Error('a secret');
  },
  sum: async (_args, tell, _signal, said) => {
    let sum = 0;
    for await (const one of said) tell((sum += Number(one)));
    return sum;
  },
  wait: async (_args, tell, signal) => {
    tell('waiting');
    await new Promise((resolve) => void signal.addEventListener('abort', resolve));
    ended.push('wait');
    return null;
  },
};
const ended: string[] = [];

describe('The control socket', () => {
  let dataDir: string;
  let door: ControlDoor;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-'));
    ended.length = 0;
    door = await openControl({ dataDir, commands: COMMANDS, log });
  });
  afterEach(async () => {
    await door.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function rawCaller(): Promise<Socket> {
    const socket = connect(controlPath(dataDir)).on('error', nothing);
    await once(socket, 'connect');
    return socket;
  }

  /** What comes back for bytes that are written, until the server hangs up. */
  async function answerTo(...parts: readonly string[]): Promise<string> {
    const socket = await rawCaller();
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    for (const part of parts) {
      socket.write(part);
      await new Promise((resolve) => void setTimeout(resolve, 5));
    }
    if (!socket.closed) await once(socket, 'close');
    return text;
  }

  it('is open to the account of the server alone, and leaves nothing beside it', async () => {
    expect((await stat(controlPath(dataDir))).mode & 0o777).to.equal(0o600);
    expect(await readdir(dataDir)).to.deep.equal(['control.sock']);
    await door.close();
    expect(existsSync(controlPath(dataDir))).to.equal(false);
  });

  it('answers a question, tells of refusals, and of bugs nothing', async () => {
    expect(await askServer({ dataDir, command: 'echo', args: { a: 'é' } })).to.deep.equal({ answer: { a: 'é' } });
    const refused = await expectFault(askServer({ dataDir, command: 'refuse', args: {} }), 'not-found');
    expect(refused.message).to.equal('There is no such thing');
    const broken = await expectFault(askServer({ dataDir, command: 'break', args: {} }), 'exception');
    expect(broken.message).to.not.include('secret');
    for (const command of ['unknown', 'toString'])
      await expectFault(askServer({ dataDir, command, args: {} }), 'not-supported');
  });

  it('lets a command go on saying, and hears what becomes of it', async () => {
    const told: unknown[] = [];
    const conversation = await converse({
      dataDir,
      command: 'sum',
      args: {},
      onProgress: (progress) => void told.push(progress),
    });
    for (const one of [1, 2, 3]) await conversation?.say(one);
    conversation?.end();
    expect([await conversation?.answer, told]).to.deep.equal([6, [1, 3, 6]]);
  });

  it('takes lines in pieces, and many at once', async () => {
    const question = JSON.stringify({ version: CONTROL_VERSION, command: 'sum', args: {} });
    const said = Array.from({ length: 500 }, () => '{"say":1}\n').join('');
    const text = await answerTo(
      question.slice(0, 9),
      `${question.slice(9)}\n${said.slice(0, 30)}`,
      `${said.slice(30)}{"end":true}\n`,
    );
    expect(text.split('\n').at(-2)).to.equal('{"answer":500}');
  });

  it('takes the place of a socket that a killed server left, and leaves that of one that lives', async () => {
    const second = await openControl({ dataDir, commands: {}, log });
    expect(await askServer({ dataDir, command: 'echo', args: 1 })).to.deep.equal({ answer: 1 });
    await second.close();
    await door.close();
    await writeFile(controlPath(dataDir), '');
    expect(await askServer({ dataDir, command: 'echo', args: 1 })).to.equal(undefined);
    door = await openControl({ dataDir, commands: COMMANDS, log });
    expect(await askServer({ dataDir, command: 'echo', args: 2 })).to.deep.equal({ answer: 2 });
  });

  it('is not there when no server is', async () => {
    await door.close();
    expect(await askServer({ dataDir, command: 'echo', args: 1 })).to.equal(undefined);
    expect(await converse({ dataDir: join(dataDir, 'nowhere'), command: 'echo', args: 1 })).to.equal(undefined);
  });

  it('refuses a data folder whose path leaves it no room', async () => {
    const fault = await expectFault(
      openControl({ dataDir: join(dataDir, 'x'.repeat(100)), commands: {}, log }),
      'invalid',
    );
    expect(fault.message).to.include('too long');
  });

  for (const [what, line, kind] of [
    ['text that is no JSON', 'hello', 'invalid'],
    ['JSON that is no question', '[1]', 'not-supported'],
    ['another version', `{"version":${CONTROL_VERSION + 1},"command":"echo"}`, 'not-supported'],
    ['a question without a command', `{"version":${CONTROL_VERSION}}`, 'invalid'],
    ['a line that does not end', 'x'.repeat(CONTROL_LIMITS.lineBytes + 1), 'too-long'],
  ] as const) {
    it(`refuses ${what}, and serves the next`, async () => {
      expect(JSON.parse(await answerTo(`${line}\n`)) as object).to.have.nested.property('fault.kind', kind);
      expect(await askServer({ dataDir, command: 'echo', args: 1 })).to.deep.equal({ answer: 1 });
    });
  }

  it('tells a command when its caller has gone, and when the server stops', async () => {
    const caller = await rawCaller();
    caller.write(`${JSON.stringify({ version: CONTROL_VERSION, command: 'wait', args: {} })}\n`);
    await once(caller, 'data');
    caller.destroy();
    while (ended.length < 1) await new Promise((resolve) => void setTimeout(resolve, 5));
    const waiting = await converse({ dataDir, command: 'wait', args: {} });
    const sum = await converse({ dataDir, command: 'sum', args: {} });
    await sum?.say(1);
    await new Promise((resolve) => void setTimeout(resolve, 20));
    await door.close();
    expect(await waiting?.answer).to.equal(null);
    await expectFault(sum?.answer ?? Promise.resolve(), 'transient');
    expect(ended).to.deep.equal(['wait', 'wait']);
  });

  it('gives no answer to a caller that goes before it has said all', async () => {
    const caller = await rawCaller();
    let text = '';
    caller.on('data', (chunk: Buffer) => (text += chunk.toString()));
    caller.end(`${JSON.stringify({ version: CONTROL_VERSION, command: 'sum', args: {} })}\n{"say":1}\n`);
    await once(caller, 'close');
    expect(text).to.equal('{"progress":1}\n');
  });
});

describe('What an import says of a file', () => {
  const row = {
    studyInstanceUID: '1.2',
    seriesInstanceUID: '1.3',
    sopInstanceUID: '1.4',
    sopClassUID: '1.5',
    transferSyntaxUID: '1.6',
    source: 'Organization/a',
    blob: { name: '0b0c0d0e-0000-4000-8000-000000000000', size: 10 },
    dataSetOffset: 3,
    dataSetDigest: 'a'.repeat(64),
    metadata: '{}',
  };
  const named = { patient: { resourceType: 'Patient' }, identity: { system: 's', value: 'v' } };

  it('is read as it is', () => {
    expect(readImportedFile({ number: 1, unfiled: { row, named } })).to.have.nested.property(
      'unfiled.row.instanceNumber',
      undefined,
    );
    expect(readImportedFile({ number: 2, refused: { kind: 'invalid', message: 'No' } })).to.deep.equal({
      number: 2,
      refused: { kind: 'invalid', message: 'No' },
    });
  });

  for (const [what, said] of [
    ['nothing', undefined],
    [
      'a name that is no blob',
      { number: 1, taken: { row: { ...row, blob: { name: '../../etc/passwd', size: 1 } }, named } },
    ],
    ['a UID with a path', { number: 1, taken: { row: { ...row, studyInstanceUID: '../1' }, named } }],
    ['no patient', { number: 1, taken: { row } }],
    ['an unknown kind of refusal', { number: 1, refused: { kind: 'other', message: '' } }],
  ] as const) {
    it(`is refused when it is ${what}`, () => {
      expect(faultOf(() => readImportedFile(said)).kind).to.equal('invalid');
    });
  }
});
