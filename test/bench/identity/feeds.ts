/**
 * A feed of somebody new, and one that joins two persons, in a region of many: the statements of each, with those of
 * the jobs that follow.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patientIdentifier } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS, type EstablishmentKey } from '../../../fixtures/people.ts';
import { beginTally } from '../../cost/support/tally.ts';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';
import { establishmentCaller } from '../../support/demonstration.ts';
import { startMongoPeer, whyNoMongoPeer } from '../../support/peers/mongodb-peer.ts';
import { startServer, type ServerOptions } from '../../support/server.ts';
import { msOf, type Row } from '../support/figures.ts';
import { accepted } from './joining.ts';
import { copyPeopleInMongo } from './people-mongodb.ts';
import { copyPeople, feedFirst, ownAt, personsOf, regionOfOneNumber } from './people-world.ts';
import { saidOf, somebody, unknownAtNancy, type Somebody } from './people-world.ts';

const IDENTITIES = Number(process.env['PASSERELLE_BENCH_IDENTITIES'] ?? 1_000_000);
const MONGODB_IDENTITIES = Number(process.env['PASSERELLE_BENCH_MONGODB_IDENTITIES'] ?? 50_000);
const REPEATS = 4;
const QUIET_MS = 1_500;
/** What the specification allows one that joins, beside one that does not. */
const BUDGET = 3;

type Filled = { readonly options: ServerOptions; readonly copy: () => Promise<void> | void };

/** Measures on both stores; without a server of MongoDB it says so. */
export async function measureFeeds(): Promise<readonly Row[]> {
  const region = await regionOfOneNumber();
  const env = { REGION: region.path };
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-feeds-'));
  try {
    const folder: Filled = { options: { env, dataDir }, copy: () => copyPeople(dataDir, IDENTITIES) };
    return [await measureOn('SQLite', IDENTITIES, folder), await measureOnMongo(env)];
  } finally {
    await rm(dataDir, { recursive: true, force: true });
    await region.remove();
  }
}

async function measureOnMongo(env: Readonly<Record<string, string>>): Promise<Row> {
  const peer = await startMongoPeer();
  if (peer === undefined) return { name: 'skipped', figures: { missing: whyNoMongoPeer() ?? '' } };
  try {
    const uri = peer.freshUri();
    const store = `${uri}${uri.includes('?') ? '&' : '?'}monitorCommands=true`;
    const copy = async (): Promise<void> => await copyPeopleInMongo(uri, MONGODB_IDENTITIES);
    return await measureOn('MongoDB', MONGODB_IDENTITIES, { options: { env, store }, copy });
  } finally {
    await peer.stop();
  }
}

async function measureOn(name: string, identities: number, { options, copy }: Filled): Promise<Row> {
  const first = await startServer(options);
  await feedFirst(first).finally(async () => await first.stop());
  await copy();
  const tally = await beginTally();
  const server = await startServer({ ...options, under: tally.under });
  try {
    const least = async (by: EstablishmentKey, fed: (nth: number) => Somebody): Promise<number> => {
      const caller = await establishmentCaller(server, by);
      const statements: number[] = [];
      for (let nth = 0; nth <= REPEATS; nth += 1)
        statements.push((await tally.costOf(async () => await feed(caller, by, fed(nth)), QUIET_MS)).statements);
      // The first time prepares statements, and loads modules.
      return Math.min(...statements.slice(1));
    };
    const fresh = await least('strasbourg', (nth) => somebody(identities + nth));
    const joining = await least('nancy', (nth) => unknownAtNancy(nth + 1, identities));
    return {
      name: `feeds among ${identities} identities (${name})`,
      figures: { persons: personsOf(identities), fresh, joining, ratio: msOf(joining / fresh), budget: BUDGET },
    };
  } finally {
    await server.stop();
    await tally.end();
  }
}

async function feed(caller: FhirCaller, at: EstablishmentKey, one: Somebody): Promise<void> {
  const { system } = patientIdentifier(PATIENTS.helene, ESTABLISHMENTS[at]);
  await accepted(caller, 'PUT', `Patient?identifier=${system}|${ownAt(one, at)}`, saidOf(one, at));
}
