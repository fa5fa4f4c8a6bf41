/**
 * How many cells the whole matrix has and how many of them show something, reckoned from the numbers of the table: no
 * cell is looked at, so that one that is left out or doubled shows.
 */
import table from '../../../server/access/rules/table.json' with { type: 'json' };
import { HOLDERS, type AskingRelation } from './holders.ts';
import type { Part } from './matrix.ts';
import { MATRIX_DOORS } from './matrix-doors.ts';

type Rule = (typeof table.relations)[number];

/** Counts of cells. */
export type Reckoned = { readonly cells: number; readonly shown: number };

/** By the item's states: what of it is shown by `unreleased` while its report waits. */
const WAITING: Readonly<Record<string, readonly Part[]>> = {
  nothing: [],
  exams: ['images'],
  all: ['images', 'report'],
};
const ITEM_STATES = 3;

/** The whole matrix. */
export function reckonMatrix(): Reckoned {
  const asking = table.relations.filter(({ relation }) => relation in HOLDERS);
  const labels = table.levels.length + table.masks.length;
  const states = 2 ** table.switches.length;
  const each = asking.map((rule) => ({
    cells: doorsOf(rule).length * labels * states * ITEM_STATES,
    shown: openLabels(rule) * openStates(rule) * showingDoors(rule),
  }));
  return { cells: sum(each.map(({ cells }) => cells)), shown: sum(each.map(({ shown }) => shown)) };
}

/** Doors that show something, over the states of an item: released, waiting, kept aside. */
function showingDoors(rule: Rule): number {
  if (rule.reaches === 'that row') return ITEM_STATES * doorsWith(rule, ['named']);
  return doorsWith(rule, ['images', 'report', 'document']) + doorsWith(rule, WAITING[rule.unreleased] ?? []);
}

function openLabels({ ceiling, maskedBy, state }: Rule): number {
  const isMasked = (mask: string): boolean => (maskedBy as readonly string[]).includes(mask);
  if (state !== undefined) return isMasked(state) ? 0 : 1;
  const levels = table.levels.findIndex(({ level }) => level === ceiling) + 1;
  return levels + table.masks.filter(({ mask }) => !isMasked(mask)).length;
}

/** The states in which no switch closes; who signs in by an account that is off cannot ask. */
function openStates({ relation, closedBy }: Rule): number {
  const isOfAccount = ['patient', 'representative'].includes(holderOf(relation).signsIn.as);
  const closing = new Set<string>([...closedBy, ...(isOfAccount ? ['accountOff'] : [])]);
  return 2 ** table.switches.filter((one) => !closing.has(one.switch)).length;
}

function doorsWith(rule: Rule, parts: readonly Part[]): number {
  return doorsOf(rule).filter((door) => door.parts.some((part) => parts.includes(part))).length;
}

/** Pages are for who has a browser. */
function doorsOf({ relation }: Rule): typeof MATRIX_DOORS {
  return MATRIX_DOORS.filter(({ isPage }) => isPage !== true || holderOf(relation).signsIn.as !== 'client');
}

function holderOf(relation: Rule['relation']): (typeof HOLDERS)[AskingRelation] {
  return HOLDERS[relation as AskingRelation];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
