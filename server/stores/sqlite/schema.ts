/** Schema versions: each file keeps its number in `user_version` and is brought up step by step at start. */
import { Fault } from '../../../profiles/fault.ts';
import type { Database } from './database.ts';
import { records } from './migrations/001-records.ts';
import { rows } from './migrations/001-rows.ts';
import { quarantine } from './migrations/002-quarantine.ts';
import { recordBlobs, trailBlobs } from './migrations/003-blobs.ts';
import { eventForms } from './migrations/004-event-forms.ts';
import { recordsAccessVersion, tokensAccessVersion } from './migrations/005-access-version.ts';
import { outboxPositions } from './migrations/006-outbox.ts';
import { aclIndex } from './migrations/007-acl-index.ts';
import { deletedRows } from './migrations/008-deleted.ts';
import { jobs } from './migrations/009-jobs.ts';
import { givers } from './migrations/010-givers.ts';
import { rowDefinitions } from './migrations/011-definitions.ts';
import { quarantineSubject } from './migrations/012-quarantine-subject.ts';
import { recordsMoves, trailMoves } from './migrations/013-moves.ts';
import { unreleasedReports } from './migrations/014-unreleased-reports.ts';
import { movedStudies } from './migrations/015-moved-studies.ts';
import { alikeEntities } from './migrations/016-alike-entities.ts';
import { blocks } from './migrations/017-blocks.ts';
import { presenceTries } from './migrations/018-presence-tries.ts';
import { tickets } from './migrations/019-tickets.ts';
import { tokens } from './migrations/001-tokens.ts';
import { trail } from './migrations/001-trail.ts';

/** The files of a data folder and their migrations, oldest first. */
export const MIGRATIONS = {
  records: [
    rows + records,
    quarantine,
    recordBlobs,
    recordsAccessVersion,
    outboxPositions,
    aclIndex,
    deletedRows,
    jobs,
    givers,
    rowDefinitions,
    quarantineSubject,
    recordsMoves,
    unreleasedReports,
    movedStudies,
    blocks,
    presenceTries,
    tickets,
  ],
  trail: [rows + trail, trailBlobs, eventForms, trailMoves, alikeEntities],
  tokens: [tokens, tokensAccessVersion],
} as const satisfies Record<string, readonly string[]>;

/**
 * Brings a file to the newest version, each step in one transaction.
 * @throws {Fault} not-supported - the file was written by a newer server
 */
export function migrate(database: Database, steps: readonly string[]): void {
  const version = versionOf(database, steps);
  for (let at = version; at < steps.length; at += 1) {
    database.script(`BEGIN IMMEDIATE; ${steps[at]}; PRAGMA user_version = ${at + 1}; COMMIT;`);
  }
}

/**
 * Refuses a file that is not of the newest version, for who must not change it.
 * @throws {Fault} not-supported - the file was written by a newer or an older server
 */
export function refuseOtherSchema(database: Database, steps: readonly string[]): void {
  if (versionOf(database, steps) < steps.length)
    throw new Fault(
      'not-supported',
      'The data folder was written by an older version of the server: start this one once',
    );
}

function versionOf(database: Database, steps: readonly string[]): number {
  const version = database.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
  if (version > steps.length)
    throw new Fault('not-supported', 'The data folder was written by a newer version of the server');
  return version;
}
