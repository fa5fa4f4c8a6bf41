/** The data folder of a server as its files tell it, beside what the server says itself. */
import { readdir, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openReader, type Database } from '../../../server/stores/sqlite/database.ts';
import { verifyChain } from '../../../server/stores/sqlite/audit/verify.ts';
import type { Verification } from '../../../server/ports/audit-trail.ts';

const TWO_HOURS_MS = 7_200_000;

function reading<T>(dataDir: string, file: 'records' | 'trail', read: (db: Database) => T): T {
  const db = openReader(join(dataDir, `${file}.sqlite`));
  try {
    return read(db);
  } finally {
    db.close();
  }
}

/** SOP Instance UIDs of the instance table, by row, of a study. */
export function rowsOfStudy(dataDir: string, studyInstanceUID: string): string[] {
  const sql = 'SELECT sop_instance_uid AS uid FROM instance WHERE study_instance_uid = ?';
  return reading(dataDir, 'records', (db) => db.all<{ uid: string }>(sql, studyInstanceUID).map(({ uid }) => uid));
}

/** Where an instance stands, of each in the instance table. */
export type StandingInstance = {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
};

/** Every instance of the instance table. */
export function allInstances(dataDir: string): StandingInstance[] {
  const sql =
    'SELECT study_instance_uid AS studyInstanceUID, series_instance_uid AS seriesInstanceUID, sop_instance_uid AS ' +
    'sopInstanceUID FROM instance';
  return reading(dataDir, 'records', (db) => db.all<StandingInstance>(sql));
}

/** Instances that lie aside. */
export function quarantinedCount(dataDir: string): number {
  return reading(dataDir, 'records', (db) => db.get<{ n: number }>('SELECT count(*) AS n FROM quarantine')?.n ?? 0);
}

/** Names of blobs that instances and present or former versions refer to, each once. */
export function referredBlobs(dataDir: string): string[] {
  const sql = ['instance', 'quarantine', 'resource', 'history']
    .map((table) => `SELECT blob_name AS name FROM ${table} WHERE blob_name IS NOT NULL`)
    .join(' UNION ');
  return reading(dataDir, 'records', (db) => db.all<{ name: string }>(sql).map(({ name }) => name));
}

/** Jobs that are due, and events that wait for the trail. */
export function pendingWork(dataDir: string, now: number): { readonly due: number; readonly outbox: number } {
  return reading(dataDir, 'records', (db) => ({
    due: db.get<{ n: number }>('SELECT count(*) AS n FROM job WHERE at <= ?', now)?.n ?? 0,
    outbox: db.get<{ n: number }>('SELECT count(*) AS n FROM audit_outbox')?.n ?? 0,
  }));
}

/** Walks the audit chain of the file. */
export function verifyTrail(dataDir: string): Verification {
  return reading(dataDir, 'trail', verifyChain);
}

/** The Study Instance UIDs that events are about. */
export function studiesOfTrail(dataDir: string): Set<string> {
  const sql = `SELECT json FROM personal WHERE side = 'entities'`;
  const entities = reading(dataDir, 'trail', (db) => db.all<{ json: string }>(sql));
  return new Set(entities.flatMap(({ json }) => [...json.matchAll(/"urn:oid:([\d.]+)"/g)].map(([, uid = '']) => uid)));
}

/** Paths of the files of the image store. */
async function blobPaths(dataDir: string): Promise<string[]> {
  const entries = await readdir(join(dataDir, 'images'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Names of the files of the image store that hold bytes: it makes empty ones ahead. */
export async function storedBlobs(dataDir: string): Promise<string[]> {
  const paths = await blobPaths(dataDir);
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path).catch(() => ({ size: 0 }))).size));
  return paths.filter((_, at) => sizes[at] !== 0).map((path) => basename(path));
}

/** Makes every blob old enough for the sweep, as if the server had been down for two hours. */
export async function ageBlobs(dataDir: string): Promise<void> {
  const then = new Date(Date.now() - TWO_HOURS_MS);
  for (const path of await blobPaths(dataDir)) await utimes(path, then, then);
}
