/**
 * Small mistakes put into the sources that decide who sees and writes what, one at a time, each in a checkout of its
 * own: a test that is near must fail. A run that ended early is gone on with by the same line.
 */
import { machineOf } from '../support/run/machine.ts';
import { startMongoPeer } from '../support/peers/mongodb-peer.ts';
import { ALWAYS } from './mutants/always.ts';
import { drawMutants, type Drawn } from './mutants/draw.ts';
import { explanationOf } from './mutants/explained.ts';
import { openJournal, type Journal } from './journal.ts';
import { openLane, type Lane, type Outcome } from './mutants/lane.ts';
import { NEAREST } from './mutants/nearest.ts';
import type { Proof } from './prove.ts';

const MUTANTS = 300;
const LANES = 2;
const LIMIT_MS = 2 * 60 * 60_000;
/** Of those without an explanation. */
const LEAST_SHARE = 0.95;

type Tried = { readonly mutant: Drawn; readonly outcome: Outcome; readonly isKnown: boolean };

/** Runs the mutants of the commit; `PASSERELLE_MUTANTS` is their number, those that always run included. */
export async function proveMutants(seed: number): Promise<Proof> {
  const latest = performance.now() + LIMIT_MS;
  const { commit } = await machineOf();
  const count = Math.max(Number(process.env['PASSERELLE_MUTANTS'] ?? MUTANTS), ALWAYS.length);
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('The mutants need the server of MongoDB’s protocol');
  const env = { PASSERELLE_TEST_MONGODB: peer.freshUri(), PASSERELLE_PROPERTY_CASES: '60' };
  const lanes: Lane[] = [];
  try {
    for (let at = 0; at < LANES; at += 1) lanes.push(await openLane(commit, env));
    await expectGreen(lanes);
    const [first] = lanes;
    const drawn = await drawMutants(first?.root ?? '', seed);
    return proofOf(await tryAll(lanes, drawn, count, await openJournal(commit, seed), latest), count);
  } finally {
    for (const lane of lanes) await lane.remove();
    await peer.stop();
  }
}

/** Tests that fail without a mutation would kill every mutant. */
async function expectGreen(lanes: readonly Lane[]): Promise<void> {
  const all = [
    ...NEAREST.map(({ name, tests }) => ({ name, tests })),
    ...ALWAYS.map(({ what, tests }) => ({ name: what, tests })),
  ];
  await inLanes(lanes, async (lane) => {
    for (let next = all.shift(); next !== undefined; next = all.shift())
      if (!(await lane.passes(next.tests))) throw new Error(`Without a mutation the tests fail: ${next.name}`);
  });
}

/** Runs the first ones that compile, so many of them; fewer when the time is over. */
async function tryAll(
  lanes: readonly Lane[],
  drawn: readonly Drawn[],
  count: number,
  journal: Journal,
  latest: number,
): Promise<readonly Tried[]> {
  const waiting = [...drawn];
  const tried: Tried[] = [];
  let begun = 0;
  await inLanes(lanes, async (lane) => {
    while (begun < count && performance.now() < latest) {
      const mutant = waiting.shift();
      if (mutant === undefined) return;
      begun += 1;
      const known = journal.known.get(mutant.name);
      const outcome = known ?? (await lane.attempt(mutant.mutation, mutant.tests));
      // What took too long on a busy machine is tried again by the next run.
      if (known === undefined && outcome !== 'out of time') await journal.write(mutant.name, outcome);
      console.log(`${outcome}: ${mutant.name}`);
      // Another one is drawn for it.
      if (outcome !== 'killed' && outcome !== 'survived') begun -= 1;
      tried.push({ mutant, outcome, isKnown: known !== undefined });
    }
  });
  return tried;
}

/** What fails in one lane is told when no lane works any more: their checkouts are taken away then. */
async function inLanes(lanes: readonly Lane[], work: (lane: Lane) => Promise<void>): Promise<void> {
  const ended = await Promise.allSettled(lanes.map(work));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

function proofOf(tried: readonly Tried[], count: number): Proof {
  const of = (outcome: Outcome): readonly Drawn[] =>
    tried.filter((one) => one.outcome === outcome).map(({ mutant }) => mutant);
  const told = of('survived').map((mutant) => ({
    name: mutant.name,
    reason: explanationOf(mutant.mutation.path, mutant.mutation.what, mutant.line),
  }));
  const survived = told.filter(({ reason }) => reason === undefined);
  const explained = told.filter(({ reason }) => reason !== undefined);
  const killed = of('killed').length;
  const mutants = killed + told.length;
  const share = killed / Math.max(killed + survived.length, 1);
  const broken = brokenBy(mutants, count, share, tried);
  return {
    counts: {
      mutants,
      killed,
      survived: survived.length,
      explained: explained.length,
      'share killed, per cent': Math.floor(share * 1000) / 10,
      'killed by an earlier run of the same sources': tried.filter(isKilledBefore).length,
      'did not compile, drawn again': of('does not compile').length,
      'out of time, drawn again': of('out of time').length,
    },
    details: [...survived.map(({ name }) => name), ...explained.map(({ name, reason }) => `${name} (${reason})`)],
    ...(broken === undefined ? {} : { broken }),
  };
}

function isKilledBefore({ outcome, isKnown }: Tried): boolean {
  return isKnown && outcome === 'killed';
}

function brokenBy(mutants: number, count: number, share: number, tried: readonly Tried[]): string | undefined {
  const known = new Set(ALWAYS.map(({ what }) => what));
  const isBack = tried.some(({ mutant, outcome }) => known.has(mutant.mutation.what) && outcome !== 'killed');
  if (isBack) return 'a mutant that always runs was not killed';
  if (mutants < count) return `${mutants} of ${count} mutants were run: the same line goes on with the others`;
  return share < LEAST_SHARE ? `fewer than ${LEAST_SHARE * 100} % are killed` : undefined;
}
