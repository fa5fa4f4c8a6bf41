/** Whether a mistake that was undone leaves everything as it was. */
import { changesBetween, snapshot, withoutGivers, withoutOrder } from './readers.ts';
import type { Session } from './session.ts';
import type { Mistake } from './steps.ts';

type Told = ReadonlyMap<string, string>;

/**
 * What an undo leaves as it was. Of its person a moved exam is a later giver of rights than it was, and so is what was
 * hidden meanwhile. What is fed again is what was said last.
 */
const COMPARABLE: Readonly<Record<Mistake['does'], (told: Told) => Told>> = {
  move: withoutGivers,
  feed: (told) => withoutGivers(withoutOrder(told)),
  join: withoutGivers,
  separate: withoutGivers,
};

/** Does and undoes a mistake, and compares what all are told before and after. */
export async function expectUndone(session: Session, { does, mistake, undo }: Mistake): Promise<void> {
  const before = await snapshot(session);
  if (!(await mistake())) return;
  await session.world.rest();
  await undo();
  const after = await snapshot(session);
  const changes = changesBetween(COMPARABLE[does](before), COMPARABLE[does](after));
  if (changes.length > 0) throw new Error(`An undo leaves changes:\n${changes.join('\n')}`);
}
