/**
 * What clients did and saw, in the times of one clock: what the checker of histories reads. A register is one thing
 * that is so or not, as that a record is shared, or that somebody is declared.
 */

/** What a change makes of a register. */
export type Setting = { readonly register: string; readonly value: boolean };

/** Milliseconds of one monotonic clock: before the request was sent, after its answer was read to its end. */
export type Times = { readonly begin: number; readonly end: number };

/** What has to be so for somebody to see the exam: of each list at least one register. */
export type Needs = readonly (readonly string[])[];

/**
 * Somebody changed who sees the record. `refused`: nothing was changed. `unknown`: there was no answer, so it may have
 * been changed at any moment since.
 */
export type Change = Times & {
  readonly kind: 'change';
  readonly name: string;
  /** What was done. */
  readonly act: string;
  readonly sets: readonly Setting[];
  /** It changes nothing where this is not so; its answer does not tell. */
  readonly where?: Needs;
  readonly outcome: 'done' | 'refused' | 'unknown';
};

/** Somebody asked for the exam at a door. `cut`: the answer ended in the middle; `busy`: the store could not answer. */
export type Read = Times & {
  readonly kind: 'read';
  readonly name: string;
  readonly needs: Needs;
  readonly saw: 'shown' | 'hidden' | 'cut' | 'busy';
};

/** Bytes that came, and when. */
export type Chunk = { readonly at: number; readonly bytes: number };

/** Somebody opened the exam and took it slowly. `hidden`: there was no such exam; `cut`: it ended in the middle. */
export type Stream = Times & {
  readonly kind: 'stream';
  readonly name: string;
  readonly needs: Needs;
  readonly chunks: readonly Chunk[];
  readonly saw: 'shown' | 'hidden' | 'cut';
};

/** Everything, in any order. Registers that `holds` does not name are off at first. */
export type History = {
  readonly holds: readonly string[];
  readonly events: readonly (Change | Read | Stream)[];
};

/** What of a running answer may still come: after so many milliseconds, so many bytes that were on their way. */
export type Bounds = { readonly decidesWithinMs: number; readonly bufferBytes: number };

/** What it is counted as: a change by its act and outcome, a read or a stream by what it saw. */
export function kindOf(event: Change | Read | Stream): string {
  if (event.kind === 'change') return `${event.act} ${event.outcome}`;
  return event.kind === 'read' ? event.saw : `stream ${event.saw}`;
}
