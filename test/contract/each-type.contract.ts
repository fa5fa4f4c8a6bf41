/**
 * What every RecordStore adapter does with rows of each type that plans write: what is found, in which order, and who
 * sees it by the class of the type.
 */
import { expect } from 'chai';
import { ALONE, matchesCriterion } from '../../profiles/search/match.ts';
import { fhirType, STORED_TYPES, VISIBILITY, type StoredType } from '../../profiles/types/visibility.ts';
import { principal } from '../../server/access/right.ts';
import { putOf } from '../../server/flows/write/plan-parts.ts';
import type { Put } from '../../server/ports/commit-plan.ts';
import { loadDefinitions, type LoadedDefinitions } from '../../server/runtime/definitions.ts';
import { criterionOf, indexedParametersOf } from '../support/examples/example-queries.ts';
import { exampleResources } from '../support/examples/example-resources.ts';
import { aGrant, anId, aPatientGrant, aPersonKey, aPlan, aPut, aQuery, aRight, NOW } from '../support/plans.ts';
import { read, searchIds } from '../support/reads.ts';
import type { OpenStores } from '../support/stores.ts';
import { useStores } from './suite.ts';
import { commitPlan } from '../support/warrants.ts';

/** Types whose rows plans write; those that stand apart are the events of the trail, which has its own contract. */
const WRITTEN = STORED_TYPES.filter((type) => fhirType(type).standsApart !== true);

/** Runs the contract of each type on an adapter. */
export function eachTypeContract(name: string, open: OpenStores): void {
  describe(`Each type in a RecordStore: ${name}`, function () {
    this.timeout(60_000);
    const suite = useStores(open);
    let loaded: LoadedDefinitions;
    before(async () => {
      loaded = await loadDefinitions();
    });

    /** Writes the examples of a type as rows of one person, whom one grant sees by a right. */
    const world = async (type: StoredType) => {
      const person = aPersonKey();
      const parent = aPut({ person });
      const isOpen = VISIBILITY[type] === 'directory';
      const facts = {
        released: true,
        ...(isOpen ? {} : { person }),
        ...(VISIBILITY[type] === 'own' ? { origin: { sources: [`Practitioner/${person}`], services: [] } } : {}),
        ...(VISIBILITY[type] === 'part' ? { parent: `DocumentReference/${parent.id}` } : {}),
      };
      const puts = exampleResources(type, loaded).map((example, at) => {
        const put = putOf(loaded.indexer, { ...example, id: anId() }, NOW - at, facts);
        // Whoever holds the right sees it whatever the label: that is told of by the contract of access.
        return { ...put, level: 'N' as const };
      });
      const holder = principal.practitioner(`Practitioner/${person}`);
      // Rows of the own class are of no record.
      const rights = VISIBILITY[type] === 'own' ? [] : [aRight({ person, principal: holder })];
      await commitPlan(suite.records, aPlan({ puts: [parent, ...puts], rights }));
      return { person, puts, grant: aGrant(`Practitioner/${person}`), stranger: aGrant(`Practitioner/${anId()}`) };
    };

    for (const type of WRITTEN) {
      it(`${type}: is found by each of its search parameters, latest first`, async () => {
        const { puts, grant } = await world(type);
        const ids = puts.map(({ id }) => id);
        const own = { kind: 'id', values: ids } as const;
        const latestFirst = puts.toSorted((a, b) => b.sort - a.sort || (a.id < b.id ? -1 : 1));
        expect(await searchIds(suite.records, grant, aQuery(type, { where: [own] }))).to.have.members(ids);
        for (const parameter of indexedParametersOf(type)) {
          const criteria = puts.flatMap(({ index }) => criterionOf(type, parameter, index) ?? []);
          const [criterion] = criteria;
          if (criterion === undefined) throw new Error(`No example is indexed under ${parameter.code}`);
          const expected = latestFirst.filter(({ index, id }) =>
            matchesCriterion({ ...index, type, id }, criterion, ALONE),
          );
          const found = await searchIds(suite.records, grant, aQuery(type, { where: [own, criterion] }));
          expect(found, parameter.code).to.have.members(expected.map(({ id }) => id));
          expect(sortsOf(puts, found), parameter.code).to.deep.equal(sortsOf(expected));
        }
      });

      const rule = VISIBILITY[type] === 'directory' ? 'by anybody' : 'by a right alone';
      it(`${type}: is seen ${rule}`, async () => {
        const { person, puts, grant, stranger } = await world(type);
        const isOpen = VISIBILITY[type] === 'directory';
        const where = [{ kind: 'id', values: puts.map(({ id }) => id) }] as const;
        // One row by its id, all of them by a search.
        for (const put of puts.slice(0, 1)) {
          expect((await read(suite.records, grant, put))?.id).to.equal(put.id);
          expect((await read(suite.records, stranger, put)) !== undefined).to.equal(isOpen);
          // A Patient gives the person a right of her own; without one she sees what names her alone.
          const { hooks, names } = fhirType(type);
          const isHers = isOpen || hooks?.write === 'identity' || names === 'patient';
          expect((await read(suite.records, aPatientGrant(person), put)) !== undefined).to.equal(isHers);
        }
        expect(await searchIds(suite.records, stranger, aQuery(type, { where }))).to.have.lengthOf(
          isOpen ? puts.length : 0,
        );
        await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: true } }] }));
        const isLeft = isOpen || VISIBILITY[type] === 'own';
        expect(await searchIds(suite.records, grant, aQuery(type, { where }))).to.have.lengthOf(
          isLeft ? puts.length : 0,
        );
      });
    }
  });
}

/** The moments by which rows are sorted, of all or in the order of some ids. */
function sortsOf(
  puts: readonly Put[],
  ids: readonly string[] = puts.map(({ id }) => id),
): readonly (number | undefined)[] {
  return ids.map((id) => puts.find((put) => put.id === id)?.sort);
}
