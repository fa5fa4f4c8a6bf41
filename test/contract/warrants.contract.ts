/**
 * The property on which every write rests: a store takes a plan when the decision of that moment gives the warrant, and
 * no other plan, whatever changed since the warrant was given.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { Fault, toFault } from '../../profiles/fault.ts';
import { stateAllows } from '../../server/access/decide.ts';
import { mayWrite } from '../../server/access/may-write.ts';
import type { Warrant } from '../../server/access/warrant.ts';
import { errorOf } from '../support/faults.ts';
import type { OpenStores } from '../support/stores.ts';
import { useStores, type Suite } from './suite.ts';
import { aCase, World, type Case } from './warrants/world.ts';

const FIXED_SEED = 20_261_128;

/**
 * Runs the property on an adapter, half of the cases from a fixed seed and half from a fresh one.
 * PASSERELLE_PROPERTY_CASES is the number of writes; PASSERELLE_PROPERTY_SEED repeats a failure and shrinks it.
 */
export function warrantsContract(name: string, open: OpenStores): void {
  const cases = Number(process.env.PASSERELLE_PROPERTY_CASES ?? 150);
  const named = process.env.PASSERELLE_PROPERTY_SEED;

  describe(`commit(warrant, plan) = mayWrite: ${name}`, function () {
    this.timeout(60_000 + cases * 1_000);
    const suite = useStores(open);
    const run = async (seed: number): Promise<void> => {
      const property = fc.asyncProperty(aCase, async (one) => await checkCase(suite, one));
      const numRuns = Math.max(1, Math.ceil(cases / 2));
      await fc.assert(property, { seed, numRuns, endOnFailure: named === undefined, verbose: false });
    };

    it('holds for writes of a fixed seed', async () => {
      await run(FIXED_SEED);
    });

    it('holds for writes of a fresh seed', async () => {
      await run(named === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(named));
    });
  });
}

async function checkCase({ records, tokens }: Suite, one: Case): Promise<void> {
  const world = new World(records, tokens, one);
  await world.begin();
  await world.change(one.before);
  const person = await world.present();
  const facts = await world.facts();
  const decided = decide(world, one, facts);
  if (decided instanceof Fault) {
    // Of whoever is opposed nothing comes in: 422.
    expect(decided.kind).to.be.oneOf(['forbidden', 'invalid', 'not-found', 'business-rule']);
    return;
  }
  const plan = await world.plan(one.act);
  await world.change(one.between);
  const isMoved = (await world.present()) !== person;
  const isClosed = opensBy(one, facts) && !opensBy(one, await world.facts());
  const expected = isClosed && !world.isOut ? 'conflict' : await expectedOf(world, one, isMoved);
  const outcome = await errorOf(records.commit(decided, plan));
  expect(outcome === undefined ? 'stored' : toFault(outcome).kind, JSON.stringify(one)).to.equal(expected);
}

function decide(world: World, { act }: Case, facts: Parameters<typeof mayWrite>[2]): Warrant | Fault {
  try {
    return mayWrite(world.requester, act, facts);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

/** Whether an emergency opens the record: a plan that does is built anew where it does not any more. */
function opensBy({ act }: Case, { subject }: Parameters<typeof mayWrite>[2]): boolean {
  const isEmergency = act.interaction === 'operation' && act.operation === 'break-glass';
  return isEmergency && subject !== undefined && stateAllows('break-glass', subject.state);
}

/** What has to become of the plan: what a new decision on what stands now says, and `exception` for what is beside. */
async function expectedOf(world: World, one: Case, isMoved: boolean): Promise<string> {
  if (world.isOut) return 'login';
  if (isMoved) return 'conflict';
  if (decide(world, one, await world.facts()) instanceof Fault) return 'conflict';
  return one.excess === 'none' ? 'stored' : 'exception';
}
