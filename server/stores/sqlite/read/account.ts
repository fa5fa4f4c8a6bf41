/** What stands of an account. */
import type { SystemGrant } from '../../../access/grant.ts';
import { identityOf } from '../../../access/requester.ts';
import { internally } from '../../../ports/internal-row.ts';
import type { StoredAccount } from '../../../ports/record-store.ts';
import type { Database } from '../database.ts';
import { ROW_COLUMNS, toVisibleRow, type SelectedRow } from './visible.ts';

/** Of the account and of each role that names it; `account_off` is null on roles. */
const SELECT = `SELECT ${ROW_COLUMNS}, coalesce((SELECT account_off FROM patient_state s WHERE s.person = x.person), 0)
    AS account_off FROM resource x WHERE x.type = ? AND x.id = ?
  UNION ALL
  SELECT ${ROW_COLUMNS}, NULL FROM reference r CROSS JOIN resource x ON x.rid = r.rid
    WHERE r.param = 'PractitionerRole.practitioner' AND r.target = ?`;

/**
 * Reads the account (`Practitioner/id`, or `Patient/id`, whose identity is the row), its roles and whether it is off,
 * in one statement.
 */
export function storedAccount(db: Database, grant: SystemGrant, reference: string): StoredAccount | undefined {
  const [type = '', id = ''] = identityOf(reference).split('/');
  const rows = db.all<SelectedRow & { account_off: number | null }>(SELECT, type, id, reference);
  const account = rows.find(({ account_off: off }) => off !== null);
  if (account === undefined) return undefined;
  return {
    row: internally(toVisibleRow(grant, account, undefined)),
    roles: rows
      .filter((row) => row !== account)
      .map((row) => internally(toVisibleRow(grant, row, undefined)))
      .toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    isOff: account.account_off !== 0,
  };
}
