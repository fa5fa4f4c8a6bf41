/**
 * Rights are derived: after any sequence of puts, deletes, Consents and joins the rights of each person, and what each
 * holder sees by which of them, are those that all standing rows give, worked out from nothing.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import type { StoredType } from '../../profiles/types/visibility.ts';
import { systemGrant, type Grant } from '../../server/access/grant.ts';
import type { Right } from '../../server/access/right.ts';
import type { RecordStore } from '../../server/ports/record-store.ts';
import { aGrant, anEstablishmentGrant, aPatientGrant, aQuery } from '../support/plans.ts';
import { searchPages } from '../support/reads.ts';
import { commitPlan } from '../support/warrants.ts';
import type { OpenStores } from '../support/stores.ts';
import { Model } from './equivalence/model.ts';
import { beginnings, later, PERSONS, referenceOf, TYPES, type Change } from './equivalence/world.ts';

const LATER = 28;
const FIXED_SEED = 20_261_128;
const ROLES = [
  {
    reference: 'PractitionerRole/1',
    organization: 'Organization/1',
    within: ['Organization/1', 'Organization/2'],
    radiologist: true,
    offices: [],
  },
];

/** At the earliest moment, so that no right has ended. */
const SERVER = systemGrant('erase-study', 'whole', 0);

/** Everybody who may hold a right. */
const HOLDERS = [
  aGrant('Practitioner/1', 2, ROLES),
  aGrant('Practitioner/2', 2),
  anEstablishmentGrant('Organization/1', 2),
  ...PERSONS.map((person) => aPatientGrant(person, 2)),
];

/** After each change one holder is asked for some types, in turn; in the end everybody for all. */
const TYPES_AT_ONCE: readonly (readonly StoredType[])[] = [
  ['ImagingStudy', 'DocumentReference'],
  ['DiagnosticReport', 'Patient', 'Consent'],
  ['ImagingStudy', 'DiagnosticReport'],
  ['DocumentReference', 'Binary'],
  ['Patient', 'Communication'],
];

const sequences: fc.Arbitrary<readonly Change[]> = fc
  .tuple(beginnings, fc.array(later, { minLength: LATER, maxLength: LATER }))
  .map(([first, others]) => [...first, ...others.flat()]);

/**
 * Runs the property on an adapter, half of the cases from a fixed seed and half from a fresh one: a case is a change.
 * PASSERELLE_PROPERTY_CASES is their number; PASSERELLE_PROPERTY_SEED repeats a failure and shrinks it.
 */
export function derivedRightsContract(name: string, open: OpenStores): void {
  const cases = Number(process.env['PASSERELLE_PROPERTY_CASES'] ?? 150);
  const named = process.env['PASSERELLE_PROPERTY_SEED'];
  const numRuns = Math.max(1, Math.ceil(cases / 2 / (LATER + 2)));
  const run = async (seed: number): Promise<void> => {
    const property = fc.asyncProperty(sequences, async (changes) => await checkSequence(open, changes));
    await fc.assert(property, { seed, numRuns, endOnFailure: named === undefined, verbose: false });
  };

  describe(`rights = derived(all rows): ${name}`, function () {
    this.timeout(60_000 + cases * 1_000);

    it('holds for sequences of a fixed seed', async () => {
      await run(FIXED_SEED);
    });

    it('holds for sequences of a fresh seed', async () => {
      await run(named === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(named));
    });
  });
}

async function checkSequence(open: OpenStores, changes: readonly Change[]): Promise<void> {
  const { records, close } = await open();
  try {
    const model = new Model();
    for (const [at, change] of changes.entries()) {
      await commitPlan(records, model.apply(change));
      for (const person of PERSONS) {
        const kept = await records.rightsOf(SERVER, person);
        expect(sorted(kept), `${person} after change ${at}`).to.deep.equal(sorted(model.rightsOf(person)));
      }
      const grant = HOLDERS[at % HOLDERS.length] ?? SERVER;
      for (const type of TYPES_AT_ONCE[at % TYPES_AT_ONCE.length] ?? [])
        if (!grant.system) await checkShown(records, model, grant, type);
    }
    for (const grant of HOLDERS) for (const type of TYPES) await checkShown(records, model, grant, type);
  } finally {
    await close();
  }
}

/** What a holder sees of a type, and by which right of which Consent. */
async function checkShown(records: RecordStore, model: Model, grant: Grant, type: StoredType): Promise<void> {
  const query = aQuery(type, { count: 100 });
  const [page] = await searchPages(records, grant, query);
  const [expected] = model.pagesOf(grant, query);
  const slots = expected?.rows.map((reference) => ({ type, id: reference.slice(type.length + 1) })) ?? [];
  expect((page?.rows ?? []).map((row) => [referenceOf(row), row.shownBy])).to.deep.equal(
    slots.map((slot) => [referenceOf(slot), model.shownBy(grant, slot)]),
  );
}

function sorted(rights: readonly Right[]): readonly Right[] {
  return rights.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}
