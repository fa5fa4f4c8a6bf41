/**
 * What each kind of request costs, counted: a change that makes one dearer fails here, whatever the machine. Who makes
 * one cheaper writes the new number down.
 */
import { expect } from 'chai';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { establishmentCaller, fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import type { FhirCaller } from '../support/clients/fhir-caller.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { costRows, WITHDRAWAL, type CostRow } from './support/rows.ts';
import { COSTS, type Counts } from './support/table.ts';
import { beginTally, type Cost, type Tally } from './support/tally.ts';

type Store = keyof typeof COSTS;

const QUIET_MS = 200;
const QUIET_AFTER_WRITE_MS = 1_500;
/** Of so many times, one splits no page of an index. */
const REPEATS = 12;
const REPEATS_OF_WRITE = 3;
/** That a statement more is counted is seen once, of a read and of what is filed: how it is counted is one for all. */
const ONCE = 1;
const SEEN: readonly string[] = ['FHIR read', 'C-STORE'];
/** Two persons of whom little is known: what a join moves is more rows of the same statements. */
const JOIN_TO_FEED = 3;
const ONE_MORE = new URL('support/one-more.ts', import.meta.url);

describe('Costs (SQLite)', () => {
  costs('SQLite', async () => undefined, undefined);
});
describe('Costs (MongoDB)', () => {
  costs('MongoDB', startMongoPeer, whyNoMongoPeer());
});

function costs(store: Store, start: () => Promise<MongoPeer | undefined>, lacking: string | undefined): void {
  const measured = new Map<string, Counts>();
  after(() => printTable(store, measured));
  describe('as they are', () => {
    eachRow({ start, lacking, preloads: [], repeats: REPEATS }, (name, counts, told) => {
      measured.set(name, counts);
      const { logBytes = Infinity, ...exact } = COSTS[store][name] ?? counts;
      // Rows that happen to lie in one page of an index take one page of the log less.
      expect(counts, told).to.deep.equal({ ...exact, logBytes: Math.min(counts.logBytes, logBytes) });
    });
  });
  it(`of a feed that joins are at most ${JOIN_TO_FEED} times the statements of one that does not`, () => {
    const statements = (name: string): number => COSTS[store][name]?.statements ?? Number.NaN;
    expect(statements('ITI-104 feed that joins')).to.be.at.most(JOIN_TO_FEED * statements('ITI-104 feed'));
  });
  describe('with one statement more', () => {
    eachRow({ start, lacking, preloads: [ONE_MORE], repeats: ONCE, names: SEEN }, (name, { statements }) => {
      expect(statements).to.be.greaterThan(COSTS[store][name]?.statements ?? Number.NaN);
    });
  });
}

type Check = (name: string, counts: Counts, told: string) => void;

type Counting = {
  readonly start: () => Promise<MongoPeer | undefined>;
  readonly lacking: string | undefined;
  readonly preloads: readonly URL[];
  readonly repeats: number;
  /** Kinds of requests, by their names; without it all. */
  readonly names?: readonly string[];
};

function eachRow({ start, lacking, preloads, repeats, names }: Counting, check: Check): void {
  let [server, tally, peer]: [TestServer?, Tally?, MongoPeer?] = [];
  let patient: FhirCaller | undefined;
  let region: Demonstration | undefined;

  before(async function () {
    this.timeout(120_000);
    if (!hasProgram('strace') || lacking !== undefined) this.skip();
    peer = await start();
    tally = await beginTally(preloads);
    server = await startServer({ under: tally.under, ...(peer === undefined ? {} : { store: monitored(peer) }) });
    const strasbourg = await establishmentCaller(server, 'strasbourg');
    const made = await strasbourg.send('POST', 'Patient', toPatient(PATIENTS.helene, ESTABLISHMENTS.strasbourg));
    expect(made.status, made.text).to.equal(201);
    patient = await personCaller(server, 'demo-patient');
  });
  after(async () => {
    await server?.stop();
    await tally?.end();
    await peer?.stop();
  });

  const itCosts = <World>(row: CostRow<World>, open: () => Promise<World>): void => {
    if (names?.includes(row.name) === false) return;
    it(row.name, async function measure() {
      this.timeout(120_000);
      const world = await open();
      if (tally === undefined) throw new Error('Nothing is counted');
      const costs = await repeatedly(row, world, tally, repeats);
      check(row.name, leastOf(costs), costs[0]?.texts.join('\n') ?? '');
    });
  };
  itCosts(WITHDRAWAL, async () => opened(patient));
  for (const row of costRows()) itCosts(row, async () => (region ??= await fillDemonstration(opened(server))));
}

function opened<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The server is not running');
  return value;
}

async function repeatedly<World>(
  row: CostRow<World>,
  world: World,
  tally: Tally,
  most: number,
): Promise<readonly Cost[]> {
  const [quietMs, repeats] =
    row.isWrite === true ? [QUIET_AFTER_WRITE_MS, Math.min(most, REPEATS_OF_WRITE)] : [QUIET_MS, most];
  const costs: Cost[] = [];
  for (let at = 0; at <= repeats; at += 1) {
    await row.before?.(world);
    const cost = await tally.costOf(async () => await row.ask(world), quietMs);
    // The first time prepares statements, and loads modules.
    if (at > 0) costs.push(cost);
    await row.restore?.(world);
  }
  await row.end?.();
  return costs;
}

/** The driver tells of its commands. */
function monitored(peer: MongoPeer): string {
  const uri = peer.freshUri();
  return `${uri}${uri.includes('?') ? '&' : '?'}monitorCommands=true`;
}

/** What a request costs when no page of an index is split by it, and nothing else happens meanwhile. */
function leastOf(costs: readonly Cost[]): Counts {
  const least = (of: keyof Counts): number => Math.min(...costs.map((cost) => cost[of]));
  return {
    statements: least('statements'),
    rows: least('rows'),
    messages: least('messages'),
    syncs: least('syncs'),
    logBytes: least('logBytes'),
  };
}

function printTable(store: string, measured: ReadonlyMap<string, Counts>): void {
  if (measured.size === 0) return;
  const lines = [...measured].map(([name, counts]) => `    ${name.padEnd(28)}${Object.values(counts).join('  ')}`);
  const head = `    ${store.padEnd(28)}statements  rows  messages  syncs  logBytes`;
  process.stdout.write(`${[head, ...lines].join('\n')}\n`);
}
