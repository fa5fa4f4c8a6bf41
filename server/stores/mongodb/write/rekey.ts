/** Two person keys that turn out to be one person: everything under the one moves to the other. */
import type { ClientSession } from 'mongodb';
import { OPEN_STATE, type PatientState } from '../../../access/decide.ts';
import { personKey, type PersonKey } from '../../../access/requester.ts';
import { principal, type Principal } from '../../../access/right.ts';
import { QUALIFIED_KEYS } from '../../../ports/claim-key.ts';
import type { CommitPlan } from '../../../ports/commit-plan.ts';
import { personJoined } from '../../refused.ts';
import { toState } from './acl-rows.ts';
import type { Collections } from '../collections.ts';
import { joinRights } from './give-rights.ts';
import type { PersonDocument } from '../documents.ts';

/** A person's former key and the key that stays. */
export type Rekey = NonNullable<CommitPlan['rekeys']>[number];

const QUALIFIED = { $gte: QUALIFIED_KEYS.from, $lt: QUALIFIED_KEYS.before } as const;

/**
 * Moves persons; the access of those that stay is to be materialised anew. Resolves their keys.
 * @throws {Fault} conflict - one of them was joined with another before
 */
export async function rekeyPersons(
  collections: Collections,
  rekeys: readonly Rekey[],
  session: ClientSession,
): Promise<ReadonlySet<PersonKey>> {
  const moved = rekeys.filter(({ from, to }) => from !== to);
  for (const rekey of rekeys) {
    await joinPersons(collections, rekey, session);
    if (rekey.from === rekey.to) continue;
    await joinRights(collections, rekey, session);
    await moveDocuments(collections, rekey, session);
  }
  return new Set(moved.map(({ to }) => to));
}

/**
 * Refuses a plan that was made under a key that is no more: its rows would lie outside the person's state and rights.
 * @throws {Fault} conflict
 */
export function refuseMerged(persons: readonly PersonDocument[]): void {
  if (persons.some(({ mergedInto }) => mergedInto !== undefined)) {
    throw personJoined();
  }
}

/** A switch that is on for one of them is on for the person; the former key keeps none, and says where it went. */
async function joinPersons({ persons }: Collections, { from, to }: Rekey, session: ClientSession): Promise<void> {
  const found = await persons.find({ _id: { $in: [from, to] } }, { session }).toArray();
  refuseMerged(found);
  if (from === to) return;
  const states = found.map(toState);
  const isOn = (name: keyof PatientState): boolean => states.some((state) => state[name]);
  const joined: PatientState = {
    opposed: isOn('opposed'),
    withdrawn: isOn('withdrawn'),
    erasurePending: isOn('erasurePending'),
    accountOff: isOn('accountOff'),
  };
  const former = [from, ...(found.find(({ _id }) => _id === from)?.formerly ?? [])];
  const stays = { $set: joined, $inc: { writes: 1 }, $addToSet: { formerly: { $each: former } } };
  const ends = { $set: { ...OPEN_STATE, mergedInto: to }, $inc: { writes: 1 } };
  await persons.bulkWrite(
    [
      { updateOne: { filter: { _id: to }, update: stays, upsert: true } },
      { updateOne: { filter: { _id: from }, update: ends, upsert: true } },
    ],
    { session },
  );
}

async function moveDocuments(
  { standing, history, instances, quarantine, claims }: Collections,
  { from, to }: Rekey,
  session: ClientSession,
): Promise<void> {
  await standing.updateMany({ person: from }, { $set: { person: to } }, { session });
  await history.updateMany({ person: from }, { $set: { person: to } }, { session });
  const [reader, present] = [principal.patient(from), principal.patient(to)];
  await history.updateMany({ readers: reader }, { $set: { 'readers.$': present } }, { session });
  await instances.updateMany({ person: from }, { $set: { person: to } }, { session });
  await quarantine.updateMany({ person: from }, { $set: { person: to } }, { session });
  await claims.updateMany({ _id: QUALIFIED, value: from }, { $set: { value: to } }, { session });
}

/**
 * The principals under which events are read today: those of joined persons are the person's who stayed, whenever
 * the event was recorded, and nobody's else.
 */
export async function presentPrincipals(
  { persons }: Collections,
  principals: readonly Principal[],
  session: ClientSession,
): Promise<readonly Principal[]> {
  const keys = principals.flatMap(personsOf);
  if (keys.length === 0) return principals;
  const found = await persons
    .find({ _id: { $in: keys } }, { session, projection: { mergedInto: 1, formerly: 1 } })
    .toArray();
  const gone = new Set(
    found.filter(({ mergedInto }) => mergedInto !== undefined).map(({ _id }) => principal.patient(_id)),
  );
  const former = found.filter(({ mergedInto }) => mergedInto === undefined).flatMap(({ formerly = [] }) => formerly);
  return [...principals.filter((name) => !gone.has(name)), ...former.map(principal.patient)];
}

const PATIENT = principal.patient(personKey(''));

/** The person that a principal is: none when it is nobody's patient. */
export function personsOf(name: Principal): readonly PersonKey[] {
  return name.startsWith(PATIENT) ? [personKey(name.slice(PATIENT.length))] : [];
}
