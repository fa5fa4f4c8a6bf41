/**
 * The property on which every door rests: what a store answers to a grant is what filtering everything by the
 * decision gives, in rows, order, count and pages, and by the right that it names.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import type { RecordStore, SearchPage } from '../../server/ports/record-store.ts';
import { read, searchPages } from '../support/reads.ts';
import type { OpenStores } from '../support/stores.ts';
import { ask, type Ask } from './equivalence/asks.ts';
import { Model, type ExpectedPage } from './equivalence/model.ts';
import { beginnings, later, referenceOf, type Change } from './equivalence/world.ts';
import { commitPlan } from '../support/warrants.ts';

const PHASES = 3;
const ASKS_PER_PHASE = 10;
const FIXED_SEED = 20_260_301;

type Phase = { readonly changes: readonly Change[]; readonly asks: readonly Ask[] };

const asks = fc.array(ask, { minLength: ASKS_PER_PHASE, maxLength: ASKS_PER_PHASE });
const scenario: fc.Arbitrary<readonly Phase[]> = fc
  .tuple(
    fc.record({ changes: beginnings, asks }),
    fc.array(fc.record({ changes: later, asks }), { minLength: PHASES - 1, maxLength: PHASES - 1 }),
  )
  .map(([first, others]) => [first, ...others]);

/**
 * Runs the property on an adapter, half of the cases from a fixed seed and half from a fresh one.
 * PASSERELLE_PROPERTY_CASES is the number of questions; PASSERELLE_PROPERTY_SEED repeats a failure and shrinks it.
 */
export function equivalenceContract(name: string, open: OpenStores): void {
  const cases = Number(process.env.PASSERELLE_PROPERTY_CASES ?? 300);
  const named = process.env.PASSERELLE_PROPERTY_SEED;
  const numRuns = Math.max(1, Math.ceil(cases / 2 / (PHASES * ASKS_PER_PHASE)));
  const run = async (seed: number): Promise<void> => {
    const property = fc.asyncProperty(scenario, async (phases) => await checkScenario(open, phases));
    await fc.assert(property, { seed, numRuns, endOnFailure: named === undefined, verbose: false });
  };

  describe(`store(query, grant) = filter(everything, decide): ${name}`, function () {
    this.timeout(60_000 + cases * 300);

    it('holds for worlds of a fixed seed', async () => {
      await run(FIXED_SEED);
    });

    it('holds for worlds of a fresh seed', async () => {
      await run(named === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(named));
    });
  });
}

async function checkScenario(open: OpenStores, phases: readonly Phase[]): Promise<void> {
  const stores = await open();
  try {
    const model = new Model();
    for (const { changes, asks } of phases) {
      for (const change of changes) await commitPlan(stores.records, model.apply(change));
      for (const asked of asks) await checkAsk(stores.records, model, asked);
    }
  } finally {
    await stores.close();
  }
}

async function checkAsk(records: RecordStore, model: Model, { grant, query, reads }: Ask): Promise<void> {
  const asked = JSON.stringify({ principals: grant.principals, now: grant.now, query });
  const pages = await searchPages(records, grant, query);
  expect(pages.map(toExpected), asked).to.deep.equal(model.pagesOf(grant, query));
  for (const row of pages.flatMap((page) => [...page.rows, ...page.included])) {
    const shownBy = model.shownBy(grant, row);
    expect(row.shownBy, `${asked} ${referenceOf(row)}`).to.deep.equal(shownBy);
  }
  for (const slot of reads) {
    const row = await read(records, grant, slot);
    const where = `${asked} read ${referenceOf(slot)}`;
    expect(row !== undefined, where).to.equal(model.sees(grant, slot));
    if (row !== undefined) expect(row.shownBy, where).to.deep.equal(model.shownBy(grant, slot));
  }
}

function toExpected(page: SearchPage): ExpectedPage {
  return {
    rows: page.rows.map(referenceOf),
    included: page.included.map(referenceOf).sort(),
    total: page.total,
    hasNext: page.next !== undefined,
  };
}
