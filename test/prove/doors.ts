/**
 * The same 200 requests on every door to another commit and to this one, on both stores. Prints each difference with
 * its reason; one without a reason breaks the proof.
 */
import { openWorld, breakGlass, type World } from '../flows/support/world.ts';
import { startMongoPeer } from '../support/peers/mongodb-peer.ts';
import { comparableAnswer } from './doors/answer.ts';
import { checkOut } from './doors/checkout.ts';
import { reasonFor } from './doors/reasons.ts';
import { comparedRequests, type ComparedRequest } from './doors/requests.ts';
import type { Proof } from './prove.ts';

/** The commit before the house was changed. */
const BEFORE = '99d37ea';
const SLICES = 3;

type Answers = ReadonlyMap<string, string>;

/** Compares; `PASSERELLE_COMPARED_COMMIT` names another commit than {@link BEFORE}. */
export async function proveDoors(): Promise<Proof> {
  const requests = comparedRequests();
  const before = await checkOut(process.env['PASSERELLE_COMPARED_COMMIT'] ?? BEFORE, 'its own');
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('The comparison needs the server of MongoDB’s protocol');
  try {
    const counts: Record<string, number> = { requests: requests.length, differences: 0, unexplained: 0 };
    for (const storeOf of [() => 'sqlite', () => peer.freshUri()]) {
      const then = await answersOf(requests, storeOf(), before.root);
      const now = await answersOf(requests, storeOf());
      tell(then, now, counts);
    }
    if (counts['unexplained'] !== 0) throw new Error(`${counts['unexplained']} differences have no reason`);
    return { counts };
  } finally {
    await peer.stop();
    await before.remove();
  }
}

async function answersOf(requests: readonly ComparedRequest[], store: string, root?: string): Promise<Answers> {
  const world = await openWorld({ store, slices: SLICES, ...(root === undefined ? {} : { root }) });
  try {
    await breakGlass(world);
    const answers = new Map<string, string>();
    for (const [at, request] of requests.entries()) answers.set(`${at} ${request.name}`, await ask(request, world));
    return answers;
  } finally {
    await world.close();
  }
}

async function ask(request: ComparedRequest, world: World): Promise<string> {
  return comparableAnswer(await request.ask(world), world);
}

function tell(then: Answers, now: Answers, counts: Record<string, number>): void {
  for (const [name, answer] of now) {
    const former = then.get(name) ?? '';
    if (answer === former) continue;
    const reason = reasonFor(name, former, answer);
    counts['differences'] = (counts['differences'] ?? 0) + 1;
    if (reason === undefined) counts['unexplained'] = (counts['unexplained'] ?? 0) + 1;
    console.log(`${name}: ${reason ?? 'NO REASON'}\n${changedLines(former, answer)}`);
  }
}

const MOST_LINES = 12;

/** The lines that one has and the other lacks. */
function changedLines(former: string, answer: string): string {
  const [old, fresh] = [former.split('\n'), answer.split('\n')];
  const gone = old.filter((line) => !fresh.includes(line)).map((line) => `  - ${line}`);
  const come = fresh.filter((line) => !old.includes(line)).map((line) => `  + ${line}`);
  const told = [...gone.slice(0, MOST_LINES), ...come.slice(0, MOST_LINES)];
  return [...told, ...(gone.length + come.length > told.length ? ['  …'] : [])].join('\n');
}
