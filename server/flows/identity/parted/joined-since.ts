/** Since when identities are one person, and what has to end when they are two again. */
import { systemReading } from '../../../access/grant.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import type { Move } from '../../../ports/commit-plan.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import { claimOf } from '../../internal-reads.ts';
import { newId } from '../../new-id.ts';
import type { PlanParts } from '../../write/plan-parts.ts';
import type { StandingIdentity } from '../identities.ts';

/** Moves, the identities (by id) as they stand, and those that are said to bear a number no more. */
export type Moved = {
  readonly moves: readonly Move[];
  readonly standing: ReadonlyMap<string, StandingIdentity>;
  readonly unnumbered: readonly string[];
};

/** A move, whether it leaves others and whether others go along, and since when it was one with them. */
type Step = {
  readonly move: Move;
  readonly isLeaving: boolean;
  readonly isAccompanied: boolean;
  /** Epoch milliseconds, as this one. */
  readonly remembered: number | undefined;
  readonly since: number;
};

/**
 * The parts of moves. Whoever comes to older identities remembers since when; whoever leaves others asks for what was
 * given meanwhile to end. Whom earlier servers joined may have been one since they are known.
 */
export async function joinedSince(records: RecordStore, moved: Moved, now: number): Promise<PlanParts> {
  const steps: Step[] = [];
  for (const move of moved.moves) steps.push(await stepOf(records, move, moved, now));
  const turned = steps.map((step) => ({ ...step, key: keyOf(step.move), joined: joinedAt(step, now) }));
  const changed = turned.filter(({ remembered, joined }) => remembered !== joined);
  const left = steps.filter(({ isLeaving }) => isLeaving);
  const parted = Map.groupBy(left, ({ move: { from, to } }) => `${from}|${to}`);
  return {
    erased: [{ claims: changed.flatMap(({ key, remembered }) => (remembered === undefined ? [] : [key])) }],
    claims: changed.flatMap(({ key, joined }) => (joined === undefined ? [] : [{ key, value: String(joined) }])),
    jobs: [...parted.values()].flatMap((some) => partingOf(some, moved.unnumbered, now)),
  };
}

function keyOf({ identity }: Move) {
  return claimKey.joined(idOf(identity));
}

function idOf(patient: string): string {
  return patient.replace(/^Patient\//, '');
}

async function stepOf(records: RecordStore, move: Move, { moves, standing }: Moved, now: number): Promise<Step> {
  const { identity, from, to } = move;
  const said = await claimOf(records, systemReading('resolve-identity', now), keyOf(move));
  const remembered = said === undefined ? undefined : Number(said);
  const company = [...standing].filter(([id, { person }]) => person === from && id !== idOf(identity));
  const along = new Set(moves.filter((one) => one.to === to).map((one) => idOf(one.identity)));
  return {
    move,
    isLeaving: company.some(([id]) => !along.has(id)),
    isAccompanied: company.some(([id]) => along.has(id)),
    remembered,
    since: remembered ?? standing.get(idOf(identity))?.content.since ?? now,
  };
}

/** Since when it is one with older ones afterwards; undefined of the oldest. */
function joinedAt({ move, isAccompanied, remembered }: Step, now: number): number | undefined {
  if (move.identity === move.patient) return undefined;
  return isAccompanied ? (remembered ?? now) : now;
}

function partingOf(some: readonly Step[], unnumbered: readonly string[], at: number): NonNullable<PlanParts['jobs']> {
  const [first] = some;
  if (first === undefined) return [];
  const { from, to } = first.move;
  const since = Math.min(...some.map((step) => step.since));
  const payload = { from, to, since, until: at, unnumbered };
  return [{ id: newId(), kind: 'end-given', subject: newId(), payload, at }];
}
