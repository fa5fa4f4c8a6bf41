/** Schema 4: jobs. What stood on the agenda, by a key `kind|subject` and a time, stands as jobs. */
import { randomUUID } from 'node:crypto';
import type { Db } from 'mongodb';
import type { JobDocument } from '../documents.ts';
import { jobKey } from '../write/jobs.ts';
import type { JobKind } from '../../../ports/job-queue.ts';

const KIND_OF: Readonly<Record<string, JobKind>> = {
  refresh: 'refresh-study',
  update: 'update-study',
  close: 'close-study',
  erase: 'erase-study',
  forget: 'forget-erased',
};
const BATCH = 1_000;

/** Creates what is missing and moves what stands, so that it may be run again. */
export async function moveAgendaToJobs(db: Db): Promise<void> {
  const standing = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
  if (!standing.has('jobs')) await db.createCollection('jobs');
  const jobs = db.collection<JobDocument>('jobs');
  await jobs.createIndexes([
    { key: { isDead: 1, kind: 1, next: 1 } },
    { key: { isDead: 1, next: 1 } },
    { key: { id: 1 }, unique: true },
  ]);
  if (!standing.has('agenda')) return;
  const agenda = db.collection<{ readonly _id: string; readonly at: number }>('agenda');
  for (;;) {
    const entries = await agenda.find().limit(BATCH).toArray();
    if (entries.length === 0) break;
    const moved = entries.map(toJob).filter((job) => job !== undefined);
    const operations = moved.map(({ _id, ...job }) => ({
      updateOne: { filter: { _id }, update: { $setOnInsert: job }, upsert: true },
    }));
    if (operations.length > 0) await jobs.bulkWrite(operations);
    await agenda.deleteMany({ _id: { $in: entries.map(({ _id }) => _id) } });
  }
  await agenda.drop();
}

function toJob({ _id, at }: { readonly _id: string; readonly at: number }): JobDocument | undefined {
  const bar = _id.indexOf('|');
  const [kind, subject] = [KIND_OF[_id.slice(0, bar)], _id.slice(bar + 1)];
  if (kind === undefined) return undefined;
  return {
    _id: jobKey({ kind, subject }),
    kind,
    subject,
    id: randomUUID(),
    payload: '{}',
    event: null,
    at,
    askedAt: at,
    asked: 1,
    attempts: 0,
    error: null,
    isDead: false,
    token: 0,
    until: 0,
    next: at,
  };
}
