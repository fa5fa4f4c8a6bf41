import { execFile } from 'node:child_process';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { openLog, type LogFactory, type LogOptions } from '../../server/log.ts';

type Line = Record<string, unknown>;

function aLog(level: LogOptions['level'] = 'info'): { log: LogFactory; lines(): Line[]; text(): string } {
  const chunks: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  const text = (): string => chunks.join('');
  return {
    log: openLog({ level, destination }),
    text,
    lines: () =>
      text()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Line),
  };
}

describe('Log', () => {
  it('writes a JSON line with time, level, room, members and message', () => {
    const { log, lines } = aLog();
    log('dimse').info({ association: 7 }, 'Association accepted');
    const [line] = lines();
    expect(line).to.include({ level: 'info', room: 'dimse', association: 7, msg: 'Association accepted' });
    expect(Date.parse(String(line?.['time']))).to.be.closeTo(Date.now(), 60_000);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = aLog('warn');
    const room = log('http');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) room[level]({}, level);
    expect(lines().map(({ msg }) => msg)).to.deep.equal(['warn', 'error']);
  });

  it('censors authorization, DPoP proofs and cookies, at any usual depth and in either spelling', () => {
    const { log, text, lines } = aLog();
    const headers = {
      authorization: 'Bearer hush',
      cookie: 'hush',
      dpop: 'hush',
      'set-cookie': ['hush'],
      accept: '*/*',
    };
    const err = Object.assign(new Error('Failed'), {
      response: { headers },
      request: { headers: { Authorization: 'hush' } },
    });
    log('http').error({ ...headers, headers, request: { headers }, err }, 'Refused');
    expect(text()).to.not.include('hush');
    expect(lines()[0]?.['request']).to.deep.include({
      headers: { ...Object.fromEntries(Object.keys(headers).map((name) => [name, '[redacted]'])), accept: '*/*' },
    });
  });

  it('tells an error with its stack and its cause', () => {
    const { log, lines } = aLog();
    log('http').error({ err: new Error('Outer', { cause: new Error('Inner') }) }, 'Failed');
    expect(lines()[0]?.['err']).to.have.property('stack').that.includes('Outer').and.includes('Inner');
  });

  it('tells of an error nothing but its text: neither the bytes of a request nor what else hangs on it', () => {
    const { log, text, lines } = aLog();
    const err = Object.assign(new Error('Parse Error'), {
      code: 'HPE_INVALID',
      rawPacket: Buffer.from('GET /?family=hush'),
      request: { body: Buffer.from('hush') },
    });
    log('http').error({ err }, 'Failed');
    log('http').error({ err: 'hush' }, 'Failed');
    expect(lines()[0]?.['err']).to.include({ type: 'Error', message: 'Parse Error', code: 'HPE_INVALID' });
    expect(text()).to.not.include('hush').and.not.include('rawPacket');
  });

  it('goes to stderr alone, and loses no line when the process exits', async () => {
    const module = fileURLToPath(new URL('../../server/log.ts', import.meta.url));
    const program = `const { openLog } = await import(${JSON.stringify(module)});
      const log = openLog({ level: 'info' })('main');
      for (let line = 0; line < 1000; line += 1) log.info({ line }, 'Line');
      process.exit(0);`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    expect(stdout).to.equal('');
    expect(stderr.trim().split('\n')).to.have.length(1000);
  });
});
