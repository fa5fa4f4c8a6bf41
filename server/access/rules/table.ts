/**
 * The decision as a table, read from `table.json`: one row for each relation. `README.md` of this folder renders it.
 */
import { LEVELS, MASKS, type Level, type Mask } from '../../../profiles/confidentiality.ts';
import { BREAK_GLASS_SETTINGS, EMERGENCIES } from '../../../profiles/consent/emergency.ts';
import type { BreakGlassSetting, BreakGlassSettings, EmergencyRelation } from '../../../profiles/consent/emergency.ts';
import { storedType, type StoredType } from '../../../profiles/types/visibility.ts';
import { RELATIONS, type Relation } from '../right.ts';
import table from './table.json' with { type: 'json' };

/** The switches of a person, by the name that the state has for each. */
export const SWITCHES = ['opposed', 'withdrawn', 'erasurePending', 'accountOff'] as const;

/** One of {@link SWITCHES}. */
export type SwitchName = (typeof SWITCHES)[number];

/** What of rows that are not released a relation shows: none, all but reports that nobody has validated, or all. */
const UNRELEASED = ['nothing', 'exams', 'all'] as const;

/** One of {@link UNRELEASED}. */
export type Unreleased = (typeof UNRELEASED)[number];

/** What a relation is let see. */
export type Rule = {
  /** The highest level that it reaches. */
  readonly ceiling: Level;
  /** Masks that hide an item from it. */
  readonly maskedBy: readonly Mask[];
  /** Switches of the person that close everything to it. */
  readonly closedBy: readonly SwitchName[];
  readonly unreleased: Unreleased;
  /** Types of the own class that a right to the record shows, too: what names the patient. */
  readonly besides: readonly StoredType[];
  /** Whether it shows nothing to whom the person bars. */
  readonly barred: boolean;
  /** The state of an item that gives the relation to it: of the record a right shows the Patient alone then. */
  readonly state?: Mask;
  /** Of an emergency: the setting of the region file without which it shows nothing. */
  readonly setting?: BreakGlassSetting;
};

type Said = (typeof table.relations)[number];

/** The rule of each relation. */
export const RULES: Readonly<Record<Relation, Rule>> = readTable(table.relations);

/**
 * Reads the rows of the table.
 * @throws {Error} a word that is none of the lists above, a relation twice or missing, or not in their order
 */
export function readTable(rows: readonly Said[]): Record<Relation, Rule> {
  const named = rows.map(({ relation }) => relation).join();
  if (named !== RELATIONS.join()) throw new Error(`The table of decisions has the relations ${RELATIONS.join()}`);
  return Object.fromEntries(rows.map((row) => [row.relation, toRule(row)])) as Record<Relation, Rule>;
}

/** The relations that an emergency gives under some settings, those of its region or what its Consent says. */
export function emergenciesUnder(settings: BreakGlassSettings): readonly EmergencyRelation[] {
  return EMERGENCIES.filter((relation) => {
    const { setting } = RULES[relation];
    return setting === undefined || settings[setting] === true;
  });
}

/** The relations that one emergency gives which does this beyond what every one does, the furthest last. */
export function emergenciesBeyond(beyond: BreakGlassSetting | undefined): readonly EmergencyRelation[] {
  return emergenciesUnder(beyond === undefined ? {} : { [beyond]: true });
}

/** The relation that a setting gives to an emergency, beyond what every one does. */
export function emergencyBeyond(beyond: BreakGlassSetting | undefined): EmergencyRelation | undefined {
  return beyond === undefined ? undefined : EMERGENCIES.find((relation) => RULES[relation].setting === beyond);
}

function toRule({ ceiling, maskedBy, closedBy, unreleased, besides = [], barred, state, setting }: Said): Rule {
  return {
    ceiling: oneOf(LEVELS, ceiling),
    maskedBy: maskedBy.map((mask) => oneOf(MASKS, mask)),
    closedBy: closedBy.map((name) => oneOf(SWITCHES, name)),
    unreleased: oneOf(UNRELEASED, unreleased),
    besides: besides.map(storedType),
    barred,
    ...(state === undefined ? {} : { state: oneOf(MASKS, state) }),
    ...(setting === undefined ? {} : { setting: oneOf(BREAK_GLASS_SETTINGS, setting) }),
  };
}

function oneOf<T extends string>(words: readonly T[], word: string): T {
  const found = words.find((one) => one === word);
  if (found === undefined) throw new Error(`The table of decisions says ${word}, which is none of ${words.join()}`);
  return found;
}
