/** Two person keys that turn out to be one person: everything under the one moves to the other. */
import type { ClientSession } from 'mongodb';
import { OPEN_STATE, type PatientState } from '../../access/decide.ts';
import type { PersonKey } from '../../access/requester.ts';
import { principal } from '../../access/right.ts';
import type { CommitPlan } from '../../ports/commit-plan.ts';
import { toState } from './acl-rows.ts';
import type { Collections } from './collections.ts';

/** A person's former key and the key that stays. */
export type Rekey = NonNullable<CommitPlan['rekeys']>[number];

/** Moves persons; the access of those that stay is to be materialised anew. Resolves their keys. */
export async function rekeyPersons(
  collections: Collections,
  rekeys: readonly Rekey[],
  session: ClientSession,
): Promise<ReadonlySet<PersonKey>> {
  const moved = rekeys.filter(({ from, to }) => from !== to);
  for (const rekey of moved) {
    await movePrincipal(collections, rekey, session);
    await moveDocuments(collections, rekey, session);
    await joinStates(collections, rekey, session);
  }
  return new Set(moved.map(({ to }) => to));
}

/** What the person holds, on their own record or another's, and what they may read of the trail. */
async function movePrincipal({ rights, acl, audit }: Collections, { from, to }: Rekey, session: ClientSession): Promise<void> {
  const [former, present] = [principal.patient(from), principal.patient(to)];
  await rights.updateMany({ principal: former }, { $set: { principal: present } }, { session });
  await acl.updateMany({ principal: former }, { $set: { principal: present } }, { session });
  await audit.updateMany({ persons: former }, { $set: { 'persons.$': present } }, { session });
}

async function moveDocuments(
  { rights, standing, history, instances, claims }: Collections,
  { from, to }: Rekey,
  session: ClientSession,
): Promise<void> {
  await rights.updateMany({ person: from }, { $set: { person: to } }, { session });
  await standing.updateMany({ person: from }, { $set: { person: to } }, { session });
  await history.updateMany({ person: from }, { $set: { person: to } }, { session });
  await instances.updateMany({ person: from }, { $set: { person: to } }, { session });
  await claims.updateMany({ value: from }, { $set: { value: to } }, { session });
}

/** A switch that is on for one of them is on for the person; the former key keeps none. */
async function joinStates({ persons }: Collections, { from, to }: Rekey, session: ClientSession): Promise<void> {
  const found = await persons.find({ _id: { $in: [from, to] } }, { session }).toArray();
  const states = found.map(toState);
  const isOn = (name: keyof PatientState): boolean => states.some((state) => state[name]);
  const joined: PatientState = {
    opposed: isOn('opposed'),
    withdrawn: isOn('withdrawn'),
    erasurePending: isOn('erasurePending'),
    accountOff: isOn('accountOff'),
  };
  await persons.updateOne({ _id: to }, { $set: joined, $inc: { writes: 1 } }, { session, upsert: true });
  await persons.updateOne({ _id: from }, { $set: OPEN_STATE, $inc: { writes: 1 } }, { session, upsert: true });
}
