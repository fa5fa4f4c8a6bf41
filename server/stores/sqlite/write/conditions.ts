/** What must be true for a plan to apply: on rows first, then on claims, instances and searches. */
import { grantOfTerms } from '../../../access/grant.ts';
import type { Claim } from '../../../ports/commit-plan.ts';
import { claimNotHeld, instanceElsewhere, isRowCondition, matchFound, requireRowCondition } from '../../refused.ts';
import type { Database } from '../database.ts';
import { isAsFiled } from '../../sources.ts';
import { instanceOf } from '../read/instances.ts';
import { barredAsOf } from '../read/barring.ts';
import { search } from '../read/search.ts';
import type { WireCondition } from './protocol.ts';
import { standingRow } from './write-rows.ts';

/**
 * Checks the conditions of a plan.
 * @throws {Fault} version-conflict, conflict - one does not hold
 */
export function requireConditions(db: Database, conditions: readonly WireCondition[]): void {
  for (const condition of conditions)
    if (isRowCondition(condition))
      requireRowCondition(condition, standingRow(db, condition.type, condition.id)?.version, () =>
        deletionLeft(db, condition),
      );
  for (const condition of conditions) if (condition.kind === 'claimed') requireClaim(db, condition);
  for (const condition of conditions) if (!isInstanceThere(db, condition)) throw instanceElsewhere();
  for (const condition of conditions) if (condition.kind === 'no-match') requireNoMatch(db, condition);
}

/** The version of the deletion that is left of a row; 0 where none is. */
function deletionLeft(db: Database, { type, id }: { readonly type: string; readonly id: string }): number {
  return db.get<{ version: number }>('SELECT version FROM deleted WHERE type = ? AND id = ?', type, id)?.version ?? 0;
}

function requireClaim(db: Database, { key, value }: Claim): void {
  const held = db.get<{ value: string }>('SELECT value FROM claim WHERE key = ?', key);
  if (held?.value !== value) throw claimNotHeld();
}

/** Whether a condition on an instance holds, if it is one. */
function isInstanceThere(db: Database, condition: WireCondition): boolean {
  switch (condition.kind) {
    case 'filed':
      return isAsFiled(condition, instanceOf(db, condition.sopInstanceUID));
    case 'kept-aside':
      return db.get(ASIDE, condition.sopInstanceUID, condition.dataSetDigest, condition.source) !== undefined;
    default:
      return true;
  }
}

const ASIDE = 'SELECT 1 FROM quarantine WHERE sop_instance_uid = ? AND data_set_digest = ? AND source = ?';

/**
 * Whatever is searched for, rows that were made since are looked at alone: all writes wait for this thread. What else
 * has come to match meanwhile, by a change, may as well have come after the plan.
 */
function requireNoMatch(db: Database, condition: Extract<WireCondition, { readonly kind: 'no-match' }>): void {
  const { since, grant, query } = condition;
  const made = db.all<{ id: string }>('SELECT id FROM resource WHERE rid >= ? AND +type = ?', since, query.type);
  if (made.length === 0) return;
  const among = { kind: 'id', values: made.map(({ id }) => id) } as const;
  const { rows } = search(
    db,
    barredAsOf(db, grantOfTerms(grant)),
    { ...query, where: [among, ...query.where] },
    undefined,
  );
  if (rows.length > 0) throw matchFound(query.type);
}
