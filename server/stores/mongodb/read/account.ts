/** What stands of an account. */
import { identityOf } from '../../../access/requester.ts';
import { internally } from '../../../ports/internal-row.ts';
import type { StoredAccount } from '../../../ports/record-store.ts';
import { toState } from '../write/acl-rows.ts';
import { referenceKey } from '../write/index-arrays.ts';
import type { Collections } from '../collections.ts';
import type { PersonDocument, RowDocument } from '../documents.ts';
import { ROW_PROJECTION, toVisibleRow, type Shown } from './reader.ts';
import type { SystemGrant } from '../../../access/grant.ts';

/** The server itself reads: no right shows the rows. */
const OPEN: Shown = { right: undefined };

type Found = RowDocument & { readonly state: readonly PersonDocument[] };

/**
 * Reads the account (`Practitioner/id`, or `Patient/id`, whose identity is the row), its roles and whether it is off,
 * in one aggregation.
 */
export async function readAccount(
  { standing, persons }: Collections,
  grant: SystemGrant,
  reference: string,
): Promise<StoredAccount | undefined> {
  const key = identityOf(reference);
  const roles = { type: 'PractitionerRole', ref: referenceKey('practitioner', reference) };
  const found = await standing
    .aggregate<Found>([
      { $match: { $or: [{ _id: key, gone: { $exists: false } }, roles] } },
      { $lookup: { from: persons.collectionName, localField: 'person', foreignField: '_id', as: 'state' } },
      { $project: ROW_PROJECTION },
      { $sort: { _id: 1 } },
    ])
    .toArray();
  const account = found.find(({ _id }) => _id === key);
  if (account === undefined) return undefined;
  return {
    row: internally(toVisibleRow(grant, account, OPEN)),
    roles: found.filter((row) => row !== account).map((row) => internally(toVisibleRow(grant, row, OPEN))),
    isOff: toState(account.state[0] ?? null).accountOff,
  };
}
