/** Where instances must be for a plan to apply: in a study, or kept aside. */
import type { ClientSession } from 'mongodb';
import type { CommitPlan, Precondition } from '../../../ports/commit-plan.ts';
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
  { preconditions = [] }: CommitPlan,
  session: ClientSession,
): Promise<void> {
  for (const condition of preconditions)
    if (!(await isThere(collections, condition, session))) throw instanceElsewhere();
}

async function isThere(
  { instances, quarantine }: Collections,
  condition: Precondition,
  session: ClientSession,
): Promise<boolean> {
  const options = { session, projection: { _id: 1 } };
  switch (condition.kind) {
    case 'filed': {
      const projection = { subject: 1, blob: 1, furtherSources: 1 } as const;
      const standing = await instances.findOne({ _id: condition.sopInstanceUID }, { session, projection });
      return isAsFiled(condition, standing ?? undefined);
    }
    case 'kept-aside':
      return (await quarantine.findOne({ _id: quarantineKey(condition) }, options)) !== null;
    default:
      return true;
  }
}
