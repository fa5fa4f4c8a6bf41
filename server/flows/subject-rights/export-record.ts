/**
 * The files of an export, put together as they are sent: nothing is stored, and nothing is held of one when the next
 * begins but its place in the DICOMDIR and its checksum. Each part is decided when its turn comes, and again while it
 * is sent.
 */
import type { ImagingStudy, Task } from '@medplum/fhirtypes';
import { derivedUid } from '../../../ihe/kos/uid.ts';
import { studyEntity } from '../../../profiles/audit/entities.ts';
import { progressedExport, progressOf, type ExportProgress } from '../../../profiles/consent/record-export.ts';
import { writeDicomdir, type StudyRecords } from '../../../profiles/dicom/media/dicomdir.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemReading } from '../../access/grant.ts';
import { requireScope } from '../../access/scope.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { PageEnd, SearchPage, VisibleRow } from '../../ports/record-store.ts';
import { isRowSeen } from '../aside/seen.ts';
import { decidingAgain } from '../decided-stream.ts';
import { foundNothing, guarded, refusalsRecorded, type Account, type Recorded, type Visit } from '../guard.ts';
import { rowById } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import type { ExportDeps } from './begin-export.ts';
import { ExportedExam } from './export-exams.ts';
import { exportedResources, type ExportReading } from './export-resources.ts';
import { Checksums, once, type ExportedFile } from './exported-file.ts';
import { absent, standingExport, type StandingExport } from './standing-export.ts';

/** What the flow needs; `mostInstances` is where a ZIP ends, 50,000 when absent. */
export type ExportRecordDeps = ExportDeps & { readonly images: ImageStore; readonly mostInstances?: number };

/** All of the record; the exams that come after one of them (id of its ImagingStudy); or one exam alone. */
export type ExportPart = { readonly after?: string; readonly exam?: string };

/** Files to be sent, in order, each read to its end before the next; asked again while they are sent. */
export type ExportedRecord = {
  readonly files: AsyncIterable<ExportedFile>;
  readonly decideAgain: () => Promise<void>;
};

/** Exams of a page, which one event tells of. */
const PAGE = 500;
/** A file ends with the exam that reaches so many instances: what is left is fetched by a further one. */
const MOST_INSTANCES = 50_000;
/** What is being sent is noted at least so often. */
const NOTED_MS = 20_000;

/**
 * Opens an export (Task id): its first exams are audited already.
 * @throws {Fault} forbidden - no patient asks, or the scopes do not allow it
 * @throws {Fault} not-found - no such export of hers, or it stands no more; no such exam of hers
 */
export function exportRecord(deps: ExportRecordDeps) {
  return async (visit: Visit, id: string, part: ExportPart): Promise<ExportedRecord> =>
    await refusalsRecorded(deps, visit, 'export', async () => {
      for (const action of ['r', 's'] as const) requireScope(visit.requester, 'ImagingStudy', action);
      const standing = await standingExport(deps, visit, id);
      const exams = new Exams(deps, visit, standing, part);
      const after = part.after === undefined ? undefined : await placeOf(deps, visit, standing, part.after);
      const first = await exams.page(after);
      if (part.exam !== undefined && first.answer.rows.length === 0) throw foundNothing('No such resource');
      const progress = new Progress(deps, visit, standing, part);
      return {
        files: filesOf(deps, visit, { part, since: standing.row.updated, exams, first, progress }),
        decideAgain: decidingAgain(deps.clock, async () => {
          await standingExport(deps, visit, id);
          await progress.alive();
        }),
      };
    });
}

/** Where an exam stands in the order of the record: one that she sees, or to which she was sent what came before. */
async function placeOf(deps: ExportRecordDeps, visit: Visit, standing: StandingExport, exam: string): Promise<PageEnd> {
  const reading = systemReading('export-record', deps.clock.now());
  const row = await rowById(deps.records, reading, 'ImagingStudy', exam);
  if (row?.person !== standing.person) throw absent();
  const wasSent = sentUpTo(standing, referenceTo(exam)) !== undefined;
  if (!wasSent && !(await isRowSeen(deps, visit, reading, row))) throw absent();
  return { sort: row.sort, id: row.id };
}

/** How far the export was when this exam (`ImagingStudy/id`) was the last; undefined where it never was. */
function sentUpTo({ resource }: StandingExport, exam: string): ExportProgress | undefined {
  const said = progressOf(resource);
  const { ended } = said;
  if (ended?.last === exam) return { ...ended, ended };
  return said.last === exam ? said : undefined;
}

function referenceTo(exam: string): string {
  return `ImagingStudy/${exam}`;
}

/** The exams that she may see, page by page, each page with its event. */
class Exams {
  readonly #deps: ExportRecordDeps;
  readonly #visit: Visit;
  readonly #standing: StandingExport;
  readonly #where: readonly Criterion[];

  constructor(deps: ExportRecordDeps, visit: Visit, standing: StandingExport, { exam }: ExportPart) {
    this.#deps = deps;
    this.#visit = visit;
    this.#standing = standing;
    this.#where = exam === undefined ? [] : [{ kind: 'id', values: [exam] }];
  }

  async page(after?: PageEnd): Promise<Recorded<SearchPage>> {
    const query = { type: 'ImagingStudy', where: this.#where, count: PAGE, total: 'none', include: [] } as const;
    const question = { kind: 'search', query, ...(after === undefined ? {} : { after }) } as const;
    return await guarded(this.#deps, this.#visit, 'export', question, ({ rows }) => this.#tell(rows));
  }

  /** The export, and each exam in it; of a record without exams it is hers all the same. */
  #tell(rows: readonly VisibleRow[]): Account {
    const { row, requester, person } = this.#standing;
    const herself = { person, subject: requester.patient, shownBy: undefined };
    const exams = rows.map(({ id, json }) =>
      studyEntity(studyInstanceUIDIn(JSON.parse(json) as ImagingStudy), referenceTo(id)),
    );
    const task = { what: { reference: `Task/${row.id}` }, detail: { operation: 'portability' } };
    return { rows: rows.length === 0 ? [herself] : rows, entities: [task, ...exams] };
  }
}

const NOTHING_SENT: ExportProgress = { sent: 0, last: undefined };

/** How far the export is, told by its Task: nobody else but its patient reads it. */
class Progress {
  readonly #deps: ExportRecordDeps;
  readonly #visit: Visit;
  readonly #id: string;
  /** A part that is fetched again, out of order, moves nothing on. */
  readonly #counts: boolean;
  #at: ExportProgress;
  #noted = 0;

  constructor(deps: ExportRecordDeps, visit: Visit, standing: StandingExport, { after, exam }: ExportPart) {
    const before = after === undefined ? NOTHING_SENT : sentUpTo(standing, referenceTo(after));
    this.#deps = deps;
    this.#visit = visit;
    this.#id = standing.row.id;
    this.#counts = exam === undefined && before !== undefined;
    this.#at = before ?? NOTHING_SENT;
  }

  /** An exam was sent whole. */
  async sent(exam: string): Promise<void> {
    this.#at = { ...this.#at, sent: this.#at.sent + 1, last: exam };
    await this.#note(false);
  }

  /** The ZIP ends by itself, and something is left. */
  async ended(): Promise<void> {
    const { sent, last } = this.#at;
    this.#at = { sent, last, ended: { sent, last } };
    await this.#note(false);
  }

  /** Nothing is left. */
  async whole(): Promise<void> {
    await this.#note(true);
  }

  /** Something is being sent. */
  async alive(): Promise<void> {
    if (this.#deps.clock.now() - this.#noted > NOTED_MS) await this.#note(false);
  }

  async #note(isWhole: boolean): Promise<void> {
    if (!this.#counts) return;
    this.#noted = this.#deps.clock.now();
    await commitFresh(this.#deps.records, async () => {
      const { row, resource, person } = await standingExport(this.#deps, this.#visit, this.#id);
      const now = this.#deps.clock.now();
      const task: Task = progressedExport(resource, this.#at, isWhole, now);
      const plan = joinParts(changed(this.#deps.indexer, row, task, now, aboutRow(row)));
      return { warrant: systemWarrant('note-export', person), plan, result: undefined };
    });
  }
}

type Sending = {
  readonly part: ExportPart;
  /** When the export was written last, by the clock of the store: epoch milliseconds. */
  readonly since: number;
  readonly exams: Exams;
  readonly first: Recorded<SearchPage>;
  readonly progress: Progress;
};

async function* filesOf(deps: ExportRecordDeps, visit: Visit, sending: Sending): AsyncGenerator<ExportedFile> {
  const { part, since, exams, first, progress } = sending;
  const { mostInstances = MOST_INSTANCES } = deps;
  const checksums = new Checksums();
  const readingOf = (recorded: Recorded<SearchPage>): ExportReading => ({
    ...deps,
    reading: { visit, kind: 'export', recorded },
  });
  if (part.after === undefined && part.exam === undefined)
    for await (const file of exportedResources({ ...readingOf(first), since })) yield checksums.of(file);
  const directory: StudyRecords[] = [];
  let [instances, isLeft] = [0, false];
  for (let recorded = first; ;) {
    const { rows, next } = recorded.answer;
    for (const row of rows) {
      isLeft = instances >= mostInstances;
      if (isLeft) break;
      const exam = new ExportedExam(readingOf(recorded), row, directory.length + 1);
      yield* filesOfExam(exam, checksums);
      const records = exam.records();
      if (records !== undefined) directory.push(records);
      instances += exam.count;
      await progress.sent(referenceTo(row.id));
    }
    if (isLeft || next === undefined || part.exam !== undefined) break;
    recorded = await exams.page(next);
  }
  yield checksums.of({ path: 'DICOMDIR', bytes: once(...writeDicomdir(derivedUid(`file-set|${newId()}`), directory)) });
  yield checksums.list('MANIFEST.TXT');
  await (isLeft ? progress.ended() : progress.whole());
}

/** The files of an exam, and the list of their checksums, whose own stands in the list of all. */
async function* filesOfExam(exam: ExportedExam, all: Checksums): AsyncGenerator<ExportedFile> {
  const ofExam = new Checksums();
  for await (const file of exam.files()) yield ofExam.of(file);
  if (exam.count > 0) yield all.of(ofExam.list(exam.folder.replace('DICOM/', 'MANIFEST/').concat('.TXT')));
}
