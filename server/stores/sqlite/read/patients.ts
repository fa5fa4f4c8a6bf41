/** Patients as a requester sees them, and the identifiers by which it may find them. */
import type { AnyGrant } from '../../../access/grant.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import {
  bears,
  identifierAsked,
  identitiesToLookUp,
  ITEM_TYPES,
  openedPatients,
  rowsWith,
  wholeValues,
  type OpenedPatients,
  type SeenIdentities,
} from '../../patient-view.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { Database } from '../database.ts';
import { marks, type PlainCriterion } from './criteria.ts';
import { visibleRows } from './visible.ts';

/** Rows of an answer, each Patient among them as its reader sees it. */
export function rowsAsSeen<Row extends VisibleRow>(
  db: Database,
  grant: AnyGrant,
  rows: readonly Row[],
): readonly Row[] {
  const patients = openedPatients(grant, rows);
  return patients.size === 0 ? rows : rowsWith(rows, patients, seenIdentities(db, grant, patients));
}

type Seen = { readonly id: string; readonly sees: number; readonly is_source: number };

/** Which identities of Patients the reader sees an item of, or is a source of, those included that left. */
export function seenIdentities(db: Database, grant: AnyGrant, patients: OpenedPatients<VisibleRow>): SeenIdentities {
  const ids = identitiesToLookUp(patients);
  const held = `principal IN (${marks(grant.principals)}) AND valid_from <= ? AND valid_to > ?`;
  const holders = [...grant.principals, grant.now, grant.now];
  const rows =
    ids.length === 0
      ? []
      : db.all<Seen>(
          `SELECT j.value AS id,
       EXISTS (SELECT 1 FROM resource x
         WHERE x.person = (SELECT person FROM resource WHERE type = 'Person' AND id = j.value)
         AND x.subject = 'Patient/' || j.value AND x.type IN (${marks(ITEM_TYPES)})
         AND EXISTS (SELECT 1 FROM acl INDEXED BY acl_row WHERE rid = x.rid AND +${held})) AS sees,
       EXISTS (SELECT 1 FROM resource x WHERE x.type = 'Person' AND x.id = j.value
         AND EXISTS (SELECT 1 FROM acl INDEXED BY acl_row WHERE rid = x.rid AND +${held})) AS is_source
     FROM json_each(?) j`,
          ...ITEM_TYPES,
          ...holders,
          ...holders,
          JSON.stringify(ids),
        );
  const idsWhere = (is: (row: Seen) => boolean): Set<string> => new Set(rows.filter(is).map(({ id }) => id));
  return { sees: idsWhere(({ sees }) => sees === 1), isSourceOf: idsWhere((row) => row.is_source === 1) };
}

/** Most identities that one identifier is looked for among. */
const MANY = 100;

/**
 * A criterion on identifiers of Patients under a grant: those that everybody may know are in the index of Patients, the
 * others are found by the identities that say them, as far as the Patient shows them.
 */
export function identifierCriterion(
  db: Database,
  grant: AnyGrant,
  type: StoredType,
  criterion: PlainCriterion,
): PlainCriterion {
  const asked = grant.system ? undefined : identifierAsked(type, criterion);
  const values = asked === undefined ? [] : wholeValues(asked);
  if (values.length === 0) return criterion;
  const ids = new Set(values.flatMap(({ system, code }) => patientsSaid(db, code, system)));
  const found = rowsAsSeen(db, grant, visibleRows(db, grant, 'Patient', [...ids])).filter(({ json }) =>
    bears(json, values),
  );
  if (found.length === 0) return criterion;
  return { kind: 'or', any: [criterion, { kind: 'id', values: found.map(({ id }) => id) }] };
}

function patientsSaid(db: Database, code: string, system: string | undefined): readonly string[] {
  return db
    .all<{ id: string }>(
      `SELECT coalesce(substr(x.patient, 9), x.id) AS id FROM token t CROSS JOIN resource x ON x.rid = t.rid
       WHERE t.param = 'Person.identifier' AND t.value = ?${system === undefined ? '' : ' AND t.system = ?'}
       LIMIT ${MANY}`,
      code,
      ...(system === undefined ? [] : [system]),
    )
    .map(({ id }) => id);
}
