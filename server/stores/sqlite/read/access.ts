/** The condition that a row of the access table shows its row to a grant: the same in every statement that asks it. */
import { UNBARRED } from '../../../access/decide.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import { marks, type Sql } from './criteria.ts';

/**
 * It is in its time and, where persons bar the requester, of none of theirs, unless by a relation that no bar reaches.
 * `acl` is the name of the table in the statement.
 */
export function showingNow(grant: AnyGrant, acl = 'acl'): Sql {
  const bar = barOf(grant, acl);
  return {
    text: `${acl}.valid_from <= ? AND ${acl}.valid_to > ?${bar.text}`,
    values: [grant.now, grant.now, ...bar.values],
  };
}

/**
 * That a principal of the grant holds it, and it shows its row. The plus keeps the planner from one search a principal:
 * a row's access is read in one piece.
 */
export function heldNow(grant: AnyGrant, acl = 'acl'): Sql {
  const showing = showingNow(grant, acl);
  return {
    text: `+${acl}.principal IN (${marks(grant.principals)}) AND ${showing.text}`,
    values: [...grant.principals, ...showing.values],
  };
}

/** Whether the requester is barred from something that its principals hold. */
export function isBarred(grant: AnyGrant): boolean {
  return !grant.system && grant.barredBy.length > 0;
}

function barOf(grant: AnyGrant, acl: string): Sql {
  if (grant.system || grant.barredBy.length === 0) return { text: '', values: [] };
  const isUnbarred = `${acl}.relation IN (${marks(UNBARRED)})`;
  if (grant.barredBy === 'everybody') return { text: ` AND ${isUnbarred}`, values: UNBARRED };
  return {
    text: ` AND (${isUnbarred} OR NOT EXISTS (SELECT 1 FROM access_right barred WHERE barred.id = ${acl}.right_id
      AND barred.person IN (SELECT value FROM json_each(?))))`,
    values: [...UNBARRED, JSON.stringify(grant.barredBy)],
  };
}
