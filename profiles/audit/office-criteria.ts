/**
 * What of the trail the office of an establishment finds: the events of its people by all that they say, and those of
 * its items by what is seen of them (office-view.ts). Every store asks for the two parts so.
 */
import type { Criterion } from '../search/criterion.ts';
import { isItem, isSeenBeside } from './office-view.ts';

type ReferenceCriterion = Extract<Criterion, { kind: 'reference' }>;

/** The criteria of a search: those on all events, on those of its people, and on those of its items alone. */
export type OfficeCriteria = {
  readonly shared: readonly Criterion[];
  readonly ofPeople: readonly ReferenceCriterion[];
  /** Undefined where no event of its items is found: what is asked for is not seen in any. */
  readonly ofItems: readonly ReferenceCriterion[] | undefined;
  /** Items of the establishment, one of which each of these events names; undefined where it may be any. */
  readonly named: readonly string[] | undefined;
};

/**
 * Parts the criteria, for an office of some organizations (`Organization/id`); `own` are those of the items asked for
 * ({@link itemsAsked}) that they filed.
 */
export function officeCriteria(
  organizations: readonly string[],
  where: readonly Criterion[],
  own: ReadonlySet<string>,
): OfficeCriteria {
  const agents = { kind: 'reference', param: 'agent', values: organizations } as const;
  const asked = where.filter(isOnEntity);
  const seen = asked.map((one) => ({ ...one, values: one.values.filter((value) => isSeenBeside(value, own)) }));
  const isOwn = (value: string): boolean => own.has(value);
  const named = seen.find(({ values, negated }) => negated !== true && values.every(isOwn))?.values;
  const isNone = seen.some(({ values, negated }) => values.length === 0 && negated !== true);
  return {
    shared: where.filter((criterion) => !isOnEntity(criterion)),
    ofPeople: [agents, ...asked],
    ofItems: isNone ? undefined : [{ ...agents, negated: true }, ...seen.filter(({ values }) => values.length > 0)],
    named,
  };
}

/** The items (`Type/id`) that criteria on events name. */
export function itemsAsked(where: readonly Criterion[]): readonly string[] {
  return where.flatMap((criterion) => (isOnEntity(criterion) ? criterion.values.filter(isItem) : []));
}

function isOnEntity(criterion: Criterion): criterion is ReferenceCriterion {
  return criterion.kind === 'reference' && criterion.param === 'entity';
}
