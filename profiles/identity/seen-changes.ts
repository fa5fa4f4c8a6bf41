/**
 * The mark in a stored composite Patient that counts its changes by who could see them: her version is to each reader
 * the number of those that it sees, and her moment that of the last of them. It is never shown (said-by.ts).
 *
 * A change is counted once for each reader: of what everybody sees, or else of what an identity says to who sees an
 * item of it, or else of what it says to its source alone.
 */
import type { Extension, Patient } from '@medplum/fhirtypes';
import { canonicalText } from '../canonical-text.ts';
import { EXTENSION } from '../codes.ts';
import { saidBy, sayerOf, type Sayer } from './said-by.ts';
import { maySee, shownParts, type PatientReader, type RestrictedPart } from './shown-patient.ts';

/** A version of a row, and its moment (milliseconds since 1970). */
export type Stamp = { readonly version: number; readonly updated: number };

/** How often something changed, and when last; the moment of the version that says it is not known to itself. */
type Tally = { readonly count: number; readonly at?: number };

type SeenChanges = {
  readonly open: Tally;
  /** What identities say, or said: those that left her, too. */
  readonly restricted: readonly (Sayer & Tally)[];
  /** The identities that she is beside the one whose id she bears. */
  readonly others: readonly string[];
};

/** A version of a composite that stands. `isBack` when it was gone since: she is a person by herself again. */
export type StandingComposite = Stamp & { readonly patient: Patient; readonly isBack?: true };

/** Most identities that are remembered after they left. */
const MOST_LEFT = 100;

/** Returns a composite of identities with its changes counted, from those of the version that stands on. */
export function withSeenChanges(
  composite: Patient,
  members: readonly string[],
  standing: StandingComposite | undefined,
): Patient {
  const others = members.filter((id) => id !== composite.id).toSorted();
  const { open, restricted } = shownParts(composite);
  if (standing === undefined)
    return marked(composite, { open: { count: 1 }, restricted: restricted.map(madeNow), others });
  const { version, updated, patient, isBack = false } = standing;
  const before = changesOf(patient) ?? { open: { count: version }, restricted: [], others: [] };
  const same = marked(composite, { ...before, others });
  if (!isBack && isSame(same, patient)) return same;
  const former = shownParts(patient);
  const isOpenChange = isBack || open !== former.open;
  const counted = countedParts(before.restricted, { was: former.restricted, is: restricted, isOpenChange, updated });
  return marked(composite, {
    open: isOpenChange ? { count: before.open.count + 1 } : { at: updated, ...before.open },
    restricted: remembered(counted, members),
    others,
  });
}

function madeNow({ identity, isForSource }: Sayer): Sayer & Tally {
  return { identity, isForSource, count: 0 };
}

type Parts = {
  readonly was: readonly RestrictedPart[];
  readonly is: readonly RestrictedPart[];
  readonly isOpenChange: boolean;
  readonly updated: number;
};

/** Counts what identities say otherwise, or no more. */
function countedParts(
  before: SeenChanges['restricted'],
  { was, is, isOpenChange, updated }: Parts,
): SeenChanges['restricted'] {
  const [known, then, now] = [byKey(before), byKey(was), byKey(is)];
  const hasChanged = (key: string): boolean => then.get(key)?.text !== now.get(key)?.text;
  return [...byKey<Sayer>([...before, ...was, ...is])].map(([key, { identity, isForSource }]) => {
    const { count, ...last } = known.get(key) ?? { count: 0 };
    if (!hasChanged(key)) return { at: updated, ...last, identity, isForSource, count };
    const isSeenAnyway = isOpenChange || (isForSource && hasChanged(keyOf({ identity, isForSource: false })));
    return { identity, isForSource, count: count + (isSeenAnyway ? 0 : 1) };
  });
}

function byKey<Part extends Sayer>(parts: readonly Part[]): ReadonlyMap<string, Part> {
  return new Map(parts.map((part) => [keyOf(part), part]));
}

function keyOf({ identity, isForSource }: Sayer): string {
  return `${identity} ${isForSource}`;
}

/** Those who see what an identity says are told when it leaves. */
function remembered(restricted: SeenChanges['restricted'], members: readonly string[]): SeenChanges['restricted'] {
  const left = restricted.filter(({ identity }) => !members.includes(identity)).slice(-MOST_LEFT);
  return restricted.filter((one) => members.includes(one.identity) || left.includes(one));
}

function isSame({ meta: _one, ...composite }: Patient, { meta: _other, ...standing }: Patient): boolean {
  return canonicalText(composite) === canonicalText(standing);
}

/** Whether the version of a composite changes what everybody sees of it. */
export function isOpenChange(composite: Patient): boolean {
  return changesOf(composite)?.open.at === undefined;
}

/**
 * The version and the moment that a reader is shown of a composite. Whoever comes to see what an identity says is shown
 * a later version. One whose changes are not counted has those of its row.
 */
export function stampAsSeen(composite: Patient, { version, updated }: Stamp, reader: PatientReader): Stamp {
  const changes = changesOf(composite);
  if (changes === undefined) return { version, updated };
  const seen = changes.restricted.filter((one) => maySee(one, reader));
  const isOwn = ({ identity }: Sayer): boolean => reader.isSelf || reader.isSourceOf(identity);
  const tallies = [changes.open, ...seen];
  return {
    version: tallies.reduce((sum, { count }) => sum + count, seen.filter((one) => !isOwn(one)).length),
    updated: Math.max(...tallies.map(({ at = updated }) => at)),
  };
}

/** The identities (ids) that say, or said, what not everybody sees. */
export function sayersIn(composite: Patient): readonly string[] {
  const sayers = [composite, ...(composite.identifier ?? [])].flatMap((one) => sayerOf(one) ?? []);
  return [...new Set([...sayers, ...(changesOf(composite)?.restricted ?? [])].map(({ identity }) => identity))];
}

/** Whether a former version of a composite may be told: all identities that it was made of are still hers. */
export function isStillHers(former: Patient, present: Patient): boolean {
  const hers = new Set(membersOf(present));
  return membersOf(former).every((id) => hers.has(id));
}

/** The identities (ids) that a composite is made of: each says something that not everybody sees. */
function membersOf(composite: Patient): readonly (string | undefined)[] {
  return [composite.id, ...(changesOf(composite)?.others ?? sayersIn(composite))];
}

/** The mark comes last, so that what is told does not move. */
function marked(composite: Patient, { open, restricted, others }: SeenChanges): Patient {
  const mark: Extension = {
    url: EXTENSION.seenChanges,
    extension: [
      { url: 'open', extension: tallied(open) },
      ...restricted.map((one) => ({ url: 'restricted', extension: [saidBy(one), ...tallied(one)] })),
      ...others.map((id) => ({ url: 'other', valueId: id })),
    ],
  };
  const { resourceType, id, extension = [], ...rest } = composite;
  return { resourceType, ...(id === undefined ? {} : { id }), extension: [...extension, mark], ...rest };
}

function tallied({ count, at }: Tally): Extension[] {
  const moment = at === undefined ? [] : [{ url: 'at', valueInstant: new Date(at).toISOString() }];
  return [{ url: 'count', valueUnsignedInt: count }, ...moment];
}

function changesOf({ extension = [] }: Patient): SeenChanges | undefined {
  const mark = extension.find(({ url }) => url === EXTENSION.seenChanges)?.extension;
  if (mark === undefined) return undefined;
  const named = (name: string): readonly Extension[] => mark.filter(({ url }) => url === name);
  return {
    open: tallyOf(named('open')[0]),
    restricted: named('restricted').flatMap((one) => {
      const sayer = sayerOf(one);
      return sayer === undefined ? [] : [{ ...sayer, ...tallyOf(one) }];
    }),
    others: named('other').flatMap(({ valueId }) => valueId ?? []),
  };
}

function tallyOf({ extension = [] }: Extension = { url: '' }): Tally {
  const at = extension.find(({ url }) => url === 'at')?.valueInstant;
  const count = extension.find(({ url }) => url === 'count')?.valueUnsignedInt ?? 0;
  return at === undefined ? { count } : { count, at: Date.parse(at) };
}
