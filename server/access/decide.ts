/**
 * The decision, as pure rules. Stores materialise {@link permits} into their access tables; {@link decide} is the
 * oracle that explains an answer and that tests compare with the stores. First decisive layer wins.
 */
import { rankOf, type Label } from '../../profiles/confidentiality.ts';
import type { DateRange } from '../../profiles/search/date-range.ts';
import type { StoredType, Visibility } from '../../profiles/types/visibility.ts';
import { fhirType, storedType, VISIBILITY } from '../../profiles/types/visibility.ts';
import type { AnyGrant, Grant } from './grant.ts';
import { BLOCK, establishmentOf, isNamedBefore, isShowing, RELATIONS } from './right.ts';
import type { Relation, Right, ShowingRight } from './right.ts';
import { RULES, type SwitchName } from './rules/table.ts';

/** The four independent switches of a person. `accountOff` governs sign-in only. */
export type PatientState = Readonly<Record<SwitchName, boolean>>;

/** The state of a person of whom nothing was ever said. */
export const OPEN_STATE: PatientState = { opposed: false, withdrawn: false, erasurePending: false, accountOff: false };

/** What the decision knows of a row, with its label. */
export type RowFacts = Label & {
  readonly type: StoredType;
  /** `Type/id` of the row itself, or for a part of the item it belongs to. */
  readonly item: string;
  /** The exams and reports (`Type/id`) that it is part of; of a part of an item those of the item. */
  readonly exams: readonly string[];
  /** Of what time it is, none where that is not known; of a part of an item that of the item. */
  readonly dates: readonly DateRange[];
  /** False until a validated report lets the patient see the item; of a report until it is validated itself. */
  readonly released: boolean;
};

/** The answer of {@link decide}, with the right that permits or the layer that refuses. */
export type Decision =
  | { readonly permitted: true; readonly right: ShowingRight | undefined }
  | { readonly permitted: false; readonly layer: 'state' | 'block' | 'life-cycle' | 'relation' };

/** Whether a person's state leaves a relation anything: the patient sees what others no longer do. */
export function stateAllows(relation: Relation, state: PatientState): boolean {
  return !RULES[relation].closedBy.some((name) => state[name]);
}

/**
 * Whether the item's life cycle leaves a relation anything: the patient waits for the validated report, and a report
 * that nobody has validated is for who wrote it, for the imaging service and for emergencies alone.
 */
export function lifeCycleAllows(relation: Relation, row: Pick<RowFacts, 'type' | 'released'>): boolean {
  const { unreleased } = RULES[relation];
  if (row.released || unreleased === 'all') return true;
  return unreleased === 'exams' && fhirType(row.type).unreleased !== 'service';
}

/** Whether a label leaves a relation anything: its level is not above the ceiling, and no mask hides it. */
export function labelAllows(relation: Relation, { level, masks }: Label): boolean {
  const { ceiling, maskedBy } = RULES[relation];
  return rankOf(level) <= rankOf(ceiling) && !masks.some((mask) => maskedBy.includes(mask));
}

/** Whether label and life cycle leave a row to its patient, whatever her state is. */
export function isOpenToPatient(row: Omit<RowFacts, 'item' | 'exams' | 'dates'>): boolean {
  return labelAllows('self', row) && lifeCycleAllows('self', row);
}

/** The relations that show nothing to whom the person bars, and those that show it still. */
export const BARRED: readonly Relation[] = RELATIONS.filter((relation) => RULES[relation].barred);
export const UNBARRED: readonly Relation[] = RELATIONS.filter((relation) => !RULES[relation].barred);

/** Whether a right reaches a row: its scope names it, and the label leaves it to the relation. */
export function reaches(right: ShowingRight, row: RowFacts): boolean {
  return isInScope(right, row) && labelAllows(right.relation, row);
}

/** Whoever sees an exam alone, or a time of the record, sees whose it is. */
function isInScope({ scope, relation }: ShowingRight, row: RowFacts): boolean {
  if (scope === 'record') return recordHolds(relation, row);
  if ('item' in scope) return scope.item === row.item;
  if ('dataPeriod' in scope) return isOfPatient(row) || isWithin(row.dates, scope.dataPeriod);
  return scope.exam === row.item || row.exams.includes(scope.exam) || isOfPatient(row);
}

/** Whether something is of a time wholly; what has no end is of none that has one. */
function isWithin(dates: readonly DateRange[], { lo: from, hi: to }: DateRange): boolean {
  return dates.length > 0 && dates.every(({ lo, hi }) => from <= lo && hi <= to);
}

/**
 * Rows of the own class, and parts of them, belong to no record: only their named principals see them, and whom the
 * table of decisions shows such rows besides. Whom a state gives an item sees of the
 * record who the patient is.
 */
function recordHolds(relation: Relation, { item }: Pick<RowFacts, 'item'>): boolean {
  if (RULES[relation].state !== undefined) return isOfPatient({ item });
  const type = storedType(item.split('/')[0] ?? '');
  return VISIBILITY[type] !== 'own' || RULES[relation].besides.includes(type);
}

/** Whether a row says who the patient is. */
function isOfPatient({ item }: Pick<RowFacts, 'item'>): boolean {
  return fhirType(storedType(item.split('/')[0] ?? '')).hooks?.write === 'identity';
}

/** Whether a right, within its time, shows a row of its person: what stores materialise. */
export function permits(right: Right, row: RowFacts, state: PatientState): boolean {
  if (!isShowing(right)) return false;
  return reaches(right, row) && stateAllows(right.relation, state) && lifeCycleAllows(right.relation, row);
}

/**
 * Whose instances a study that is shown by a right holds for a grant (`Organization/id`); undefined: everybody's. Each
 * establishment that sent some is the author of those alone. What others added it sees as an imaging service does:
 * not where the label hides the study from one.
 */
export function sourcesShown(
  grant: AnyGrant,
  relation: Relation | undefined,
  label: Label,
): readonly string[] | undefined {
  if (relation !== 'author' || labelAllows('imaging-service', label)) return undefined;
  return grant.principals.flatMap(establishmentOf);
}

/** Decides one row for one grant, from all rights of the row's person. */
export function decide(grant: AnyGrant, row: RowFacts, rights: readonly Right[], state: PatientState): Decision {
  const visibility: Visibility = VISIBILITY[row.type];
  if (grant.system || visibility === 'directory') return { permitted: true, right: undefined };
  const live = rights.filter((right) => isHeld(right, grant));
  const held = live.filter(isShowing).filter((right) => reaches(right, row));
  if (held.length === 0) return { permitted: false, layer: 'relation' };
  const inState = held.filter((right) => stateAllows(right.relation, state));
  if (inState.length === 0) return { permitted: false, layer: 'state' };
  const unbarred = isBarred(grant, live) ? inState.filter(({ relation }) => UNBARRED.includes(relation)) : inState;
  if (unbarred.length === 0) return { permitted: false, layer: 'block' };
  const [shown, ...others] = unbarred.filter((right) => lifeCycleAllows(right.relation, row));
  if (shown === undefined) return { permitted: false, layer: 'life-cycle' };
  return { permitted: true, right: others.reduce((one, other) => (isNamedBefore(other, one) ? other : one), shown) };
}

/** Whether a grant is barred from the record of a person: by her, of whom these are the rights, or from everybody's. */
export function isBarred(grant: Grant, rights: readonly Right[]): boolean {
  return grant.barredBy === 'everybody' || rights.some((right) => right.relation === BLOCK && isHeld(right, grant));
}

function isHeld(right: Right, grant: AnyGrant): boolean {
  return grant.principals.includes(right.principal) && right.from <= grant.now && grant.now < right.to;
}
