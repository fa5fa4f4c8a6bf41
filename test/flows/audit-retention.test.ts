/** The end of how long events are kept (PASSERELLE_AUDIT_RETENTION_YEARS): what goes, and what the verifier says. */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { keptSince } from '../../profiles/audit/retention.ts';
import { openErasureKey } from '../../server/clients/erasure-key/erasure-key.ts';
import { openSqliteStores } from '../../server/stores/sqlite/open.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { runCommand, type CommandResult } from '../support/command.ts';
import { anAudit } from '../support/plans.ts';
import { startServer, type TestServer } from '../support/server.ts';

const DAY_MS = 86_400_000;
const OLD = 250;

describe('Retention of audit events', function () {
  this.timeout(120_000);
  let root: string;
  let dataDir: string;
  let env: Readonly<Record<string, string>>;
  let server: TestServer | undefined;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'passerelle-retention-'));
    for (const name of ['mount', 'keys']) await mkdir(join(root, name));
    dataDir = join(root, 'data');
    env = { AUDIT_ANCHOR: join(root, 'mount', 'anchor'), AUDIT_ANCHOR_KEY: join(root, 'keys', 'key') };
    const { trail, close } = await openSqliteStores({ dataDir });
    const since = keptSince(Date.now(), 3);
    const recorded = (days: number) => new Date(since + days * DAY_MS).toISOString();
    const old = Array.from({ length: OLD }, () => recorded(-1));
    await trail.record(
      [...old, recorded(1), recorded(-1)].map((at) => {
        const { event, persons } = anAudit();
        return { event: { ...event, recorded: at }, persons };
      }),
    );
    await close();
  });
  after(async () => {
    await server?.stop();
    await rm(root, { recursive: true, force: true });
  });

  const verify = async (folder = dataDir, more = env, ...args: string[]): Promise<CommandResult> =>
    await runCommand('audit:verify', args, { dataDir: folder, env: more });
  const first = (): number => {
    const file = new DatabaseSync(join(dataDir, 'trail.sqlite'), { readOnly: true });
    const row = file.prepare('SELECT min(sequence) AS first FROM chain').get();
    file.close();
    return Number(row?.['first']);
  };

  it('is for ever where nothing is configured', async () => {
    server = await startServer({ dataDir, env });
    await server.stop();
    expect(first()).to.equal(1);
    expect(await verify()).to.include({ code: 0 });
  });

  it('ends for events that are older: the verifier says since when they are kept, and the anchor holds', async () => {
    server = await startServer({ dataDir, env: { ...env, AUDIT_RETENTION_YEARS: '3' } });
    await eventually(async () => first() === OLD + 1 || undefined);
    const beside = await verify();
    expect([beside.code, beside.stdout])
      .to.match(/^0,whole: records 251 to \d+, head [0-9a-f]{64}, 0 erased\n/)
      .and.match(/\nbegins at record 251: what was recorded before \S+ was cut off at \S+\nanchor: record \d+ of /);
    expect(await server.stop()).to.equal(0);
    const { code, stdout } = await verify(dataDir, env, '--head', `7:${'0'.repeat(64)}`);
    expect(code).to.equal(0);
    expect(stdout).to.include('\nhead: record 7 was cut off, and is not compared\n');
  });

  const FIRST = '(SELECT id FROM chain ORDER BY sequence LIMIT 1)';
  const RID = `(SELECT rid FROM resource WHERE id = ${FIRST})`;
  const GONE = `DELETE FROM reference WHERE rid = ${RID}; DELETE FROM acl WHERE rid = ${RID};
    DELETE FROM personal WHERE id = ${FIRST}; DELETE FROM resource WHERE id = ${FIRST};
    DELETE FROM chain WHERE id = ${FIRST}`;

  /** Verifies a copy of the trail that was changed by SQL. */
  async function tampered(sql: string): Promise<CommandResult> {
    const folder = await mkdtemp(join(root, 'tampered-'));
    await cp(dataDir, folder, { recursive: true });
    const file = new DatabaseSync(join(folder, 'trail.sqlite'));
    file.exec(sql);
    file.close();
    return await verify(folder);
  }

  it('excuses no other record that is missing at the beginning', async () => {
    const { code, stdout } = await tampered(GONE);
    expect([code, stdout]).to.deep.equal([1, 'broken at record 251: expected sequence 251\n']);
  });

  it('excuses no record that was put in place of the first that is kept', async () => {
    const { code, stdout } = await tampered("UPDATE chain SET body = body || ' ' WHERE sequence = 251");
    expect([code, stdout]).to.match(/^1,broken at record 251: /);
  });

  it('is of this server alone: who has the data and not the key cannot cut', async () => {
    const AUDIT_ANCHOR_KEY = join(root, 'keys', 'other');
    await openErasureKey(`${AUDIT_ANCHOR_KEY}.erasure`);
    const { code, stdout } = await verify(dataDir, { AUDIT_ANCHOR_KEY });
    expect(code).to.equal(1);
    expect(stdout).to.include('\ncut: it does not bear the seal of the key of erasures\n');
    await rm(join(root, 'keys', 'key.erasure'));
    expect(await verify()).to.have.property('code', 0);
    await rm(join(root, 'keys', 'key.erasure.pub'));
    expect(await verify()).to.have.property('code', 1);
  });
});
