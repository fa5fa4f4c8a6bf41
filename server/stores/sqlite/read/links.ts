/**
 * Criteria on other rows: chains, and `_has`. As long as the rows that satisfy them are not many they are read first,
 * and what they lead to or come from is named; else the condition is looked at from each row.
 */
import type { Criterion, LinkCriterion } from '../../../../profiles/search/criterion.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import { eventChainRefused } from '../../event-chain.ts';
import { isShownMoment } from '../../patient-versions.ts';
import type { Database } from '../database.ts';
import { identifiersShown, tooManyShown } from '../../patient-numbers.ts';
import { candidatesOf, type Candidates, type ListPart, type Place } from './candidates.ts';
import { conditionsOf, type PlainCriterion, type Sql } from './criteria.ts';
import { updatedCriterion } from './patient-versions.ts';
import { identifierCriterion, showing } from './patients.ts';
import { visibleCondition } from './visible.ts';

type Chain = Extract<LinkCriterion, { kind: 'chain' }>;
type Has = Extract<LinkCriterion, { kind: 'has' }>;

/** Most rows that are named for a criterion. */
const LINK_BOUND = 1_000;

/** Resolves criteria to those on a row alone. */
function plainCriteria(
  db: Database,
  grant: AnyGrant,
  type: StoredType,
  where: readonly Criterion[],
): readonly PlainCriterion[] {
  const moments = where.filter((criterion) => isShownMoment(grant, type, criterion));
  const others = where.filter((criterion) => !isShownMoment(grant, type, criterion));
  const plain = others.map((criterion) => plainCriterion(db, grant, type, criterion));
  return moments.length === 0 ? plain : [updatedCriterion(db, grant, moments, plain)];
}

/**
 * The candidates of criteria, as what the grant shows of other rows has them.
 * @throws {Fault} not-supported - a chain from an event, or to one
 * @throws {Fault} too-costly - too many Patients are looked at
 */
export function candidatesUnder(
  db: Database,
  grant: AnyGrant,
  type: StoredType,
  where: readonly Criterion[],
  part?: ListPart,
): Candidates {
  const shown = where.flatMap((criterion) => identifiersShown(grant, type, criterion) ?? []);
  const others = where.filter((criterion) => identifiersShown(grant, type, criterion) === undefined);
  const plain = plainCriteria(db, grant, type, others);
  const candidates = candidatesOf(db, grant, type, part?.only === undefined ? plain : [...plain, part.only], part);
  return shown.reduce((all, asked) => showing(db, grant, all, asked), candidates);
}

/** Resolves a criterion to one on a row alone. */
function plainCriterion(db: Database, grant: AnyGrant, type: StoredType, criterion: Criterion): PlainCriterion {
  if (isShownMoment(grant, type, criterion)) return updatedCriterion(db, grant, [criterion], []);
  if (criterion.kind !== 'chain' && criterion.kind !== 'has') return identifierCriterion(db, grant, type, criterion);
  if (type === 'AuditEvent') throw eventChainRefused();
  if (criterion.kind === 'has') return referredCriterion(db, grant, type, criterion);
  const led = ledCriterion(db, grant, type, criterion);
  return criterion.own === undefined ? led : { kind: 'or', any: [led, criterion.own] };
}

function ledCriterion(db: Database, grant: AnyGrant, type: StoredType, chain: Chain): PlainCriterion {
  const { param, target, criterion } = chain;
  const places = fewPlaces(db, grant, target, criterion);
  return places === undefined
    ? { kind: 'condition', condition: leadsTo(grant, type, chain, plainCriterion(db, grant, target, criterion)) }
    : { kind: 'reference', param, values: places.map(({ id }) => `${target}/${id}`), isFound: true };
}

function referredCriterion(db: Database, grant: AnyGrant, type: StoredType, has: Has): PlainCriterion {
  const places = fewPlaces(db, grant, has.source, has.criterion);
  const ids = places === undefined ? undefined : idsReferredTo(db, type, has, places);
  return ids === undefined || ids.length > LINK_BOUND
    ? { kind: 'condition', condition: isReferredTo(grant, has, plainCriterion(db, grant, has.source, has.criterion)) }
    : { kind: 'id', values: ids };
}

/** The visible rows of a type that satisfy a criterion, unless they are many. */
function fewPlaces(
  db: Database,
  grant: AnyGrant,
  type: StoredType,
  criterion: Criterion,
): readonly Place[] | undefined {
  const places = candidatesUnder(db, grant, type, [criterion]).page(undefined, LINK_BOUND + 1);
  if (places.length <= LINK_BOUND) return places;
  if (identifiersShown(grant, type, criterion) !== undefined) throw tooManyShown();
  return undefined;
}

function idsReferredTo(db: Database, type: StoredType, { source, param }: Has, places: readonly Place[]): string[] {
  return db
    .all<{ id: string }>(
      `SELECT DISTINCT substr(r.target, ?) AS id FROM json_each(?) j
       CROSS JOIN reference r INDEXED BY reference_rid ON r.rid = j.value AND r.param = ?
       WHERE substr(r.target, 1, ?) = ? LIMIT ${LINK_BOUND + 1}`,
      type.length + 2,
      JSON.stringify(places.map(({ rid }) => rid)),
      `${source}.${param}`,
      type.length + 1,
      `${type}/`,
    )
    .map(({ id }) => id);
}

/** A row `x` refers to a visible row that satisfies a criterion. */
function leadsTo(grant: AnyGrant, type: StoredType, { param, target }: Chain, inner: PlainCriterion): Sql {
  const condition = visibleAnd(grant, target, inner);
  return {
    text: `EXISTS (SELECT 1 FROM reference r INDEXED BY reference_rid WHERE r.rid = x.rid AND r.param = ? AND EXISTS (
      SELECT 1 FROM resource x WHERE x.type = ? AND r.target = x.type || '/' || x.id
          AND x.id = substr(r.target, ?)${condition.text}))`,
    values: [`${type}.${param}`, target, target.length + 2, ...condition.values],
  };
}

/** A visible row that satisfies a criterion refers to a row `x`. */
function isReferredTo(grant: AnyGrant, { source, param }: Has, inner: PlainCriterion): Sql {
  const condition = visibleAnd(grant, source, inner);
  return {
    text: `EXISTS (SELECT 1 FROM reference r WHERE r.param = ?
      AND r.target = (SELECT type || '/' || id FROM resource WHERE rid = x.rid)
      AND EXISTS (SELECT 1 FROM resource x WHERE x.rid = r.rid${condition.text}))`,
    values: [`${source}.${param}`, ...condition.values],
  };
}

function visibleAnd(grant: AnyGrant, type: StoredType, inner: PlainCriterion): Sql {
  const [matches, visible] = [conditionsOf(type, [inner]), visibleCondition(grant, type)];
  return { text: matches.text + visible.text, values: [...matches.values, ...visible.values] };
}
