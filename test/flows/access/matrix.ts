/**
 * What the table of decisions says of every cell: a relation, a label, a state of the patient, a state of the item, a
 * door. Read from `server/access/rules/table.json` alone: nothing here asks the product what it decides.
 */
import table from '../../../server/access/rules/table.json' with { type: 'json' };

/** A relation of the table. */
export type RelationName = (typeof table.relations)[number]['relation'];

/** A label: a level, and a mask where it has one. */
export type MatrixLabel = { readonly name: string; readonly level: string; readonly mask?: string };

/** What of an exam a door may show; `named` is a row of the own class that names the holder of that relation. */
export type Part = 'images' | 'report' | 'document' | 'named';

/**
 * What became of an exam: its report is validated, or waits to be; or its images contradict what stands, and are kept
 * aside.
 */
export const ITEM_STATES = ['released', 'preliminary', 'kept aside'] as const;

/** One of {@link ITEM_STATES}. */
export type ItemState = (typeof ITEM_STATES)[number];

/** Whoever has the link of a share has no door yet; who represents a child does not represent the matrix's patients. */
const NOT_ASKING: readonly RelationName[] = ['share', 'representative-of-child'];

/** The relations whose holders ask at doors. */
export const MATRIX_RELATIONS: readonly RelationName[] = table.relations
  .map(({ relation }) => relation)
  .filter((relation) => !NOT_ASKING.includes(relation));

/** The labels: each level, and each mask on a normal item. */
export const LABELS: readonly MatrixLabel[] = [
  ...table.levels.map(({ level }) => ({ name: level, level })),
  ...table.masks.map(({ mask, code }) => ({ name: code, level: lowest(), mask })),
];

/** The switches of a person. */
export const SWITCH_NAMES: readonly string[] = table.switches.map((one) => one.switch);

/** Every state of a person: the switches that are on. The first has none, then each alone, in the table's order. */
export const PATIENT_STATES: readonly (readonly string[])[] = SWITCH_NAMES.reduce<readonly (readonly string[])[]>(
  (states, name) => [...states, ...states.map((state) => [...state, name])],
  [[]],
).toSorted((one, other) => one.length - other.length);

/** What a cell is about: one exam of one person. */
export type Case = { readonly label: MatrixLabel; readonly state: readonly string[]; readonly item: ItemState };

/** Every exam of the matrix. */
export const CASES: readonly Case[] = LABELS.flatMap((label) =>
  PATIENT_STATES.flatMap((state) => ITEM_STATES.map((item) => ({ label, state, item }))),
);

/** Exams of every label: in each single state of the person, and in each state of the item while nothing is said. */
export const SINGLE_CASES: readonly Case[] = CASES.filter(
  ({ state, item }) => state.length === 0 || (state.length === 1 && item === 'released'),
);

/** The relations that show something while the region file has a setting of emergencies. */
const SET_RELATIONS: readonly RelationName[] = table.relations
  .filter(({ setting }) => setting !== undefined)
  .map(({ relation }) => relation);

/** Of these an exam of each label, of which nothing else is said. */
export function isOfSetting(relation: RelationName, { state, item }: Case): boolean {
  return SET_RELATIONS.includes(relation) && state.length === 0 && item === 'released';
}

/**
 * What of an exam somebody of a relation may see. Where the region file has no setting of emergencies (`isSet` false),
 * one that a setting lets show something shows what every emergency does, and to whom a patient blocks nothing: who
 * holds a relation that passes blocks is blocked.
 */
export function partsShown(relation: RelationName, about: Case, isSet = true): ReadonlySet<Part> {
  const rule = table.relations.find((one) => one.relation === relation);
  if (rule === undefined) throw new Error(`The table has no relation ${relation}`);
  if (!isSet && rule.setting !== undefined) return rule.barred ? partsShown('break-glass', about) : new Set();
  const { label, state, item } = about;
  const closedBy: readonly string[] = rule.closedBy;
  const maskedBy: readonly string[] = rule.maskedBy;
  if (state.some((name) => closedBy.includes(name))) return new Set();
  if (heightOf(label.level) > heightOf(rule.ceiling)) return new Set();
  if (label.mask !== undefined && maskedBy.includes(label.mask)) return new Set();
  // What a state of the item gives is given in that state alone.
  if (rule.state !== undefined && rule.state !== label.mask) return new Set();
  if (rule.reaches === 'that row') return new Set<Part>(['named']);
  if (item === 'kept aside') return new Set();
  if (item === 'released') return new Set<Part>(['images', 'report', 'document']);
  // Nobody published a document of a report that nobody validated.
  const waiting: Readonly<Record<string, readonly Part[]>> = {
    nothing: [],
    exams: ['images'],
    all: ['images', 'report'],
  };
  return new Set(waiting[rule.unreleased]);
}

function heightOf(level: string): number {
  return table.levels.findIndex((one) => one.level === level);
}

function lowest(): string {
  return table.levels[0]?.level ?? '';
}
