/**
 * The mark in a stored composite Patient of what not everybody sees: which identity said it, and for whom. It is never
 * shown, as the other mark of ours (seen-changes.ts).
 */
import type { Extension } from '@medplum/fhirtypes';
import { EXTENSION } from '../codes.ts';

/** Who said a part of a composite. */
export type Sayer = {
  /** The id of the identity's home Patient. */
  readonly identity: string;
  /** It is shown to the source of that identity alone; else to whoever sees an item that was filed under it. */
  readonly isForSource: boolean;
};

/** What bears the mark. */
type Marked = { extension?: Extension[] };

const IDENTITY = 'identity';
const FOR_SOURCE = 'for-source';

/** Returns the mark. */
export function saidBy({ identity, isForSource }: Sayer): Extension {
  return {
    url: EXTENSION.saidBy,
    extension: [
      { url: IDENTITY, valueId: identity },
      { url: FOR_SOURCE, valueBoolean: isForSource },
    ],
  };
}

/** Reads the mark; undefined where there is none. */
export function sayerOf({ extension = [] }: Marked): Sayer | undefined {
  const mark = extension.find(({ url }) => url === EXTENSION.saidBy)?.extension ?? [];
  const identity = mark.find(({ url }) => url === IDENTITY)?.valueId;
  const isForSource = mark.find(({ url }) => url === FOR_SOURCE)?.valueBoolean !== false;
  return identity === undefined ? undefined : { identity, isForSource };
}

const MARKS: readonly string[] = [EXTENSION.saidBy, EXTENSION.seenChanges];

/** Whether an extension came with what a source sent: it is no mark of ours. */
export function isTheirs({ url }: Extension): boolean {
  return !MARKS.includes(url);
}

/** Returns a copy of an element or a resource without marks. */
export function withoutMark<T extends Marked>(element: T): T {
  const extension = element.extension?.filter(isTheirs) ?? [];
  const bare: T = { ...element };
  if (extension.length === 0) delete bare.extension;
  else bare.extension = extension;
  return bare;
}
