/** Patients as a requester sees them, and the identifiers by which it may find them. */
import { EXTENSION } from '../../../../profiles/codes.ts';
import type { TokenValue } from '../../../../profiles/search/criterion.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import { bears, identifiersAsked, MOST, namingClaims } from '../../patient-numbers.ts';
import type { IdentifiersAsked, WholeIdentifier } from '../../patient-numbers.ts';
import { asSeen, identitiesIn, ITEM_TYPES, type SeenIdentities } from '../../patient-view.ts';
import type { Database } from '../database.ts';
import { conditionsOf, marks, type PlainCriterion, type Sql } from './criteria.ts';
import { visibleCondition, visibleRows } from './visible.ts';

/** Rows of an answer, each Patient among them as its reader sees it. */
export function rowsAsSeen<Row extends VisibleRow>(
  db: Database,
  grant: AnyGrant,
  rows: readonly Row[],
): readonly Row[] {
  return asSeen(grant, rows, seenIdentities(db, grant, rows));
}

/** One row. */
export function rowAsSeen<Row extends VisibleRow>(db: Database, grant: AnyGrant, row: Row): Row {
  return rowsAsSeen(db, grant, [row])[0] ?? row;
}

/** That a grant shows a row at `rid`, and what else holds of its access. The plus is that of visible.ts. */
function accessTo(grant: AnyGrant, rid: string, also = ''): Sql {
  return {
    text: `EXISTS (SELECT 1 FROM acl INDEXED BY acl_row WHERE rid = ${rid}
      AND +principal IN (${marks(grant.principals)}) AND valid_from <= ? AND valid_to > ?${also})`,
    values: [...grant.principals, grant.now, grant.now],
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
 * A criterion on identifiers of Patients under a grant: those that everybody may know are in the index of Patients, the
 * others count as far as the Patient shows them.
 */
export function identifierCriterion(
  db: Database,
  grant: AnyGrant,
  type: StoredType,
  criterion: PlainCriterion,
): PlainCriterion {
  const asked = 'condition' in criterion || 'any' in criterion ? undefined : identifiersAsked(grant, type, criterion);
  if (asked === undefined) return criterion;
  if (asked.by === 'shown') return shownCriterion(grant, asked);
  const ids = patientsSaid(db, grant, asked.identifiers);
  const shown = rowsAsSeen(db, grant, visibleRows(db, grant, 'Patient', ids));
  const found = shown.filter(({ json }) => bears(json, asked.identifiers));
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

/** What the index of Patients has, and what each is shown with beside that. */
function shownCriterion(
  grant: AnyGrant,
  { identifiers, isNegated }: Extract<IdentifiersAsked, { readonly by: 'shown' }>,
): PlainCriterion {
  const open: PlainCriterion =
    identifiers === undefined
      ? { kind: 'missing', param: 'identifier', missing: false }
      : { kind: 'token', param: 'identifier', values: identifiers };
  const marked: PlainCriterion = { kind: 'condition', condition: shownWith(grant, identifiers) };
  const { text, values } = conditionsOf('Patient', [{ kind: 'or', any: [open, marked] }]);
  return { kind: 'condition', condition: { text: `${isNegated ? 'NOT ' : ''}(TRUE${text})`, values } };
}

/** That a Patient `x` bears one of some identifiers that not everybody may know, and this reader does. */
function shownWith(grant: AnyGrant, identifiers: readonly TokenValue[] | undefined): Sql {
  const [isSelf, sees] = [
    accessTo(grant, 'x.rid', " AND relation = 'self'"),
    accessToItem(grant, '(SELECT person FROM resource WHERE rid = x.rid)', 'i.sayer'),
  ];
  const isSource = accessToIdentity(grant, 'i.sayer');
  const isAsked =
    identifiers === undefined
      ? 'TRUE'
      : `EXISTS (SELECT 1 FROM json_each(?) j WHERE coalesce(i.system, '') = coalesce(j.value ->> 0, i.system, '')
          AND coalesce(i.value, '') = coalesce(j.value ->> 1, i.value, ''))`;
  return {
    text: `EXISTS (SELECT 1 FROM (${MARKED}) i WHERE i.sayer IS NOT NULL AND ${isAsked}
      AND (${isSelf.text} OR ${isSource.text} OR (NOT i.for_source AND ${sees.text})))`,
    values: [
      ...(identifiers === undefined ? [] : [JSON.stringify(identifiers.map(({ system, code }) => [system, code]))]),
      ...isSelf.values,
      ...isSource.values,
      ...sees.values,
    ],
  };
}

/** The identifiers of a Patient `x`, with who said each: as profiles/identity/said-by.ts marks them. */
const MARKED = `SELECT e.value ->> 'system' AS system, e.value ->> 'value' AS value,
    m.value ->> '$.extension[0].valueId' AS sayer, m.value ->> '$.extension[1].valueBoolean' AS for_source
  FROM json_each((SELECT json FROM resource WHERE rid = x.rid), '$.identifier') e
  CROSS JOIN json_each(e.value, '$.extension') m ON m.value ->> 'url' = '${EXTENSION.saidBy}'`;
