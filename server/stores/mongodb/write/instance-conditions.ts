/** Where instances must be for a plan to apply: in a study, or kept aside. */
import type { ClientSession } from 'mongodb';
import type { CommitPlan } from '../../../ports/commit-plan.ts';
import { instanceElsewhere } from '../../refused.ts';
import { isAsFiled } from '../../sources.ts';
import type { Collections } from '../collections.ts';
import { quarantineKey } from '../read/quarantine.ts';

/**
 * Checks the conditions of a plan on instances. A snapshot does not see what another transaction is about to take away:
 * the plan that rests on an instance takes it away, too, and so one of both conflicts.
 * @throws {Fault} conflict - one is not where it was expected
 */
export async function requireInstances(
  collections: Collections,
  plan: CommitPlan,
  session: ClientSession,
): Promise<void> {
  const isThere = (await areFiled(collections, plan, session)) && (await areKeptAside(collections, plan, session));
  if (!isThere) throw instanceElsewhere();
}

async function areFiled(
  { instances }: Collections,
  { preconditions = [] }: CommitPlan,
  session: ClientSession,
): Promise<boolean> {
  const filed = preconditions.filter((condition) => condition.kind === 'filed');
  if (filed.length === 0) return true;
  const projection = { subject: 1, blob: 1, furtherSources: 1 } as const;
  const uids = filed.map(({ sopInstanceUID }) => sopInstanceUID);
  const found = await instances.find({ _id: { $in: uids } }, { session, projection }).toArray();
  const standing = new Map(found.map((one) => [one._id, one]));
  return filed.every((condition) => isAsFiled(condition, standing.get(condition.sopInstanceUID)));
}

async function areKeptAside(
  { quarantine }: Collections,
  { preconditions = [] }: CommitPlan,
  session: ClientSession,
): Promise<boolean> {
  const asides = preconditions.filter((condition) => condition.kind === 'kept-aside');
  if (asides.length === 0) return true;
  const keys = new Set(asides.map(quarantineKey));
  const found = await quarantine.find({ _id: { $in: [...keys] } }, { session, projection: { _id: 1 } }).toArray();
  return found.length === keys.size;
}
