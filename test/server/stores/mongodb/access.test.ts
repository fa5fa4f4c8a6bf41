import { expect } from 'chai';
import { array, assert, asyncProperty, boolean, constant, constantFrom, integer, oneof, record, type Arbitrary } from 'fast-check';
import { LEVELS } from '../../../../profiles/confidentiality.ts';
import type { StoredType } from '../../../../profiles/visibility.ts';
import { decide, OPEN_STATE, type PatientState, type RowFacts } from '../../../../server/access/decide.ts';
import type { Grant } from '../../../../server/access/grant.ts';
import type { PersonKey } from '../../../../server/access/requester.ts';
import { CEILING, principal, type Relation, type Right } from '../../../../server/access/right.ts';
import type { CommitPlan, Put } from '../../../../server/ports/commit-plan.ts';
import type { MongoStores } from '../../../../server/stores/mongodb/open.ts';
import { aGrant, anId, aPatientGrant, aPersonKey, aPlan, aPut, aQuery, NOW } from '../../../support/plans.ts';
import { idsOf, read, searchPages } from '../../../support/reads.ts';
import { usePeer } from './peer.ts';

const TYPES = ['DocumentReference', 'ImagingStudy', 'Patient', 'Task', 'Binary'] as const satisfies readonly StoredType[];
const RELATIONS = Object.keys(CEILING) as Relation[];
const SWITCHES = Object.keys(OPEN_STATE) as (keyof PatientState)[];

/** Numbers stand for the persons, rows and holders of one run. */
const rowNumber = integer({ min: 0, max: 5 });
const rightNumber = integer({ min: 0, max: 3 });
const personNumber = constantFrom(0, 0, 0, 1);

const put = record({
  do: constant('put' as const),
  row: rowNumber,
  person: personNumber,
  level: constantFrom('N', ...LEVELS),
  released: boolean(),
  sort: constantFrom(0, 0, 0, 1),
});
const give = record({
  do: constant('give' as const),
  right: rightNumber,
  person: personNumber,
  holder: constantFrom(0, 1, 1, 2),
  relation: constantFrom('self', 'self', ...RELATIONS),
  // Below 0 the scope is the whole record.
  item: integer({ min: -5, max: 5 }),
  from: constantFrom(NOW, NOW + 1),
  to: constantFrom(NOW + 1, NOW + 2),
});
const revoke = record({ do: constant('revoke' as const), right: rightNumber });
const remove = record({ do: constant('delete' as const), row: rowNumber });
const state = record({ do: constant('state' as const), person: personNumber, name: constantFrom(...SWITCHES), on: boolean() });

const steps = oneof(
  { weight: 3, arbitrary: put },
  { weight: 3, arbitrary: give },
  { weight: 1, arbitrary: revoke },
  { weight: 1, arbitrary: remove },
  { weight: 2, arbitrary: state },
);
type Step = typeof steps extends Arbitrary<infer S> ? S : never;

/** What the store should hold, kept beside it. */
class World {
  readonly persons: readonly PersonKey[] = [aPersonKey(), aPersonKey()];
  readonly puts = new Map<string, Put>();
  readonly rights = new Map<string, Right>();
  readonly states = new Map<PersonKey, PatientState>();
  readonly #run = anId();

  grants(now: number): readonly Grant[] {
    return [aGrant(`Practitioner/${this.#run}`, now), aPatientGrant(this.#person(0), now), aPatientGrant(this.#person(1), now)];
  }

  /** A plan of one step; the world has taken it. */
  take(step: Step): CommitPlan {
    switch (step.do) {
      case 'put': {
        const put = this.#put(step);
        this.puts.set(put.id, put);
        return aPlan({ puts: [put] });
      }
      case 'give': {
        const right = this.#right(step);
        this.rights.set(right.id, right);
        return aPlan({ rights: [right] });
      }
      case 'revoke':
        this.rights.delete(`${this.#run}-${step.right}`);
        return aPlan({ revoked: [`${this.#run}-${step.right}`] });
      case 'delete': {
        this.puts.delete(this.#id(step.row));
        return aPlan({ deletes: [{ type: typeAt(step.row), id: this.#id(step.row) }] });
      }
      case 'state': {
        const person = this.#person(step.person);
        const change = { [step.name]: step.on };
        this.states.set(person, { ...(this.states.get(person) ?? OPEN_STATE), ...change });
        return aPlan({ states: [{ person, change }] });
      }
    }
  }

  /** Ids of the rows of a type that a grant sees, as the oracle says. */
  expected(grant: Grant, type: StoredType): readonly string[] {
    const rows = [...this.puts.values()].filter((put) => put.type === type && this.#sees(grant, put));
    return rows.sort((a, b) => b.sort - a.sort || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
  }

  #sees(grant: Grant, put: Put): boolean {
    const item = put.parent === undefined ? put : this.puts.get(put.parent.split('/')[1] ?? '');
    if (item?.person === undefined) return false;
    const facts: RowFacts = { type: item.type, item: `${item.type}/${item.id}`, level: item.level, released: item.released };
    const rights = [...this.rights.values()].filter(({ person }) => person === item.person);
    return decide(grant, facts, rights, this.states.get(item.person) ?? OPEN_STATE).permitted;
  }

  #put(step: Extract<Step, { do: 'put' }>): Put {
    const { row, person, level, released, sort } = step;
    const type = typeAt(row);
    const part = type === 'Binary' ? { parent: `${typeAt(0)}/${this.#id(0)}` } : {};
    return aPut({ type, id: this.#id(row), person: this.#person(person), level, released, sort, ...part });
  }

  #right(step: Extract<Step, { do: 'give' }>): Right {
    const { right, person, holder, relation, item, from, to } = step;
    const scope = item < 0 ? ('record' as const) : { item: `${typeAt(item)}/${this.#id(item)}` };
    const patients = this.persons.map(principal.patient);
    const holders = [principal.practitioner(`Practitioner/${this.#run}`), ...patients];
    return { id: `${this.#run}-${right}`, person: this.#person(person), principal: holders[holder] ?? 'p:nobody', relation, scope, from, to };
  }

  #id(row: number): string {
    return `${this.#run.slice(0, 8)}-${row}`;
  }

  #person(at: number): PersonKey {
    return this.persons[at] ?? aPersonKey();
  }
}

function typeAt(row: number): (typeof TYPES)[number] {
  return TYPES[row % TYPES.length] ?? 'Task';
}

describe('access on MongoDB', function () {
  this.timeout(120_000);
  const peer = usePeer();
  let stores: MongoStores;

  before(async () => {
    stores = await peer.open(peer.freshUri());
  });

  it('shows what the oracle permits, in rows, order, pages and totals, after any history of writes', async () => {
    await assert(
      asyncProperty(array(steps, { minLength: 4, maxLength: 24, size: 'max' }), async (history) => {
        const world = new World();
        for (const step of history) await stores.records.commit(world.take(step));
        for (const grant of [...world.grants(NOW), ...world.grants(NOW + 1)]) await compare(stores, world, grant);
      }),
      { numRuns: 20 },
    );
  });
});

async function compare({ records }: MongoStores, world: World, grant: Grant): Promise<void> {
  for (const type of TYPES) {
    const expected = world.expected(grant, type);
    const pages = await searchPages(records, grant, aQuery(type, { count: 1, total: 'accurate' }));
    expect(pages.flatMap(({ rows }) => idsOf(rows))).to.deep.equal(expected);
    expect(pages.map(({ total }) => total)).to.deep.equal(pages.map(() => expected.length));
  }
  for (const put of world.puts.values()) {
    const row = await read(records, grant, put);
    expect(row !== undefined).to.equal(world.expected(grant, put.type).includes(put.id));
  }
}
