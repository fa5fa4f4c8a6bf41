/**
 * A patient takes her record along, `Patient/$portability`: a Task says that it may be fetched, how far it is, and
 * until when. Nothing is made ahead: what is fetched is put together as it is sent (export-record.ts).
 */
import type { Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import {
  buildExportTask,
  cancelledExport,
  EXPORT_TASK,
  isOpenExport,
  progressOf,
  type ExportProgress,
} from '../../../profiles/consent/record-export.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { requirePatient } from '../../access/may-attempt.ts';
import { mayWrite, type SubjectFacts } from '../../access/may-write.ts';
import { patientAsked } from '../consent/patient-asked.ts';
import { eventRecord, guarded, readOn, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { findAll } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import { standingExport } from './standing-export.ts';

/** What the flows need. */
export type ExportDeps = GuardDeps & { readonly indexer: Indexer };

const OPERATION = { interaction: 'operation', operation: 'portability' } as const;

/**
 * Begins an export; resolves with its Task (id), which is the one that stands where she asks again.
 * @throws {Fault} forbidden - no patient asks, or her record is to be erased
 */
export function beginExport(deps: ExportDeps) {
  return async (visit: Visit): Promise<string> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const requester = requirePatient(visit.requester, 'portability');
      const { result } = await commitFresh(deps.records, async () => {
        const now = deps.clock.now();
        const reading = systemReading('export-record', now);
        const subject = await patientAsked(deps, reading, requester, undefined, now);
        const warrant = mayWrite(requester, OPERATION, { now, subject });
        if (subject === undefined) throw new Fault('not-found', 'No such patient');
        const standing = await openOf(deps, reading, subject, now);
        const id = standing ?? newId();
        const parts = standing === undefined ? [filed(deps, subject, id, now)] : [];
        const event = eventOf(deps, visit, subject, `Task/${id}`);
        return { warrant, plan: joinParts(...parts, { audit: [event] }), result: id };
      });
      return result;
    });
}

/**
 * Cancels one (Task id): what is being sent of it stops.
 * @throws {Fault} forbidden, not-found - as {@link standingExport}
 */
export function cancelExport(deps: ExportDeps) {
  return async (visit: Visit, id: string): Promise<void> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      await commitFresh(deps.records, async () => {
        const now = deps.clock.now();
        const { row, resource, requester } = await standingExport(deps, visit, id);
        const subject = await patientAsked(deps, systemReading('export-record', now), requester, undefined, now);
        const warrant = mayWrite(requester, OPERATION, { now, subject });
        if (subject === undefined) throw new Fault('not-found', 'No such patient');
        const parts = changed(deps.indexer, row, cancelledExport(resource, now), now, aboutRow(row));
        return {
          warrant,
          plan: joinParts(parts, { audit: [eventOf(deps, visit, subject, `Task/${id}`)] }),
          result: id,
        };
      });
    });
}

/**
 * How far an export is: `exams` that may be seen at present, and whether some are being sent just now. `rest` is the
 * exam (`ImagingStudy/id`) that a further ZIP follows; of one that broke off nobody knows how much of it arrived.
 */
export type ExportState = Pick<ExportProgress, 'sent' | 'last'> & {
  readonly rest: string | undefined;
  readonly exams: number;
  readonly isBeingSent: boolean;
  readonly isWhole: boolean;
};

/** Of what is being sent something is noted more often. */
const SILENT_MS = 60_000;

/**
 * Tells how far one is (Task id).
 * @throws {Fault} forbidden, not-found - as {@link standingExport}
 */
export function exportState(deps: ExportDeps) {
  return async (visit: Visit, id: string): Promise<ExportState> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const { resource: task } = await standingExport(deps, visit, id);
      const entities = [{ what: { reference: `Task/${id}` }, detail: { operation: 'portability' } }];
      const recorded = await guarded(deps, visit, 'operation', { kind: 'resource', type: 'Task', id }, (row) => ({
        rows: row === undefined ? [] : [row],
        entities,
      }));
      const query = {
        type: 'ImagingStudy',
        where: [],
        count: 1,
        total: 'accurate',
        include: [],
        summary: 'count',
      } as const;
      const reading = { visit, kind: 'operation', recorded } as const;
      const { total = 0 } = await readOn(deps, reading, { kind: 'search', query }, () => ({ rows: [], entities }));
      const isHeard = deps.clock.now() - Date.parse(task.lastModified ?? '') < SILENT_MS;
      const { sent, last, ended } = progressOf(task);
      const isWhole = task.status === 'completed';
      return {
        sent,
        last,
        rest: isWhole ? undefined : ended?.last,
        exams: total,
        isBeingSent: task.status === 'in-progress' && isHeard,
        isWhole,
      };
    });
}

const EXPORTS: readonly Criterion[] = [
  { kind: 'token', param: 'code', values: [{ system: CODE_SYSTEM.task, code: EXPORT_TASK.code }] },
  { kind: 'token', param: 'status', values: [{ code: 'requested' }, { code: 'in-progress' }] },
];

async function openOf(
  { records }: ExportDeps,
  reading: NarrowReading,
  { person }: SubjectFacts,
  now: number,
): Promise<string | undefined> {
  const all = await findAll<Task>(records, reading({ person }), 'Task', EXPORTS);
  return all.find(({ resource }) => isOpenExport(resource, now))?.row.id;
}

function filed({ indexer }: ExportDeps, { person, patient }: SubjectFacts, id: string, now: number): PlanParts {
  const origin = { sources: [patient], services: [] };
  return { puts: [putOf(indexer, buildExportTask(id, patient, now), now, { person, subject: patient, origin })] };
}

function eventOf({ clock }: ExportDeps, visit: Visit, { person, patient }: SubjectFacts, reference: string) {
  const entities = [{ what: { reference }, detail: { operation: 'portability' } }];
  return eventRecord(clock, visit, 'operation', { person, patient, entities });
}
