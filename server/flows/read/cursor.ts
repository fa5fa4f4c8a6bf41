/** Cursors of pages: each names its place and its reader; what it shows is decided again on each page. */
import { createHash } from 'node:crypto';
import { Fault } from '../../../profiles/fault.ts';
import { referenceOf, type Visit } from '../guard.ts';

type Values = {
  readonly number: number;
  readonly string: string;
  readonly 'number or none': number | null;
  readonly 'string or none': string | null;
};
type ValuesOf<Kinds extends readonly (keyof Values)[]> = { -readonly [At in keyof Kinds]: Values[Kinds[At]] };

/** Writes the cursor of a place, for the reader of a visit. */
export function writeCursor(visit: Visit, place: readonly (number | string | null)[]): string {
  return Buffer.from(JSON.stringify([...place, readerOf(visit)])).toString('base64url');
}

/**
 * Reads the place of a cursor: values of some kinds, in order. Numbers are whole.
 * @throws {Fault} not-found - the cursor is none, or of another reader
 */
export function readCursor<const Kinds extends readonly (keyof Values)[]>(
  visit: Visit,
  cursor: string,
  ...kinds: Kinds
): ValuesOf<Kinds> {
  const place = parseCursor(cursor);
  const fits = kinds.every((kind, at) => isOfKind(place[at], kind));
  if (place.length !== kinds.length + 1 || !fits || place.at(-1) !== readerOf(visit))
    throw new Fault('not-found', 'No such page');
  return place.slice(0, -1) as ValuesOf<Kinds>;
}

function isOfKind(value: unknown, kind: keyof Values): boolean {
  if (value === null) return kind.endsWith('or none');
  return kind.startsWith('number') ? Number.isSafeInteger(value) : typeof value === 'string';
}

function parseCursor(cursor: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

function readerOf({ requester }: Visit): string {
  return createHash('sha256')
    .update(`${requester.clientId}\n${referenceOf(requester)}`)
    .digest('base64url')
    .slice(0, 16);
}
