/** Persons and their rights: read, and written by a plan. */
import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import type { PatientState } from '../../../access/decide.ts';
import type { PersonKey } from '../../../access/requester.ts';
import type { Right } from '../../../access/right.ts';
import type { CommitPlan } from '../../../ports/commit-plan.ts';
import { fromRightDocument, rightsTo, toState } from './acl-rows.ts';
import type { Collections } from '../collections.ts';
import type { PersonDocument } from '../documents.ts';
import type { RightChanges } from './give-rights.ts';
import type { StateChange } from './materialise.ts';
import { refuseMerged } from './rekey.ts';
import { standingRow, type RowChange } from './row-changes.ts';

/** The persons that a plan concerns, in a fixed order. */
export function personsOf(plan: CommitPlan, changes: readonly RowChange[], rights: RightChanges): readonly PersonKey[] {
  const ofRows = changes.flatMap(({ before, after }) => [standingRow(before)?.person, standingRow(after)?.person]);
  const { instances = [], quarantined = [], states = [] } = plan;
  const named = [...instances, ...quarantined, ...states, ...rights.begun, ...rights.ended].map(({ person }) => person);
  const rekeyed = [...(plan.rekeys ?? []), ...(plan.studies ?? [])].flatMap(({ from, to }) => [from, to]);
  return [...new Set([...ofRows, ...named, ...rekeyed])].filter((person) => person !== undefined).sort();
}

/**
 * Counts the write on every person's document, and changes states: two writes that concern a person conflict.
 * @throws {Fault} conflict - the plan names a person who was joined with another, before or by it
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
  refuseMerged(found.filter(({ _id }) => named.has(_id)));
  const standing = new Map(found.map((person) => [person._id, toState(person)]));
  const changes = new Map(
    concerned.map((person) => {
      const before = standing.get(person) ?? toState(undefined);
      return [person, { before, after: changeState(before, person, plan) }] as const;
    }),
  );
  await persons.bulkWrite(
    [...changes].map(([person, { after }]) => toOperation(person, after)),
    { session },
  );
  return changes;
}

/** The persons for whom a plan writes. */
function namedBy(plan: CommitPlan): ReadonlySet<PersonKey | undefined> {
  const { puts, instances, quarantined, states, studies = [] } = plan;
  const moved = studies.flatMap(({ from, to }) => [{ person: from }, { person: to }]);
  const parts = [...(puts ?? []), ...(instances ?? []), ...(quarantined ?? []), ...(states ?? []), ...moved];
  return new Set(parts.map(({ person }) => person).filter((person) => person !== undefined));
}

function changeState(before: PatientState, person: PersonKey, { states }: CommitPlan): PatientState {
  const changes = (states ?? []).filter((state) => state.person === person).map(({ change }) => change);
  return changes.reduce<PatientState>((state, change) => ({ ...state, ...change }), before);
}

function toOperation(person: PersonKey, state: PatientState): AnyBulkWriteOperation<PersonDocument> {
  return { updateOne: { filter: { _id: person }, update: { $inc: { writes: 1 }, $set: state }, upsert: true } };
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
