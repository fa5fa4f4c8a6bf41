import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openAnchorKey, readAnchorKey } from '../../../../server/clients/audit-anchor/anchor-key.ts';
import { FileAnchor } from '../../../../server/clients/audit-anchor/file-anchor.ts';
import { SyslogAnchor } from '../../../../server/clients/audit-anchor/syslog-anchor.ts';
import { hasProgram } from '../../../profiles/dicom/samples.ts';
import { expectFault } from '../../../support/faults.ts';
import { freePort } from '../../../support/free-port.ts';
import { startCollector, type SyslogCollector } from '../../../support/syslog-collector.ts';

const ANCHOR = { sequence: 12, hash: 'ab'.repeat(32), at: '2026-03-01T12:00:00.000Z' } as const;

describe('Anchors of the audit trail', function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-anchor-'));
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  describe('their key', () => {
    it('is made once, of servers that start together by one, and only its owner may read it', async () => {
      const path = join(folder, 'key');
      const opened = await Promise.all(Array.from({ length: 8 }, async () => await openAnchorKey(path)));
      expect(new Set(opened.map(({ key }) => Buffer.from(key).toString('hex'))).size).to.equal(1);
      expect(opened.filter(({ isNew }) => isNew)).to.have.length(1);
      expect((await stat(path)).mode & 0o077).to.equal(0);
      expect(await readdir(folder)).to.deep.equal(['key']);
      expect((await openAnchorKey(path)).isNew).to.equal(false);
    });

    it('is not made for who only reads, and is refused when it is none', async () => {
      expect(await readAnchorKey(join(folder, 'key'))).to.equal(undefined);
      await writeFile(join(folder, 'key'), 'short');
      await expectFault(openAnchorKey(join(folder, 'key')), 'invalid');
      await expectFault(openAnchorKey(join(folder, 'nowhere', 'key')), 'invalid');
    });
  });

  describe('in a file', () => {
    it('are the last that was written, whole, and nothing beside it', async () => {
      const anchor = new FileAnchor(join(folder, 'anchor'), await openAnchorKey(join(folder, 'key')));
      expect(await anchor.last()).to.equal(undefined);
      await anchor.write({ ...ANCHOR, sequence: 1 });
      await anchor.write(ANCHOR);
      expect(await anchor.last()).to.deep.equal(ANCHOR);
      expect(await readdir(folder)).to.have.members(['anchor', 'key']);
    });

    it('are refused when they are cut, changed or made under another key', async () => {
      const path = join(folder, 'anchor');
      const anchor = new FileAnchor(path, await openAnchorKey(join(folder, 'key')));
      await anchor.write(ANCHOR);
      const text = await readFile(path, 'utf8');
      for (const damaged of [
        '',
        text.slice(0, 40),
        text.replace('12', '11'),
        text.replace('abab', 'acab'),
        text.replace('2026', '2025'),
        '[]',
      ]) {
        await writeFile(path, damaged);
        const { message } = await expectFault(anchor.last(), 'conflict');
        expect(message).to.include(path).and.include('--accept-restored');
      }
      await writeFile(path, text);
      const other = new FileAnchor(path, await openAnchorKey(join(folder, 'other')));
      await expectFault(other.last(), 'conflict');
      expect(await anchor.last()).to.deep.equal(ANCHOR);
    });

    it('say when they cannot be written, and leave nothing', async () => {
      const anchor = new FileAnchor(join(folder, 'nowhere', 'anchor'), await openAnchorKey(join(folder, 'key')));
      await expectFault(anchor.write(ANCHOR), 'transient');
    });
  });

  describe('at a collector of syslog messages over TLS (RFC 5425)', () => {
    let collector: SyslogCollector | undefined;
    before(function () {
      if (!hasProgram('openssl', 'version')) this.skip();
    });
    afterEach(async () => {
      await collector?.close();
      collector = undefined;
    });

    const anchorAt = async (port: number, ca: string | undefined, sender?: { key: string; cert: string }) =>
      new SyslogAnchor(
        { host: 'localhost', port, ca, cert: sender?.cert, key: sender?.key },
        join(folder, 'key.anchor'),
        await openAnchorKey(join(folder, 'key')),
      );

    it('arrive as log audit messages with the anchor as JSON, and the last one is known', async () => {
      collector = await startCollector(folder);
      const anchor = await anchorAt(collector.port, collector.ca, collector.sender);
      await anchor.write(ANCHOR);
      const [message = ''] = collector.messages;
      expect(message).to.match(/^<109>1 2026-03-01T12:00:00\.000Z \S+ passerelle [0-9]+ AUDIT-ANCHOR - \{/);
      const json = JSON.parse(message.slice(message.indexOf('{'))) as object;
      expect(json).to.include(ANCHOR).and.have.property('hmac');
      expect(await anchor.last()).to.deep.equal(ANCHOR);
    });

    it('are sent to nobody whom the authority does not vouch for, and nothing counts as sent', async () => {
      collector = await startCollector(folder);
      const unknown = await anchorAt(collector.port, undefined, collector.sender);
      await expectFault(unknown.write(ANCHOR), 'transient');
      expect(collector.messages).to.deep.equal([]);
      expect(await unknown.last()).to.equal(undefined);
    });

    it('do not count as sent when the collector refuses the sender, or is not there', async () => {
      collector = await startCollector(folder);
      const nameless = await anchorAt(collector.port, collector.ca);
      await expectFault(nameless.write(ANCHOR), 'transient');
      const absent = await anchorAt(await freePort(), collector.ca, collector.sender);
      await expectFault(absent.write(ANCHOR), 'transient');
      expect(await absent.last()).to.equal(undefined);
    });
  });
});
