/**
 * Whether a plan stays within its warrant: what both stores ask in the transaction that applies the plan, before it
 * does. What they look up differs; what it means is said here.
 */
import { Fault } from '../../profiles/fault.ts';
import { studyInstanceUIDValues } from '../../profiles/imaging/identifiers.ts';
import type { IndexEntries } from '../../profiles/search/indexer.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import { requireBasis, type Basis, type BasisFacts } from '../access/basis.ts';
import type { PersonKey, StoredTokenKey } from '../access/requester.ts';
import type { Reach, WarrantTerms, Written } from '../access/warrant.ts';
import type { CommitPlan, InstanceRow, Put, QuarantinedInstance } from '../ports/commit-plan.ts';

/** What of a plan is looked at: the same on the thread that made it and on the one that applies it. */
export type WarrantedPlan = Pick<CommitPlan, 'deletes' | 'erased' | 'states' | 'moves' | 'studies'> & {
  readonly puts?: readonly (Pick<Put, 'type' | 'id' | 'person' | 'parent'> & {
    readonly index: Pick<IndexEntries, 'tokens'>;
  })[];
  readonly instances?: readonly Pick<InstanceRow, 'studyInstanceUID' | 'person'>[];
  readonly quarantined?: readonly Pick<QuarantinedInstance, 'studyInstanceUID' | 'person'>[];
  readonly audit?: readonly { readonly persons: readonly PersonKey[] }[];
};

/** A row as it stands before the plan. `names` tells whether a search value of it is this one. */
export type StandingOwner = {
  readonly person: string | undefined;
  readonly parent: string | undefined;
  readonly names: (value: string) => boolean;
};

/** What a store knows, as its transaction sees it. */
export type WarrantedFacts = BasisFacts & {
  readonly row: (key: string) => StandingOwner | undefined;
  /** The instance under a SOP Instance UID. */
  readonly instance: (
    sopInstanceUID: string,
  ) => (Pick<InstanceRow, 'studyInstanceUID'> & { readonly person: string }) | undefined;
  /** Who the person is at present that an identity is by itself. */
  readonly presentOf: (home: PersonKey) => string;
};

/** What has to be looked up for {@link requireWarranted}: for a store that asks all at once. */
export type WarrantedKeys = {
  /** `Type/id` of the rows that the plan puts and deletes. */
  readonly rows: readonly string[];
  /** `Type/id` of the rows that it erases beside them. */
  readonly erasedRows: readonly string[];
  /** `Type/id` of the rows that the warrant rests on. */
  readonly accounts: readonly string[];
  readonly instances: readonly string[];
  readonly tokens: readonly StoredTokenKey[];
  readonly rights: readonly { readonly person: PersonKey; readonly item: string }[];
  readonly persons: readonly PersonKey[];
};

/** Names everything that is looked up. The state of accounts that are persons is looked up besides. */
export function warrantedKeys({ bases }: WarrantTerms, plan: WarrantedPlan): WarrantedKeys {
  const of = <K extends Basis['kind']>(kind: K) =>
    bases.filter((basis): basis is Extract<Basis, { kind: K }> => basis.kind === kind);
  const rows = new Set([...(plan.puts ?? []), ...(plan.deletes ?? [])].map(keyOf));
  const accounts = [...of('account').map(({ reference }) => reference), ...of('row').map(({ row }) => row)];
  return {
    rows: [...rows],
    erasedRows: [...new Set(removedBy(plan).map(keyOf))].filter((key) => !rows.has(key)),
    accounts: [...new Set(accounts)],
    instances: (plan.erased ?? []).flatMap(({ instances = [] }) => instances),
    tokens: of('token').map(({ token }) => token),
    rights: of('right').map(({ person, item }) => ({ person, item })),
    persons: [...new Set(of('state').map(({ person }) => person))],
  };
}

/**
 * Checks a plan against its warrant.
 * @throws {Fault} login, conflict - what the warrant rests on holds no more (access/basis.ts)
 * @throws {Fault} exception - the plan writes what the warrant does not reach, or lacks the event of a person
 */
export function requireWarranted(terms: WarrantTerms, plan: WarrantedPlan, facts: WarrantedFacts): void {
  for (const basis of terms.bases) requireBasis(basis, facts);
  // Who joins another is nobody by herself any more: her events are read by that one.
  const present = (person: string): string => plan.moves?.findLast(({ home }) => home === person)?.to ?? person;
  const told = new Set((plan.audit ?? []).flatMap(({ persons }) => persons.map(present)));
  for (const touched of touchedBy(plan, facts)) {
    const reach = terms.reaches.find((one) => reaches(one, touched));
    if (reach === undefined) throw beyond(terms, `it does not reach this ${touched.what}`);
    if (reach.event === 'own' && touched.person !== undefined && !told.has(present(touched.person)))
      throw beyond(terms, `a ${touched.what} changes without an event of its person`);
  }
}

/** One row that a plan changes, before or after it. */
type Touched = {
  /** `person`: a switch, or a join, which is of no type. */
  readonly what: Written | 'person';
  readonly person: string | undefined;
  /** Whether the row is of a study. */
  readonly isOf: (studyInstanceUID: string) => boolean;
};

function reaches({ types, whose }: Reach, { what, person, isOf }: Touched): boolean {
  if (what !== 'person' && !types.includes(what)) return false;
  if ('study' in whose) return isOf(whose.study);
  return person === undefined ? whose.persons.length === 0 : whose.persons.some((one) => one === person);
}

function touchedBy(plan: WarrantedPlan, facts: WarrantedFacts): readonly Touched[] {
  return [...rowsTouched(plan, facts), ...instancesTouched(plan, facts), ...personsTouched(plan, facts)];
}

/** Every row as it will be and as it was: one that changes hands is of both persons. */
function rowsTouched(plan: WarrantedPlan, facts: WarrantedFacts): Touched[] {
  const puts = new Map((plan.puts ?? []).map((put) => [keyOf(put), put]));
  const keys = new Set([...puts.keys(), ...removedBy(plan).map(keyOf)]);
  const named = (key: string, value: string): boolean =>
    puts.get(key)?.index.tokens.some((token) => token.value === value) === true ||
    (keys.has(key) && facts.row(key)?.names(value) === true);
  const isOf = (key: string, parents: readonly (string | undefined)[]) => (study: string) =>
    studyInstanceUIDValues(study).some((value) =>
      [key, ...parents].some((one) => one !== undefined && named(one, value)),
    );
  const touched = (type: StoredType, key: string, person: string | undefined): Touched => ({
    what: type,
    person,
    isOf: isOf(key, [puts.get(key)?.parent, facts.row(key)?.parent]),
  });
  const after = [...puts].map(([key, put]) => touched(put.type, key, put.person));
  const before = [...(plan.puts ?? []), ...removedBy(plan)].flatMap((row) => {
    const standing = facts.row(keyOf(row));
    return standing === undefined ? [] : [touched(row.type, keyOf(row), standing.person)];
  });
  return [...after, ...before];
}

function instancesTouched(
  { instances = [], quarantined = [], erased = [], studies = [] }: WarrantedPlan,
  facts: WarrantedFacts,
) {
  const row = (what: Written, study: string | undefined, person?: string): Touched => ({
    what,
    person,
    // What is erased of what is kept aside is named by its bytes, not by its study.
    isOf: (one) => study === undefined || study === one,
  });
  const gone = erased.flatMap((erasure) => erasure.instances ?? []).flatMap((uid) => facts.instance(uid) ?? []);
  const asideGone = erased.flatMap((erasure) => erasure.quarantined ?? []);
  return [
    ...[...instances, ...gone].map(({ studyInstanceUID, person }) => row('instance', studyInstanceUID, person)),
    ...studies.flatMap(({ studyInstanceUID, from, to }) =>
      [from, to].map((person) => row('instance', studyInstanceUID, person)),
    ),
    ...quarantined.map(({ studyInstanceUID, person }) => row('quarantined', studyInstanceUID, person)),
    ...asideGone.map(() => row('quarantined', undefined)),
  ];
}

/** A change of no switch changes nothing: it only makes other writes for the person wait. */
function personsTouched({ states = [], moves = [] }: WarrantedPlan, { presentOf }: WarrantedFacts): Touched[] {
  const changed = states.filter(({ change }) => Object.keys(change).length > 0).map(({ person }) => presentOf(person));
  const moved = moves.filter(({ from, to }) => from !== to).flatMap(({ from, to }) => [from, to]);
  return [...changed, ...moved].map((person) => ({ what: 'person', person, isOf: () => false }));
}

function removedBy({ deletes = [], erased = [] }: WarrantedPlan) {
  return [...deletes, ...erased.flatMap(({ rows = [], history = [] }) => [...rows, ...history])];
}

function keyOf({ type, id }: { readonly type: StoredType; readonly id: string }): string {
  return `${type}/${id}`;
}

function beyond({ act }: WarrantTerms, why: string): Fault {
  return new Fault('exception', `A plan goes beyond its warrant to ${act}: ${why}`);
}
