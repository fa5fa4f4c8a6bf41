/**
 * PIX, PDQ and a feed among a million identities and among a thousand: how long each takes over HTTP, beside bare SQL
 * for the same rows and an answer of the same server that asks no store.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { patientIdentifier } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import type { FhirAnswer, FhirCaller } from '../../support/clients/fhir-caller.ts';
import { establishmentCaller } from '../../support/demonstration.ts';
import { startServer, type ServerOptions, type TestServer } from '../../support/server.ts';
import { medianOf, msOf, quantileOf, type Row } from '../support/figures.ts';
import { copyPeople, feedFirst, ownAt, personsOf, regionOfOneNumber } from './people-world.ts';
import { groupsOf, saidOf, unknownAtNancy, type Somebody } from './people-world.ts';

const IDENTITIES = Number(process.env['PASSERELLE_BENCH_IDENTITIES'] ?? 1_000_000);
const FEW = 1_000;
const ASKS = 150;
const WARMING = 20;
/** A prime: the nth that is asked for is nobody's neighbour, and nobody is asked for twice. */
const STEP = 7_919;

const { strasbourg, nancy } = ESTABLISHMENTS;
const NATIONAL = PATIENTS.helene.national.system;
const { system: OWN } = patientIdentifier(PATIENTS.helene, strasbourg);
const { system: NANCY } = patientIdentifier(PATIENTS.helene, nancy);

/** Measures; `PASSERELLE_BENCH_IDENTITIES` makes the region smaller. */
export async function measureLookups(): Promise<readonly Row[]> {
  const few = await measureAt(FEW);
  const many = await measureAt(IDENTITIES);
  return [
    {
      name: 'identities',
      figures: {
        identities: IDENTITIES,
        persons: personsOf(IDENTITIES),
        fillSeconds: Math.round(many.fillMs / 1_000),
      },
    },
    ...KINDS.map(({ name }) => rowOf(name, few, many)),
  ];
}

type World = {
  readonly server: TestServer;
  readonly author: FhirCaller;
  readonly other: FhirCaller;
  readonly db: DatabaseSync;
  /** A file beside it, where nothing is indexed. */
  readonly beside: DatabaseSync;
};

/** A kind of request, and what a store cannot do without for it. */
type Kind = {
  readonly name: string;
  readonly ask: (world: World, one: Somebody) => Promise<FhirAnswer>;
  /** Text that only the right answer holds. */
  readonly answers: (one: Somebody) => string;
  readonly bare: (world: World, one: Somebody, at: number) => void;
};

const KINDS: readonly Kind[] = [
  {
    name: 'PIX by a local number (ITI-83)',
    ask: async ({ author }, { own }) => await author.get(`Patient/$ihe-pix?sourceIdentifier=${OWN}|${own}`),
    answers: ({ national }) => national,
    bare: ({ db }, { own }) => db.prepare(BARE_CLAIM).all(`identity|${OWN}|${own}`),
  },
  {
    name: 'PIX by a national number (ITI-83)',
    ask: async ({ author }, { national }) =>
      await author.get(`Patient/$ihe-pix?sourceIdentifier=${NATIONAL}|${national}`),
    answers: ({ own }) => own,
    bare: ({ db }, { national }) => db.prepare(BARE_NUMBER).all(national),
  },
  {
    name: 'PDQ by a national number (ITI-78)',
    ask: async ({ author }, { national }) => await author.get(`Patient?identifier=${NATIONAL}|${national}`),
    answers: ({ own }) => own,
    bare: ({ db }, { national }) => db.prepare(BARE_NUMBER).all(national),
  },
  {
    name: 'PDQ by name and birth date (ITI-78)',
    ask: async ({ author }, { family, birthDate }) =>
      await author.get(`Patient?family=${family}&birthdate=${birthDate}&gender=female`),
    answers: ({ own }) => own,
    bare: ({ db }, { family, birthDate }) =>
      db.prepare(BARE_TRAITS).all(family.toLowerCase(), Date.parse(birthDate) - DAY_MS, Date.parse(birthDate) + DAY_MS),
  },
  {
    name: 'feed of who is known elsewhere (ITI-104)',
    ask: async ({ other }, one) =>
      await other.send('PUT', `Patient?identifier=${NANCY}|${ownAt(one, 'nancy')}`, saidOf(one, 'nancy')),
    answers: () => '',
    bare: ({ beside }, { own }, at) => writeBare(beside, own, at),
  },
];

const DAY_MS = 86_400_000;
const BARE_CLAIM = `SELECT r.json FROM claim c JOIN resource r ON r.type = 'Patient' AND r.id = substr(c.value, 9)
  WHERE c.key = ?`;
const BARE_NUMBER = `SELECT r.json FROM token t JOIN resource r USING (rid)
  WHERE t.param = 'Patient.identifier' AND t.value = ?`;
const BARE_TRAITS = `SELECT r.json FROM string_value s JOIN date_range d USING (rid) JOIN resource r USING (rid)
  WHERE s.param = 'Patient.family' AND s.value = ? AND d.param = 'Patient.birthdate' AND d.lo > ? AND d.lo < ?`;

/** Writes two rows of as many bytes, durable. */
function writeBare(db: DatabaseSync, own: string, at: number): void {
  db.exec('BEGIN IMMEDIATE');
  for (const kind of ['said', 'is'])
    db.prepare('INSERT INTO bare VALUES (?, ?)').run(`${own} ${kind} ${at}`, 'x'.repeat(2_000));
  db.exec('COMMIT');
}

/** Times in milliseconds by the name of the kind. */
type Times = Readonly<Record<'product' | 'bare' | 'http', readonly number[]>>;
type At = { readonly fillMs: number; readonly times: ReadonlyMap<string, Times> };

async function measureAt(identities: number): Promise<At> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-identities-'));
  const region = await regionOfOneNumber();
  const options = { dataDir, env: { REGION: region.path } };
  try {
    const began = performance.now();
    const server = await startServer(options);
    await feedFirst(server).finally(async () => await server.stop());
    copyPeople(dataDir, identities);
    const fillMs = performance.now() - began;
    return { fillMs, ...(await askAll(options, identities)) };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
    await region.remove();
  }
}

async function askAll(
  options: ServerOptions & { readonly dataDir: string },
  identities: number,
): Promise<Omit<At, 'fillMs'>> {
  const { dataDir } = options;
  const server = await startServer(options);
  const db = new DatabaseSync(join(dataDir, 'records.sqlite'), { readOnly: true });
  const beside = new DatabaseSync(join(dataDir, 'bare.sqlite'));
  beside.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE bare (id TEXT PRIMARY KEY, json TEXT)',
  );
  try {
    const [author, other] = [
      await establishmentCaller(server, 'strasbourg'),
      await establishmentCaller(server, 'nancy'),
    ];
    const world: World = { server, author, other, db, beside };
    const times = new Map<string, Times>();
    for (const kind of KINDS) times.set(kind.name, await timesOf(kind, world, identities));
    requireJoined(db, asked(1, identities));
    return { times };
  } finally {
    await server.stop();
    db.close();
    beside.close();
  }
}

function asked(at: number, identities: number): Somebody {
  return unknownAtNancy((at * STEP) % groupsOf(identities), identities);
}

/** The feed was of the same person: her new identity is shown by the Patient of the other. */
function requireJoined(db: DatabaseSync, one: Somebody): void {
  const found = db.prepare(IDENTITY).get(`identity|${NANCY}|${ownAt(one, 'nancy')}`);
  if (found?.['patient'] === null || found === undefined) throw new Error(`A feed joined nobody: ${found?.['id']}`);
}

const IDENTITY = `SELECT r.id, r.patient FROM claim c JOIN resource r ON r.type = 'Person' AND r.id = substr(c.value, 9)
  WHERE c.key = ?`;

async function timesOf(kind: Kind, world: World, identities: number): Promise<Times> {
  const product: number[] = [];
  const bare: number[] = [];
  const http: number[] = [];
  for (let at = 1; at <= WARMING + ASKS; at += 1) {
    const one = asked(at, identities);
    const ms = await timeOf(async () => {
      const { status, text } = await kind.ask(world, one);
      if (status >= 300 || !text.includes(kind.answers(one))) throw new Error(`${kind.name}: ${status} ${text}`);
    });
    const bareMs = await timeOf(() => kind.bare(world, one, at));
    const httpMs = await timeOf(async () => await (await fetch(`${world.server.url}/health/live`)).text());
    if (at <= WARMING) continue;
    product.push(ms);
    bare.push(bareMs);
    http.push(httpMs);
  }
  return { product, bare, http };
}

async function timeOf(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function rowOf(name: string, few: At, many: At): Row {
  const { product = [], bare = [], http = [] } = many.times.get(name) ?? {};
  const p50 = medianOf(product);
  const floorMs = medianOf(bare) + medianOf(http);
  return {
    name,
    figures: {
      p50Ms: msOf(p50),
      p99Ms: msOf(quantileOf(product, 0.99)),
      amongAThousandMs: msOf(medianOf(few.times.get(name)?.product ?? [])),
      bareSqlMs: msOf(medianOf(bare)),
      bareHttpMs: msOf(medianOf(http)),
      ratioToFloor: msOf(p50 / floorMs),
    },
  };
}
