import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { FileAnchor } from '../../../../server/clients/audit-anchor/file-anchor.ts';
import { Anchoring } from '../../../../server/flows/audit/anchor-trail.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { expectFault } from '../../../support/faults.ts';
import { anAudit, NOW } from '../../../support/plans.ts';

const KEY = { key: Buffer.alloc(32, 1), isNew: false };
const log = { warn: () => undefined };
const MINUTE = 60_000;

describe('Anchoring of the audit trail', function () {
  this.timeout(30_000);
  let folder: string;
  let path: string;
  let now = NOW;
  let stores: Awaited<ReturnType<typeof openSqliteStores>>;
  const clock = { now: () => now };
  const anchoringOf = (anchor = new FileAnchor(path, KEY)) =>
    new Anchoring({ trail: stores.trail, anchor, clock, log });
  const anchored = async (): Promise<number> => (await new FileAnchor(path, KEY).last())?.sequence ?? 0;
  const record = async (events: number): Promise<void> =>
    await stores.trail.record(Array.from({ length: events }, () => anAudit()));

  beforeEach(async () => {
    now = NOW;
    folder = await mkdtemp(join(tmpdir(), 'passerelle-anchoring-'));
    path = join(folder, 'anchor');
    stores = await openSqliteStores({ dataDir: join(folder, 'data') });
  });
  afterEach(async () => {
    await stores.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('comes with the first events, then after a minute or a thousand events, and not without events', async () => {
    const anchoring = anchoringOf();
    await anchoring.begin();
    await anchoring.step();
    expect(await anchored()).to.equal(0);
    await record(3);
    await anchoring.step();
    expect(await anchored()).to.equal(3);
    await record(999);
    now += MINUTE - 1;
    await anchoring.step();
    expect(await anchored()).to.equal(3);
    await record(1);
    await anchoring.step();
    expect(await anchored()).to.equal(1_003);
    await record(1);
    now += MINUTE;
    await anchoring.step();
    expect(await anchored()).to.equal(1_004);
    const text = await readFile(path, 'utf8');
    now += MINUTE;
    await anchoring.step();
    expect(await readFile(path, 'utf8')).to.equal(text);
    await record(1);
    await anchoring.end();
    expect(await anchored()).to.equal(1_005);
  });

  it('goes on from what another process of the store has anchored', async () => {
    const [one, other] = [anchoringOf(), anchoringOf()];
    await record(1);
    await one.step();
    await record(5);
    now += MINUTE;
    await other.begin();
    await other.step();
    const text = await readFile(path, 'utf8');
    await one.step();
    expect([await anchored(), await readFile(path, 'utf8')]).to.deep.equal([6, text]);
  });

  it('leaves an anchor that the trail does not hold any more, and says so until it does', async () => {
    const anchoring = anchoringOf();
    await record(4);
    await anchoring.step();
    const text = await readFile(path, 'utf8');
    const file = new DatabaseSync(join(folder, 'data', 'trail.sqlite'));
    file.exec(`UPDATE chain SET hash = '${'0'.repeat(64)}' WHERE sequence = 4`);
    file.close();
    await record(1);
    now += MINUTE;
    const { message } = await expectFault(anchoring.step(), 'conflict');
    expect(message).to.include('another than the one that was anchored');
    expect(await readFile(path, 'utf8')).to.equal(text);
    expect(anchoring.health()).to.have.property('audit:anchor').that.includes({ status: 'warn' });
  });

  it('is tried again a while after it failed, and is well again then', async () => {
    const missing = join(folder, 'mount', 'anchor');
    const anchoring = anchoringOf(new FileAnchor(missing, KEY));
    await record(1);
    await expectFault(anchoring.step(), 'transient');
    await anchoring.step();
    expect(anchoring.health()).to.have.property('audit:anchor');
    await mkdir(join(folder, 'mount'));
    await anchoring.step();
    expect(anchoring.health()).to.have.property('audit:anchor');
    now += 10_000;
    await anchoring.step();
    expect(anchoring.health()).to.deep.equal({});
  });

  it('of a trail that was filled before its key was made begins by itself, else its anchor is missed', async () => {
    await record(2);
    await anchoringOf(new FileAnchor(path, { ...KEY, isNew: true })).begin();
    await expectFault(anchoringOf().begin(), 'conflict');
  });

  it('tells in an event who accepted what, and anchors that', async () => {
    await record(2);
    const acceptance = { name: 'Camille Durand', reason: 'the mount was lost' };
    await anchoringOf().begin(acceptance);
    expect(await anchored()).to.equal(3);
    const file = new DatabaseSync(join(folder, 'data', 'trail.sqlite'), { readOnly: true });
    const side = file.prepare(`SELECT json FROM personal WHERE side = 'entities'
      AND id = (SELECT id FROM chain WHERE sequence = 3)`);
    expect((side.get() as { json: string }).json)
      .to.include('Camille Durand')
      .and.include('the mount was lost');
    file.close();
    await expectFault(anchoringOf().begin(acceptance), 'conflict');
  });
});
