/** Opens the audit trail alone, to be verified: the other file that names concrete stores. */
import type { TrailVerifier } from '../ports/audit-trail.ts';

/**
 * Opens the trail of a store, beside a running server or without one, and only reads.
 * @throws {Fault} not-found - the folder holds no trail
 * @throws {Fault} not-supported - another version of the server wrote it
 * @throws {Fault} transient - the database is out of reach
 */
export async function openTrail({ store, dataDir }: { store: string; dataDir: string }): Promise<TrailVerifier> {
  if (store === 'sqlite') {
    const { openSqliteVerifier } = await import('../stores/sqlite/audit/verify.ts');
    return openSqliteVerifier({ dataDir });
  }
  const { openMongoVerifier } = await import('../stores/mongodb/audit/verify.ts');
  return await openMongoVerifier({ uri: store });
}
