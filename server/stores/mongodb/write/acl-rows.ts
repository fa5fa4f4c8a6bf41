/** Rows and rights as the decision sees them, and the access documents that follow. */
import type { Filter } from 'mongodb';
import { decodeLabel } from '../../../../profiles/confidentiality.ts';
import type { DateRange } from '../../../../profiles/search/date-range.ts';
import { datesFound, examsAmong, PARTS_OF_EXAMS } from '../../../../profiles/types/row-rules.ts';
import { VISIBILITY, type StoredType } from '../../../../profiles/types/visibility.ts';
import { OPEN_STATE, permits, type PatientState } from '../../../access/decide.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { consentOf, isShowing, type Right, type ShowingRight } from '../../../access/right.ts';
import { fromScopeKey, nearRights, SOME_KEYS, toScopeKey } from '../../right-scopes.ts';
import type { AclDocument, PersonDocument, RightDocument, RowContent, RowDocument, StoredRow } from '../documents.ts';
import { referenceKey, targetsOf } from './index-arrays.ts';

/**
 * The index that lists what a principal sees, in order; it also holds all that a count needs. Queries need not name it:
 * no other gives their order.
 */
export const ACL_ORDER = { principal: 1, type: 1, sort: -1, id: 1, from: 1, to: 1 } as const;

/** The index that finds the rights on a row. */
export const ACL_ITEM = { item: 1, principal: 1 } as const;

/** What of a row decides who sees it. */
export type AclFacts = Pick<RowContent, 'type' | 'id' | 'sort' | 'level' | 'released' | 'person'> &
  Partial<Pick<RowDocument, 'ref' | 'dates'>>;

/** Whether rows of a type have access documents of their own. */
export function hasAcl(type: StoredType): boolean {
  const visibility = VISIBILITY[type];
  return visibility === 'item' || visibility === 'patient' || visibility === 'own';
}

/** `Type/id`. */
export function rowKey(type: StoredType, id: string): string {
  return `${type}/${id}`;
}

/** Rights to a person's record, to exams of hers, to a time and to some items, each by the index. */
export function rightsTo(person: PersonKey, ...items: readonly string[]): Filter<RightDocument> {
  return {
    $or: [
      { person, item: { $exists: false } },
      { person, item: { $gt: SOME_KEYS.after, $lt: SOME_KEYS.before } },
      { person, item: { $in: items } },
    ],
  };
}

/** Whether a change of a row changes who sees it, or where it is in lists. */
export function isSeenOtherwise(before: AclFacts, after: AclFacts): boolean {
  const parts = ['sort', 'level', 'released', 'person'] as const;
  if (parts.some((part) => before[part] !== after[part])) return true;
  const beside = (row: AclFacts): string => JSON.stringify([examsOf(row), datesOf(row)]);
  return beside(before) !== beside(after);
}

/** Of what time a row is. */
function datesOf({ type, dates = [] }: AclFacts): readonly DateRange[] {
  return datesFound(
    type,
    dates.map(({ p: param, lo, hi }) => ({ param, lo, hi })),
  );
}

/** What a row is part of. */
function examsOf({ type, ref = [] }: AclFacts): readonly string[] {
  const params = PARTS_OF_EXAMS.flatMap((part) => (part.type === type ? [part.param] : []));
  return examsAmong(params.flatMap((param) => targetsOf(ref, param)));
}

/** The rows that exams and reports (`Type/id`) show beside themselves: what is part of them, and who the patient is. */
export function shownWith(exams: readonly string[]): Filter<StoredRow> {
  const ofExams = PARTS_OF_EXAMS.map(({ type, param }) => ({
    type,
    ref: { $in: examsAmong(exams).map((exam) => referenceKey(param, exam)) },
  }));
  return { $or: [...ofExams, { type: 'Patient' }] };
}

/** The access documents of rights on rows of the same person. Of a row those are asked alone that may reach it. */
export function aclOf(rights: readonly Right[], rows: readonly AclFacts[], state: PatientState): AclDocument[] {
  const near = nearRights(rights.filter(isShowing));
  return rows
    .filter(({ type }) => hasAcl(type))
    .flatMap((row) =>
      near(rowKey(row.type, row.id))
        .filter((right) => isPermitted(right, row, state))
        .map((right) => toAcl(right, row)),
    );
}

function isPermitted(right: Right, row: AclFacts, state: PatientState): boolean {
  const { type, id, level, released } = row;
  const beside = { exams: examsOf(row), dates: datesOf(row) };
  const facts = { type, item: rowKey(type, id), ...beside, released, ...decodeLabel(level) };
  return permits(right, facts, state);
}

function toAcl(right: ShowingRight, { type, id, sort }: AclFacts): AclDocument {
  const item = rowKey(type, id);
  return {
    _id: `${right.id} ${item}`,
    principal: right.principal,
    type,
    sort,
    id,
    item,
    rightId: right.id,
    relation: right.relation,
    source: consentOf(right),
    from: right.from,
    to: right.to,
  };
}

/** A right as it is kept, with the rows that give it and their places, in order. */
export function toRightDocument(
  { id, scope, giver: _giver, ...right }: Right,
  givers: readonly Giver[],
): RightDocument {
  return { _id: id, ...right, item: toScopeKey(scope), ...giversIn(givers) };
}

/** A row that gives a right, and where it began among others. */
export type Giver = { readonly giver: string; readonly place: number };

/** The rows that give a kept right. */
export function giversOf({ givers, places = [] }: Pick<RightDocument, 'givers' | 'places'>): readonly Giver[] {
  return givers.map((giver, at) => ({ giver, place: places[at] ?? at }));
}

/** Rows that give a right, as they are kept. */
function giversIn(givers: readonly Giver[]): Required<Pick<RightDocument, 'givers' | 'places'>> {
  return { givers: givers.map(({ giver }) => giver), places: givers.map(({ place }) => place) };
}

/** A kept right. */
export function fromRightDocument({ _id, item, givers, places: _places, ...right }: RightDocument): Right {
  const [giver] = givers;
  if (giver === undefined) throw new Error('A right is kept that no row gives');
  return { ...right, id: _id, scope: fromScopeKey(item), giver };
}

/** A kept state; what was never said is off. */
export function toState(person: PersonDocument | null | undefined): PatientState {
  const { opposed, withdrawn, erasurePending, accountOff } = { ...OPEN_STATE, ...person };
  return { opposed, withdrawn, erasurePending, accountOff };
}
