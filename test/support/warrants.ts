/** Warrants for tests whose subject is another: as wide as their plan, resting on nothing. */
import { STORED_TYPES } from '../../profiles/types/visibility.ts';
import type { PersonKey } from '../../server/access/requester.ts';
import { makeWarrant, type Warrant, type Written } from '../../server/access/warrant.ts';
import type { CommitPlan, CommitReceipt } from '../../server/ports/commit-plan.ts';
import type { Sending } from '../../server/flows/intake/file-instance.ts';
import type { RecordStore } from '../../server/ports/record-store.ts';
import { anAudit } from './plans.ts';

/** Persons of each row (`Type/id`) and instance that tests wrote, those that they became included. */
const written = new Map<string, Set<PersonKey>>();
const joined = new Map<PersonKey, Set<PersonKey>>();

/**
 * The warrant of a plan, without need of events. What it removes or replaces is of the persons for whom tests wrote it;
 * others are named.
 */
export function aWarrantFor(plan: CommitPlan, others: readonly PersonKey[] = []): Warrant {
  const { puts = [], deletes = [], erased = [], instances = [], quarantined = [], states = [], moves = [] } = plan;
  const gone = [...deletes, ...erased.flatMap(({ rows = [], history = [] }) => [...rows, ...history])];
  const goneInstances = erased.flatMap((one) => one.instances ?? []);
  for (const { from, to } of moves) add(joined, from, to);
  for (const { type, id, person } of puts) if (person !== undefined) add(written, `${type}/${id}`, person);
  for (const { sopInstanceUID, person } of instances) add(written, sopInstanceUID, person);
  const names = [...[...puts, ...gone].map(({ type, id }) => `${type}/${id}`), ...goneInstances];
  const known = [
    ...others,
    ...names.flatMap((name) => [...(written.get(name) ?? [])]),
    ...[...instances, ...states].map(({ person }) => person),
    ...moves.flatMap(({ from, to }) => [from, to]),
  ];
  const persons = [...new Set(known.flatMap(becoming))];
  const types: Written[] = [...new Set([...puts, ...gone].map(({ type }) => type)), 'instance'];
  const study = quarantined.map(({ studyInstanceUID }) => ({
    types: ['quarantined' as const],
    whose: { study: studyInstanceUID },
    event: 'asking' as const,
  }));
  const reaches = [[], persons].map((some) => ({ types, whose: { persons: some }, event: 'asking' as const }));
  const aside = { types: ['quarantined' as const], whose: { study: '' }, event: 'asking' as const };
  return makeWarrant({ act: 'test', reaches: [...reaches, ...study, aside], bases: [] });
}

/** A warrant for all rows of some persons, with an event for each whose rows change, and for rows of nobody. */
export function aWarrantWithEvents(persons: readonly PersonKey[]): Warrant {
  const types: Written[] = [...STORED_TYPES, 'instance'];
  const ofPersons = { types, whose: { persons }, event: 'own' as const };
  const ofNobody = { types, whose: { persons: [] }, event: 'asking' as const };
  return makeWarrant({ act: 'test', reaches: [ofPersons, ofNobody], bases: [] });
}

/** An establishment (`Organization/id`) sends an instance, with an event of its own. */
export function aSending(organization: string): Sending {
  return {
    requester: {
      kind: 'establishment',
      organization,
      clientId: 'MODALITY',
      scopes: [],
      purpose: 'TREAT',
      display: 'MODALITY',
    },
    requestId: 'association',
    accepted: ({ person }) => [anAudit([person])],
    quarantined: ({ person }) => (person === undefined ? [] : [anAudit([person])]),
  };
}

/** Commits a plan under a warrant as wide as it is. */
export async function commitPlan(
  records: RecordStore,
  plan: CommitPlan,
  others: readonly PersonKey[] = [],
): Promise<CommitReceipt> {
  return await records.commit(aWarrantFor(plan, others), plan);
}

function add<K>(map: Map<K, Set<PersonKey>>, key: K, person: PersonKey): void {
  map.set(key, (map.get(key) ?? new Set<PersonKey>()).add(person));
}

/** A person and all that she became. */
function becoming(person: PersonKey): readonly PersonKey[] {
  const all = new Set([person]);
  for (const one of all) for (const next of joined.get(one) ?? []) all.add(next);
  return [...all];
}
