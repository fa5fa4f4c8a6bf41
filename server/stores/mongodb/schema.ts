/** The schema's version and its migrations. Of servers that start at once one migrates and the others wait. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { Fault } from '../../../profiles/fault.ts';
import type { Collections } from './collections.ts';
import { asStore, isDuplicateKey } from './errors.ts';
import { dropLease, takeLease } from './audit/lease.ts';
import { createCollections } from './migrations/001-init.ts';
import { createQuarantine } from './migrations/002-quarantine.ts';
import { indexHistory } from './migrations/003-deleted.ts';
import { moveAgendaToJobs } from './migrations/004-jobs.ts';
import { deriveRights } from './migrations/005-givers.ts';
import { createDefinitions } from './migrations/006-definitions.ts';
import { indexQuarantine } from './migrations/007-quarantine-subject.ts';
import { separateIdentities } from './migrations/008-moves.ts';
import { hideUnreleasedReports } from './migrations/009-unreleased-reports.ts';
import { indexBlocks } from './migrations/010-blocks.ts';
import { forgetPresenceTries } from './migrations/011-presence-tries.ts';
import { refuseBeforeTickets } from './migrations/012-tickets.ts';

type Migration = (db: Db) => Promise<void>;

/** Each may be run again after it was cut short; the place in the list is its version. */
const MIGRATIONS: readonly Migration[] = [
  createCollections,
  createQuarantine,
  indexHistory,
  moveAgendaToJobs,
  deriveRights,
  createDefinitions,
  indexQuarantine,
  separateIdentities,
  hideUnreleasedReports,
  indexBlocks,
  forgetPresenceTries,
  refuseBeforeTickets,
];

const LEASE = 'migration';
const LEASE_MS = 10 * 60_000;
const WAIT_MS = 100;
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * Brings the database to the schema of this program.
 * @throws {Fault} not-supported - a newer program wrote it
 * @throws {Fault} transient - another server has been migrating for too long
 */
export async function migrate(db: Db, collections: Collections): Promise<void> {
  const holder = randomUUID();
  const deadline = Date.now() + LONGEST_WAIT_MS;
  while (!(await asStore(() => isCurrent(collections)))) {
    if (await tryToHold(collections, holder)) {
      await asStore(() => runMigrations(db, collections));
      await asStore(() => dropLease(collections.leases, LEASE, holder));
    } else {
      if (Date.now() > deadline)
        throw new Fault('transient', 'Another server has been migrating the database for too long');
      await pause(WAIT_MS);
    }
  }
}

async function isCurrent({ meta }: Collections): Promise<boolean> {
  const version = (await meta.findOne({ _id: 'schema' }))?.version ?? 0;
  if (version <= MIGRATIONS.length) return version === MIGRATIONS.length;
  throw new Fault(
    'not-supported',
    `The database has schema ${version}; this program knows ${MIGRATIONS.length}: run a newer one`,
  );
}

/**
 * Refuses a database that is not of the schema of this program, for who must not change it.
 * @throws {Fault} not-supported - a newer or an older program wrote it
 */
export async function refuseOtherSchema(collections: Collections): Promise<void> {
  if (!(await asStore(() => isCurrent(collections))))
    throw new Fault('not-supported', 'The database has the schema of an older program: start this one once');
}

async function tryToHold({ leases }: Collections, holder: string): Promise<boolean> {
  try {
    return (await takeLease(leases, LEASE, holder, LEASE_MS)) !== undefined;
  } catch (error) {
    // Both saw no lease and wrote one: the other was first.
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

async function runMigrations(db: Db, { meta }: Collections): Promise<void> {
  const done = (await meta.findOne({ _id: 'schema' }))?.version ?? 0;
  for (const [at, migration] of MIGRATIONS.entries()) {
    if (at < done) continue;
    await migration(db);
    await meta.updateOne({ _id: 'schema' }, { $set: { version: at + 1 } }, { upsert: true });
  }
}
