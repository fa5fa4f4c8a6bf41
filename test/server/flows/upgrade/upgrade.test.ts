/** What earlier servers wrote is passed once, page by page, whoever is killed; meanwhile health alone is answered. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { upgradeWhileWaiting } from '../../../../server/compose/upgrade.ts';
import { configFrom } from '../../../../server/config/config.ts';
import type { UpgradeStep } from '../../../../server/flows/upgrade/upgrade-step.ts';
import { Upgrade } from '../../../../server/flows/upgrade/upgrade.ts';
import { openLog } from '../../../../server/log.ts';
import type { InternalRow } from '../../../../server/ports/record-store.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { freePort } from '../../../support/free-port.ts';
import { aPersonKey, aPlan, aPut, NOW } from '../../../support/plans.ts';
import { expectFault } from '../../../support/faults.ts';
import type { Stores } from '../../../support/stores.ts';
import { commitPlan } from '../../../support/warrants.ts';

/** More than two pages. */
const PATIENTS = 450;
const KILLED = 'This one is killed';

type Worked = (row: InternalRow) => Promise<number>;

describe('What earlier servers wrote is taken over', function () {
  this.timeout(60_000);
  let stores: Stores & { close(): Promise<void> };
  let dataDir: string;
  let lines: string[];
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-upgrade-'));
    stores = await openSqliteStores({ dataDir });
    lines = [];
    await commitPlan(stores.records, aPlan({ puts: Array.from({ length: PATIENTS }, aPatient) }));
  });
  afterEach(async () => {
    await stores.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const aPatient = () => aPut({ type: 'Patient', person: aPersonKey() });

  function upgrade(work: Worked, further: readonly UpgradeStep[] = [], type: UpgradeStep['type'] = 'Patient'): Upgrade {
    const destination = new PassThrough().on('data', (line: Buffer) => lines.push(line.toString()));
    const log = openLog({ level: 'info', destination })('upgrade');
    const step = { name: 'patients', reason: 'adopt-identities', type, where: [], work } as const;
    return new Upgrade({ records: stores.records, clock: { now: () => NOW }, log }, [step, ...further]);
  }

  async function waitFor(due: Upgrade, port: number): Promise<void> {
    const config = configFrom({ DEVELOPMENT: '1', DATA_DIR: dataDir, HTTP_PORT: `${port}` });
    await upgradeWhileWaiting(due, config, openLog({ level: 'error' })('http'));
  }

  it('once for each row, the steps in their order; then nothing is due', async () => {
    const passed: string[] = [];
    const step = (name: string): UpgradeStep => {
      const work: Worked = async ({ id }) => await Promise.resolve(passed.push(`${name} ${id}`) && 0);
      return { name, reason: 'adopt-reports', type: 'Patient', where: [], work };
    };
    const all = upgrade(step('first').work, [step('second')]);
    expect(await all.isDue()).to.equal(true);
    await all.run();
    expect(new Set(passed).size).to.equal(2 * PATIENTS);
    expect(passed.map((one) => one.split(' ')[0])).to.deep.equal([
      ...Array.from({ length: PATIENTS }, () => 'first'),
      ...Array.from({ length: PATIENTS }, () => 'second'),
    ]);
    expect([await all.isDue(), all.report()]).to.deep.equal([false, {}]);
  });

  it('by who goes on at the page where another was killed', async () => {
    const passed = { before: new Set<string>(), after: new Set<string>() };
    const killed = upgrade(async ({ id }) => {
      if (passed.before.size === 300) throw new Error(KILLED);
      return await Promise.resolve(passed.before.add(id) && 0);
    });
    await killed.run().then(
      () => expect.fail('It is not killed'),
      (error: Error) => expect(error.message).to.equal(KILLED),
    );
    const next = upgrade(async ({ id }) => await Promise.resolve(passed.after.add(id) && 0));
    await next.run();
    expect(passed.after.size).to.equal(250);
    expect(new Set([...passed.before, ...passed.after]).size).to.equal(PATIENTS);
  });

  it('by two at once, who do not pass one page twice for longer than it takes', async () => {
    const passed: string[] = [];
    const work: Worked = async ({ id }) => await Promise.resolve(passed.push(id) && 0);
    await Promise.all([upgrade(work).run(), upgrade(work).run()]);
    expect(new Set(passed).size).to.equal(PATIENTS);
    expect(await upgrade(work).isDue()).to.equal(false);
  });

  it('while readiness tells how far it is, other doors say to try later, and the log says both ends', async () => {
    const [at, go] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    let passed = 0;
    const due = upgrade(async () => {
      passed += 1;
      if (passed <= 300) return 0;
      at.resolve(undefined);
      await go.promise;
      return 1;
    });
    const port = await freePort();
    const ended = waitFor(due, port);
    await at.promise;
    const ask = async (path: string) => await fetch(`http://127.0.0.1:${port}${path}`);
    const ready = await ask('/health/ready');
    expect([ready.status, await ready.json()]).to.deep.equal([
      503,
      {
        status: 'fail',
        checks: {
          'upgrade:rows': [
            {
              status: 'fail',
              observedUnit: 'rows',
              output: 'Data of an earlier server are taken over: no door is open until they are',
              observedValue: 150,
            },
          ],
        },
        upgrade: { step: 'patients', done: 300, left: 150 },
      },
    ]);
    expect((await ask('/health/live')).status).to.equal(200);
    expect((await ask('/fhir/Patient')).status).to.equal(503);
    expect((await ask('/dicom-web/studies')).status).to.equal(503);
    go.resolve(undefined);
    await ended;
    await ask('/health/ready').then(
      () => expect.fail('The port is still taken'),
      () => undefined,
    );
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map(({ level, step, left, listed }) => ({ level, step, left, listed }))).to.deep.equal([
      { level: 'info', step: 'patients', left: PATIENTS, listed: undefined },
      { level: 'warn', step: undefined, left: undefined, listed: 150 },
    ]);
  });

  it('without the port where there is nothing, which is marked: what comes later is of this server', async () => {
    const [port, other] = [await freePort(), createServer()];
    await new Promise<void>((done) => other.listen(port, '127.0.0.1', done));
    const passed: string[] = [];
    const work: Worked = async ({ id }) => await Promise.resolve(passed.push(id) && 0);
    try {
      await waitFor(upgrade(work, [], 'Encounter'), port);
    } finally {
      other.close();
    }
    await commitPlan(stores.records, aPlan({ puts: [aPut({ type: 'Encounter', person: aPersonKey() })] }));
    await waitFor(upgrade(work, [], 'Encounter'), port);
    expect(passed).to.deep.equal([]);
  });

  it('and it names the variable when the port is taken', async () => {
    const port = await freePort();
    const go = Promise.withResolvers<number>();
    const first = waitFor(
      upgrade(async () => await go.promise),
      port,
    );
    while ((await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => undefined)) === undefined);
    const second = waitFor(
      upgrade(async () => await Promise.resolve(0)),
      port,
    );
    const fault = await expectFault(second, 'conflict');
    expect(fault.message).to.include('PASSERELLE_HTTP_PORT');
    go.resolve(0);
    await first;
  });
});
