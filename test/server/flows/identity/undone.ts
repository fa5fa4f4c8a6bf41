/** Whether a mistake that was undone leaves everything as it was. */
import { changesBetween, snapshot, withoutGivers } from './readers.ts';
import type { Session } from './session.ts';
import type { Mistake } from './steps.ts';

/**
 * Does and undoes a mistake, and compares what all are told before and after. The giver of a right may be another: of
 * its person a moved exam is a later one than it was, and so is what was hidden meanwhile.
 */
export async function expectUndone(session: Session, { mistake, undo }: Mistake): Promise<void> {
  const before = await snapshot(session);
  if (!(await mistake())) return;
  await session.world.rest();
  await undo();
  const after = await snapshot(session);
  const changes = changesBetween(withoutGivers(before), withoutGivers(after));
  if (changes.length > 0) throw new Error(`An undo leaves changes:\n${changes.join('\n')}`);
}
