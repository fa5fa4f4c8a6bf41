/** What is stored of an instance, read by those who must say which instance it was when it cannot be read. */
import { Fault } from '../../profiles/fault.ts';
import type { InstanceRow } from '../ports/commit-plan.ts';

/** Thrown where what is stored of an instance cannot be read or put into words. Its message names no patient. */
export class UnreadableInstance extends Error {
  override readonly name = 'UnreadableInstance';
  readonly row: InstanceRow;

  /** `cause` is not kept: what a parser says repeats what it read. */
  constructor(row: InstanceRow, cause: unknown) {
    super(describe(cause));
    this.row = row;
  }
}

/** Reads what is stored of an instance. @throws {UnreadableInstance} it cannot be read */
export function readOf<T>(row: InstanceRow, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new UnreadableInstance(row, cause);
  }
}

/** The message of a Fault, which names no patient; of other errors what and where they are. */
function describe(cause: unknown): string {
  if (cause instanceof Fault) return cause.message;
  if (!(cause instanceof Error)) return typeof cause;
  const [, trace = ''] = (cause.stack ?? '').split(cause.message || cause.name);
  const at = /^ {4}at .*$/m.exec(trace);
  return at === null ? cause.name : `${cause.name} ${at[0].trim()}`;
}
