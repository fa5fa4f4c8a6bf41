/** Verifies the audit file of a data folder, beside the server or without it, and writes nothing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../../../profiles/fault.ts';
import type { TrailHead, TrailVerifier, Verification } from '../../../ports/audit-trail.ts';
import type { StoredEntry } from '../../audit-chain.ts';
import { ChainWalk } from '../../chain-walk.ts';
import { openObserver, type Database } from '../database.ts';
import { MIGRATIONS, refuseOtherSchema } from '../schema.ts';
import { hashAt } from '../write/write-trail.ts';
import { BODY_COLUMNS, bodyOf, personalSide, type ChainedBody } from './audit-rows.ts';
import { FiledEvents } from './filed-events.ts';

const BATCH = 500;

/**
 * Opens the trail of a data folder.
 * @throws {Fault} not-found - the folder holds no trail
 * @throws {Fault} not-supported - another version of the server wrote it, or it was copied from under a running server
 * to where nothing can be written
 */
export function openSqliteVerifier({ dataDir }: { readonly dataDir: string }): TrailVerifier {
  const path = join(dataDir, 'trail.sqlite');
  if (!existsSync(path))
    throw new Fault('not-found', `There is no audit trail at ${path}: name the data folder in PASSERELLE_DATA_DIR`);
  const { database, isStill } = openObserver(path);
  try {
    refuseOtherSchema(database, MIGRATIONS.trail);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    verify: async (known = []) => {
      const found = verifyChain(database, known);
      if (!isStill()) throw new Fault('transient', 'A server was started meanwhile: verify again');
      return found;
    },
    close: async () => database.close(),
  };
}

/** Walks the chain of an audit file in one snapshot. Its log is not emptied meanwhile, and erasures wait. */
export function verifyChain(trail: Database, known: readonly TrailHead[] = []): Verification {
  trail.script('BEGIN');
  try {
    const filed = new FiledEvents(trail);
    const walk = new ChainWalk(known);
    for (const entry of entriesOf(trail))
      if (!walk.pass(entry, personalSide(trail, entry.id), filed.misfiled)) return walk.end();
    return walk.end({ leftOver: filed.leftOver(), cutHash: hashAt(trail, walk.cut?.sequence ?? 0) });
  } finally {
    trail.script('COMMIT');
  }
}

function* entriesOf(trail: Database): Generator<StoredEntry & { readonly id: string }> {
  for (let last = 0, more = true; more;) {
    const batch = trail.all<{ sequence: number; id: string; hash: string } & ChainedBody>(
      `SELECT c.sequence, c.id, c.hash, ${BODY_COLUMNS} WHERE c.sequence > ? ORDER BY c.sequence LIMIT 0 + ?`,
      last,
      BATCH,
    );
    for (const chained of batch) yield { ...chained, body: bodyOf(chained) };
    last = batch.at(-1)?.sequence ?? last;
    more = batch.length === BATCH;
  }
}
