/**
 * Searches by the region's own identifier of a patient, which is the id of her Patient: no Patient holds it, so what
 * names it is a search by id, or by a reference to her.
 * @see IHE PDQm 3.2, 2:3.78.4.1.2.1; IHE MHD 4.2, patient.identifier of ITI-67
 */
import type { Criterion, TokenCriterion } from '../../profiles/search/criterion.ts';
import type { SearchQuery } from '../../profiles/search/query.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';

/** A search in which every identifier of the region's own system is an id; others stay as they are. */
export function byOwnIdentifier(query: SearchQuery, ownSystem: string): SearchQuery {
  return { ...query, where: query.where.map((criterion) => ownCriterion(query.type, criterion, ownSystem)) };
}

function ownCriterion(type: StoredType, criterion: Criterion, ownSystem: string): Criterion {
  switch (criterion.kind) {
    case 'token': {
      const ids = type === 'Patient' ? ownIds(criterion, ownSystem) : undefined;
      return ids === undefined ? criterion : { kind: 'id', values: ids };
    }
    case 'chain': {
      const { param, target, criterion: chained } = criterion;
      const ids = target === 'Patient' && chained.kind === 'token' ? ownIds(chained, ownSystem) : undefined;
      if (ids !== undefined) return { kind: 'reference', param, values: ids.map((id) => `Patient/${id}`) };
      return { ...criterion, criterion: ownCriterion(target, chained, ownSystem) };
    }
    case 'has':
      return { ...criterion, criterion: ownCriterion(criterion.source, criterion.criterion, ownSystem) };
    default:
      return criterion;
  }
}

/** The ids that a condition names; undefined where it names other identifiers, too, or none. */
function ownIds({ param, values, negated }: TokenCriterion, ownSystem: string): readonly string[] | undefined {
  if (param !== 'identifier' || negated === true) return undefined;
  const ids = values.flatMap(({ system, code }) => (system === ownSystem && code !== undefined ? [code] : []));
  return ids.length === values.length ? ids : undefined;
}
