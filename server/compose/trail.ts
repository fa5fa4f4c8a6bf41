/** Opens the audit trail alone, beside a running server or after it: the other file that names concrete stores. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../profiles/fault.ts';
import type { TrailHead, Verification } from '../ports/audit-trail.ts';

/** A trail that is open to be verified. */
export type OpenedTrail = { verify(known?: TrailHead): Promise<Verification>; close(): Promise<void> };

/**
 * Opens the trail of a store: the file of a data folder on a connection that only reads, or a MongoDB database.
 * @throws {Fault} not-found - the folder holds no trail
 * @throws {Fault} transient - the database is out of reach
 */
export async function openTrail({ store, dataDir }: { store: string; dataDir: string }): Promise<OpenedTrail> {
  if (store === 'sqlite') return await openTrailFile(join(dataDir, 'trail.sqlite'));
  const { openMongoStores } = await import('../stores/mongodb/open.ts');
  const { trail, close } = await openMongoStores({ uri: store });
  return { verify: async (known) => await trail.verify(known), close };
}

async function openTrailFile(path: string): Promise<OpenedTrail> {
  if (!existsSync(path))
    throw new Fault('not-found', `There is no audit trail at ${path}: name the data folder in PASSERELLE_DATA_DIR`);
  const { openReader } = await import('../stores/sqlite/database.ts');
  const { verifyChain } = await import('../stores/sqlite/audit/trail.ts');
  const reader = openReader(path);
  return {
    verify: async (known) => verifyChain(reader, known),
    close: async () => reader.close(),
  };
}
