/** What operators see of jobs and do about them: readiness, the log, `npm run jobs`; each act leaves an AuditEvent. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { JOB_POLICIES } from '../../server/flows/jobs/job-policies.ts';
import { JOB_KINDS, type JobOutcome } from '../../server/ports/job-queue.ts';
import { openMongoStores } from '../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../server/stores/sqlite/open.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { runCommand, type CommandResult } from '../support/command.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
import { anId, aPlan, aQuery, SYSTEM } from '../support/plans.ts';
import { startServer, type TestServer } from '../support/server.ts';
import type { Stores } from '../support/stores.ts';
import { commitPlan } from '../support/warrants.ts';
import { openedResource } from '../../server/ports/internal-row.ts';

const KIND = 'end-viewing';
const { attempts: MOST } = JOB_POLICIES[KIND];

type Place = { readonly dataDir: string; readonly store: string };
type Health = {
  readonly status: string;
  readonly checks?: Record<string, readonly object[]>;
  readonly jobs: Record<string, Record<string, number>>;
};

for (const name of ['SQLite', 'MongoDB'] as const) {
  const missing = name === 'MongoDB' ? whyNoMongoPeer() : undefined;
  const suite = missing === undefined ? describe : describe.skip;
  suite(`Jobs as operators see them: ${name}${missing === undefined ? '' : `, skipped, ${missing}`}`, function () {
    this.timeout(120_000);
    let peer: MongoPeer | undefined;
    let place: Place;
    let server: TestServer;
    /** No event has their ids: the work of these jobs fails. */
    const [dead, dying] = [aViewing(), aViewing()];

    before(async () => {
      peer = name === 'MongoDB' ? await startMongoPeer() : undefined;
      const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-jobs-'));
      place = { dataDir, store: peer?.freshUri() ?? 'sqlite' };
      await onStores(place, async (stores) => {
        await commitPlan(stores.records, aPlan({ jobs: [dead] }));
        await attempt(stores, { end: 'dead', error: 'exception' });
        await commitPlan(stores.records, aPlan({ jobs: [dying] }));
        for (let tries = 1; tries < MOST; tries += 1)
          await attempt(stores, { end: 'failed', at: 0, error: 'transient' });
      });
      server = await startServer(place);
    });
    after(async () => {
      await server?.stop();
      await peer?.stop(place.store);
      await rm(place.dataDir, { recursive: true, force: true });
    });

    const jobs = async (...args: readonly string[]): Promise<CommandResult> => await runCommand('jobs', args, place);
    /** What `list` says of a job, by its columns. */
    const listed = async ({ id }: { readonly id: string }): Promise<string[] | undefined> =>
      (await jobs('list')).stdout
        .split('\n')
        .map((line) => line.split('\t'))
        .find((columns) => columns[1] === id);
    const health = async (): Promise<Health> => {
      const response = await fetch(`${server.url}/health/ready`);
      expect(response.status).to.equal(200);
      return (await response.json()) as Health;
    };

    it('are counted at /health/ready by kind; dead ones warn, and do not make it unready', async () => {
      const {
        status,
        checks,
        jobs: counts,
      } = await eventually(async () => {
        const told = await health();
        return told.jobs[KIND]?.['dead'] === 2 ? told : undefined;
      });
      const output = `Kinds with dead jobs: ${KIND}`;
      expect(status).to.equal('warn');
      expect(checks?.['jobs:dead']).to.deep.equal([{ status: 'warn', observedValue: 2, observedUnit: 'jobs', output }]);
      expect(Object.keys(counts)).to.deep.equal([...JOB_KINDS]);
      expect(counts[KIND]).to.deep.equal({ waiting: 0, running: 0, later: 0, dead: 2, oldestSeconds: 0 });
      expect(counts['sweep-images'], 'the next sweep').to.include({ later: 1 });
    });

    it('leave a line in the log when one dies: its kind and id, not its subject', async () => {
      const lines = server.log().split('\n');
      const died = lines.filter((line) => line.includes('a job is dead')).map((line) => JSON.parse(line) as object);
      expect(died).to.have.length(1);
      expect(died[0]).to.include({ level: 'error', kind: KIND, job: dying.id, attempts: MOST, error: 'not-found' });
      expect(server.log()).to.not.include(dying.subject);
    });

    it('are listed with kind, id, state, attempts, age, last error and event', async () => {
      const [kind, id, state, attempts, age, due, error, event] = (await listed(dying)) ?? [];
      expect([kind, id, state, attempts, due, error, event]).to.deep.equal([
        KIND,
        dying.id,
        'dead',
        String(MOST),
        '',
        'not-found',
        dying.event,
      ]);
      expect(age).to.match(/^\d+ s$/);
      const { stdout } = await jobs('list', 'sweep-images');
      expect(
        stdout
          .trim()
          .split('\n')
          .slice(1)
          .map((line) => line.split('\t')[0]),
      ).to.deep.equal(['sweep-images']);
    });

    it('are run again, one by its id or all of a kind, and have as many attempts', async () => {
      expect(await jobs('replay', dead.id)).to.include({ code: 0, stdout: 'replayed: 1\n' });
      const failed = async (): Promise<true | undefined> => {
        const [, , state, attempts, , , error] = (await listed(dead)) ?? [];
        return state === 'waiting' && attempts === '1' && error === 'not-found' ? true : undefined;
      };
      await eventually(failed, 20);
      expect((await listed(dying))?.[2]).to.equal('dead');
      expect(await jobs('replay', KIND)).to.include({ code: 0, stdout: 'replayed: 1\n' });
      const { status, jobs: counts } = await health();
      expect([status, counts[KIND]?.['dead']]).to.deep.equal(['pass', 0]);
    });

    it('are dropped by id, and what is no job is said to be none', async () => {
      expect(await jobs('drop', dead.id)).to.include({ code: 0, stdout: 'dropped: 1\n' });
      expect(await listed(dead)).to.equal(undefined);
      for (const [args, said] of [
        [['drop', dead.id], 'There is no such job'],
        [['replay', dead.id], 'There is no such dead job'],
        [['replay', 'nonsense'], 'The kinds of jobs are refresh-study'],
        [['list', 'nonsense'], 'The kinds of jobs are refresh-study'],
        [['retry'], 'Usage'],
        [['drop'], 'Usage'],
      ] as const)
        expect(await jobs(...args), args.join(' '))
          .to.include({ code: 2 })
          .and.property('stderr')
          .include(said);
    });

    it('are seen and dropped on a stopped server, too; what was done is in the trail, of no patient', async () => {
      await server.stop();
      expect((await listed(dying))?.slice(0, 3)).to.deep.equal([KIND, dying.id, 'waiting']);
      expect(await jobs('drop', dying.id)).to.include({ code: 0, stdout: 'dropped: 1\n' });
      const events = await onStores(place, async ({ records }) => {
        const { rows } = await records.peek(SYSTEM, { kind: 'search', query: aQuery('AuditEvent') });
        return rows.map((row) => openedResource<AuditEvent>(row)).filter(({ type }) => type.code === '110100');
      });
      const told = events.map(({ agent, entity = [] }) => [
        agent[0]?.who?.identifier?.value,
        ...entity.flatMap(({ detail = [] }) => detail.map(({ type, valueString }) => `${type}=${valueString}`)),
      ]);
      const event = (action: string, { id }: { readonly id: string }) => [
        'operator',
        `action=${action}`,
        `${KIND}=1`,
        `job=${id}`,
      ];
      expect(told).to.have.deep.members([
        event('replay', dead),
        event('replay', dying),
        event('drop', dead),
        event('drop', dying),
      ]);
      expect(JSON.stringify(events)).to.not.include('Patient/');
    });
  });
}

function aViewing() {
  const event = anId();
  const payload = { part: 'frames', further: 2, ended: 0 };
  return { id: anId(), kind: KIND, subject: event, event, payload, at: 0 } as const;
}

async function attempt({ jobs }: Stores, outcome: JobOutcome): Promise<void> {
  const [job] = await jobs.take(KIND, { now: 0, leaseMs: 1_000, limit: 1 });
  if (job === undefined || !(await jobs.settle(job, 0, outcome))) throw new Error('There was no job to try');
}

async function onStores<T>({ dataDir, store }: Place, work: (stores: Stores) => Promise<T>): Promise<T> {
  const stores = await (store === 'sqlite' ? openSqliteStores({ dataDir }) : openMongoStores({ uri: store }));
  try {
    return await work(stores);
  } finally {
    await stores.close();
  }
}
