/** Patients as a requester sees them, and the identifiers by which it may find them. */
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import { bears, identifiersSaid, MOST, namingClaims, requireFewToShow } from '../../patient-numbers.ts';
import type { IdentifiersShown, WholeIdentifier } from '../../patient-numbers.ts';
import { asSeen, identitiesIn, ITEM_TYPES, type SeenIdentities } from '../../patient-view.ts';
import type { Database } from '../database.ts';
import { heldNow } from './access.ts';
import type { Candidates, Place } from './candidates.ts';
import { marks, type PlainCriterion, type Sql } from './criteria.ts';
import { visibleCondition, visibleRows, visibleRowsAt } from './visible.ts';

/** Rows of an answer, each Patient among them as its reader sees it. */
export function rowsAsSeen<Row extends VisibleRow>(
  db: Database,
  grant: AnyGrant,
  rows: readonly Row[],
): readonly Row[] {
  return asSeen(grant, rows, seenIdentities(db, grant, rows));
}

/** That a grant shows a row at `rid`. */
function accessTo(grant: AnyGrant, rid: string): Sql {
  const held = heldNow(grant);
  return {
    text: `EXISTS (SELECT 1 FROM acl INDEXED BY acl_row WHERE rid = ${rid} AND ${held.text})`,
    values: held.values,
  };
}

/** That a grant shows an item that is filed under an identity and is of a person. */
function accessToItem(grant: AnyGrant, person: string, id: string): Sql {
  const access = accessTo(grant, 'y.rid');
  return {
    text: `EXISTS (SELECT 1 FROM resource y INDEXED BY resource_person WHERE y.person = ${person}
      AND y.subject = 'Patient/' || (${id}) AND y.type IN (${marks(ITEM_TYPES)}) AND ${access.text})`,
    values: [...ITEM_TYPES, ...access.values],
  };
}

/** That a grant is of a source of an identity. */
function accessToIdentity(grant: AnyGrant, id: string): Sql {
  const access = accessTo(grant, 'y.rid');
  return {
    text: `EXISTS (SELECT 1 FROM resource y WHERE y.type = 'Person' AND y.id = ${id} AND ${access.text})`,
    values: access.values,
  };
}

type Seen = { readonly id: string; readonly sees: number; readonly is_source: number };

/** What the reader sees of the identities of Patients, and of those that left; undefined when there are none. */
export function seenIdentities(db: Database, grant: AnyGrant, rows: readonly VisibleRow[]): SeenIdentities | undefined {
  const asked = identitiesIn(grant, rows);
  if (asked.length === 0) return undefined;
  const sees = accessToItem(grant, `(SELECT person FROM resource WHERE type = 'Person' AND id = j.value)`, 'j.value');
  const isSource = accessToIdentity(grant, 'j.value');
  const seen = db.all<Seen>(
    `SELECT j.value AS id, ${sees.text} AS sees, ${isSource.text} AS is_source FROM json_each(?) j`,
    ...sees.values,
    ...isSource.values,
    JSON.stringify(asked),
  );
  const idsWhere = (is: (one: Seen) => boolean): Set<string> => new Set(seen.filter(is).map(({ id }) => id));
  return { sees: idsWhere((one) => one.sees === 1), isSourceOf: idsWhere((one) => one.is_source === 1) };
}

/**
 * A criterion under a grant. Identifiers of Patients that everybody may know are in the index of Patients, the others
 * count as far as the Patient shows them.
 */
export function identifierCriterion(
  db: Database,
  grant: AnyGrant,
  type: StoredType,
  criterion: PlainCriterion,
): PlainCriterion {
  const asked = identifiersSaid(grant, type, criterion);
  if (asked === undefined) return criterion;
  const shown = rowsAsSeen(db, grant, visibleRows(db, grant, 'Patient', patientsSaid(db, grant, asked)));
  const found = shown.filter(({ json }) => bears(json, asked));
  if (found.length === 0) return criterion;
  return { kind: 'or', any: [criterion, { kind: 'id', values: found.map(({ id }) => id) }] };
}

/** Visible Patients of identities that say identifiers, the identities first that these name in their domains. */
function patientsSaid(db: Database, grant: AnyGrant, identifiers: readonly WholeIdentifier[]): readonly string[] {
  const visible = visibleCondition(grant, 'Patient');
  return db
    .all<{ id: string }>(
      `SELECT DISTINCT x.id FROM (${NAMED} UNION ALL SELECT * FROM (${SAID} LIMIT ${MOST.saying})) s
       CROSS JOIN resource y ON y.rid = s.rid
       CROSS JOIN resource x ON x.type = 'Patient' AND x.id = coalesce(substr(y.patient, 9), y.id)
       WHERE TRUE${visible.text} LIMIT ${MOST.named}`,
      JSON.stringify(namingClaims(identifiers)),
      JSON.stringify(identifiers.map(({ system, code }) => [code, system])),
      ...visible.values,
    )
    .map(({ id }) => id);
}

const NAMED = `SELECT p.rid FROM json_each(?) j CROSS JOIN claim c ON c.key = j.value
  CROSS JOIN resource p ON p.type = 'Person' AND p.id = substr(c.value, 9)`;

const SAID = `SELECT t.rid FROM json_each(?) j CROSS JOIN token t ON t.param = 'Person.identifier'
  AND t.value = j.value ->> 0 AND coalesce(t.system = j.value ->> 1, TRUE)`;

/** Patients at first looked at together, and at most. */
const TOGETHER = { first: 100, most: 1_000 } as const;

/** Of candidates those that are shown with some identifiers, or without. */
export function showing(db: Database, grant: AnyGrant, candidates: Candidates, asked: IdentifiersShown): Candidates {
  const page: Candidates['page'] = (after, limit) => {
    const found: Place[] = [];
    let [end, looked, size] = [after, 0, TOGETHER.first as number];
    for (;;) {
      const places = candidates.page(end, size);
      looked += places.length;
      requireFewToShow(looked);
      found.push(...shownOf(db, grant, places, asked));
      if (found.length >= limit || places.length < size) return found.slice(0, limit);
      [end, size] = [places.at(-1), Math.min(TOGETHER.most, size * 4)];
    }
  };
  return { page, count: (limit) => page(undefined, limit).length };
}

function shownOf(
  db: Database,
  grant: AnyGrant,
  places: readonly Place[],
  { identifiers, isNegated }: IdentifiersShown,
): readonly Place[] {
  const rids = places.map(({ rid }) => rid);
  const saying = visibleRowsAt(db, grant, rids).filter(({ json }) => bears(json, identifiers));
  const bearing = rowsAsSeen(db, grant, saying).filter(({ json }) => bears(json, identifiers));
  const ids = new Set(bearing.map(({ id }) => id));
  return places.filter(({ id }) => ids.has(id) !== isNegated);
}
