/** Persons and their rights: read, and written by a plan. */
import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import { OPEN_STATE, type PatientState } from '../../../access/decide.ts';
import type { PersonKey } from '../../../access/requester.ts';
import type { Right } from '../../../access/right.ts';
import type { CommitPlan, Put } from '../../../ports/commit-plan.ts';
import { personMoved } from '../../refused.ts';
import { fromRightDocument, rightsTo, toState } from './acl-rows.ts';
import type { Collections } from '../collections.ts';
import type { PersonDocument } from '../documents.ts';
import type { RightChanges } from './give-rights.ts';
import type { StateChange } from './materialise.ts';
import { standingRow, type RowChange } from './row-changes.ts';

/** The persons that a plan concerns, in a fixed order. */
export function personsOf(plan: CommitPlan, changes: readonly RowChange[], rights: RightChanges): readonly PersonKey[] {
  const ofRows = changes.flatMap(({ before, after }) => [standingRow(before)?.person, standingRow(after)?.person]);
  const { instances = [], quarantined = [], states = [] } = plan;
  const named = [...instances, ...quarantined, ...states, ...rights.begun, ...rights.ended].map(({ person }) => person);
  const moved = [...(plan.moves ?? []), ...(plan.studies ?? [])].flatMap(({ from, to }) => [from, to]);
  return [...new Set([...ofRows, ...named, ...moved])].filter((person) => person !== undefined).sort();
}

/**
 * Counts the write on every person's document, and changes states: two writes that concern a person conflict.
 * @throws {Fault} conflict - the plan writes for a person who is another at present
 */
export async function writePersons(
  { persons }: Collections,
  concerned: readonly PersonKey[],
  plan: CommitPlan,
  session: ClientSession,
): Promise<ReadonlyMap<PersonKey, StateChange>> {
  if (concerned.length === 0) return new Map();
  const found = await persons.find({ _id: { $in: [...concerned] } }, { session }).toArray();
  const named = namedBy(plan);
  if (found.some(({ _id, mergedInto }) => mergedInto !== undefined && named.has(_id))) throw personMoved();
  const turns = (plan.states ?? []).length + (plan.moves ?? []).length > 0;
  const states = turns
    ? await combinedStates(persons, concerned, found, { plan, session })
    : keptStates(concerned, found);
  await persons.bulkWrite(
    [...states].map(([person, { after, said }]) => toOperation(person, { ...after, ...(said && { said }) })),
    { session },
  );
  return states;
}

/** A person's state before and after a plan, and what is said of the identity itself where it is to be kept. */
type Combined = StateChange & { readonly said?: Partial<PatientState> };

function keptStates(
  concerned: readonly PersonKey[],
  found: readonly PersonDocument[],
): ReadonlyMap<PersonKey, Combined> {
  const standing = new Map(found.map((person) => [person._id, toState(person)]));
  return new Map(
    concerned.map((person) => {
      const state = standing.get(person) ?? toState(undefined);
      return [person, { before: state, after: state }] as const;
    }),
  );
}

/** A switch is on for a person when it is for one of the identities that are she at present. */
async function combinedStates(
  persons: Collections['persons'],
  concerned: readonly PersonKey[],
  found: readonly PersonDocument[],
  { plan, session }: { readonly plan: CommitPlan; readonly session: ClientSession },
): Promise<ReadonlyMap<PersonKey, Combined>> {
  const all = new Map(found.map((person) => [person._id, person]));
  const load = async (keys: readonly PersonKey[]): Promise<void> => {
    const missing = keys.filter((key) => !all.has(key));
    if (missing.length === 0) return;
    for (const one of await persons.find({ _id: { $in: missing } }, { session }).toArray()) all.set(one._id, one);
  };
  await load(found.flatMap(({ mergedInto }) => mergedInto ?? []));
  const keys = [...new Set([...concerned, ...found.flatMap(({ mergedInto }) => mergedInto ?? [])])].sort();
  await load(keys.flatMap((key) => all.get(key)?.formerly ?? []));
  const said = (key: PersonKey): Partial<PatientState> => saidOf(all.get(key), changesOf(key, plan));
  return new Map(
    keys.map((key) => {
      const person = all.get(key);
      const identities = person?.mergedInto === undefined ? [key, ...(person?.formerly ?? [])] : [];
      const after = { ...OPEN_STATE, ...trueOf(identities.map(said)) };
      return [key, { before: toState(person), after, said: said(key) }] as const;
    }),
  );
}

/** Before it was kept apart, what counted was what was said. */
function saidOf(person: PersonDocument | undefined, change: Partial<PatientState>): Partial<PatientState> {
  return { ...(person?.said ?? trueOf([toState(person)])), ...change };
}

function changesOf(person: PersonKey, { states = [] }: CommitPlan): Partial<PatientState> {
  return Object.assign({}, ...states.filter((state) => state.person === person).map(({ change }) => change)) as object;
}

function trueOf(all: readonly Partial<PatientState>[]): Partial<PatientState> {
  const on = all.flatMap((state) => Object.entries(state).flatMap(([name, value]) => (value ? [name] : [])));
  return Object.fromEntries(on.map((name) => [name, true]));
}

/** The persons for whom a plan files. */
function namedBy({ puts, instances, quarantined, studies = [] }: CommitPlan): ReadonlySet<PersonKey | undefined> {
  const moved = studies.flatMap(({ from, to }) => [{ person: from }, { person: to }]);
  const parts = [...(puts ?? []), ...(instances ?? []), ...(quarantined ?? []), ...moved];
  return new Set(parts.map(({ person }) => person).filter((person) => person !== undefined));
}

function toOperation(
  person: PersonKey,
  state: PatientState & Pick<PersonDocument, 'said'>,
): AnyBulkWriteOperation<PersonDocument> {
  return { updateOne: { filter: { _id: person }, update: { $inc: { writes: 1 }, $set: state }, upsert: true } };
}

/**
 * The Patients that are shown in place of the identities that a plan files under, by these.
 * @throws {Fault} conflict - the plan was made before an identity moved: its rows would lie outside the person's state
 * and rights
 */
export async function shownPatients(
  { standing }: Collections,
  { puts = [], instances = [], quarantined = [], studies = [], moves = [] }: CommitPlan,
  session: ClientSession,
): Promise<ReadonlyMap<string, string>> {
  const moved = studies.map(({ to: person, subject }) => ({ person, subject }));
  const all: readonly Pick<Put, 'person' | 'subject'>[] = [...puts, ...instances, ...quarantined, ...moved];
  const filed = all.filter(({ person }) => person !== undefined);
  const subjects = [...new Set(filed.flatMap(({ subject }) => subject ?? []))];
  if (subjects.length === 0) return new Map();
  const keys = subjects.map((subject) => `Person/${subject.slice(subject.indexOf('/') + 1)}`);
  const projection = { id: 1, person: 1, patient: 1 } as const;
  const found = await standing
    .find({ _id: { $in: keys }, gone: { $exists: false } }, { session, projection })
    .toArray();
  const byId = new Map(found.map((one) => [`Patient/${one.id}`, one]));
  for (const { person, subject = '' } of filed) {
    const identity = byId.get(subject);
    if (identity !== undefined && identity.person !== person) throw personMoved();
  }
  // An identity that is made by the same plan has no row yet.
  const shown = new Map(moves.map(({ identity, patient }) => [identity, patient]));
  for (const [identity, { patient }] of byId) shown.set(identity, patient ?? identity);
  return new Map([...shown].filter(([identity, patient]) => identity !== patient));
}

/** The rights of a person that have not ended at a time: all, or those to her record and to one item. */
export async function readRights(
  { rights }: Collections,
  person: PersonKey,
  now: number,
  item: string | undefined,
): Promise<readonly Right[]> {
  return (
    await rights
      .find({ $and: [item === undefined ? { person } : rightsTo(person, item), { to: { $gt: now } }] })
      .sort({ _id: 1 })
      .toArray()
  ).map(fromRightDocument);
}

/** The state of a person. */
export async function readState({ persons }: Collections, person: PersonKey): Promise<PatientState> {
  return toState(await persons.findOne({ _id: person }));
}
