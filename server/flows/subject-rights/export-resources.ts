/** Resources of a record as NDJSON, one file a type, and the documents that they name, as they were filed. */
import type { Attachment, Binary, DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../../profiles/types/visibility.ts';
import { allows } from '../../access/scope.ts';
import type { BlobRef, ImageStore } from '../../ports/image-store.ts';
import type { PageEnd, SearchPage, VisibleRow } from '../../ports/record-store.ts';
import { decidedStream, decidingAgain } from '../decided-stream.ts';
import { readOn, type Account, type GuardDeps, type Reading } from '../guard.ts';
import { toldRows } from '../read/told-consent.ts';
import { isTold } from '../read/told-report.ts';
import { begunFile, extensionOf, type ExportedFile } from './exported-file.ts';

/** What the files are read by. */
export type ExportReading = GuardDeps & { readonly images: ImageStore; readonly reading: Reading };

/** A time of the store (epoch milliseconds) before anything was read for the export. */
type Since = { readonly since: number };

const PAGE = 50;
/** Clocks of servers are in step within seconds. */
const STEP_MS = 60_000;

/** Types of a record that are hers: all but the directory, parts of others, and who passed (`AuditEvent`). */
const TYPES: readonly StoredType[] = STORED_TYPES.filter((type) => {
  const { class: visibility, interactions } = fhirType(type);
  const isServed: boolean = (interactions as readonly string[]).includes('search-type');
  return isServed && visibility !== 'directory' && visibility !== 'part' && type !== 'AuditEvent';
});

/** Yields a file for each type that there is something of, as far as the scopes of who asks open it; then documents. */
export async function* exportedResources(deps: ExportReading & Since): AsyncGenerator<ExportedFile> {
  const { scopes } = deps.reading.visit.requester;
  const documents = new Set<string>();
  for (const type of TYPES) {
    if (!allows(scopes, type, 'r') || !allows(scopes, type, 's')) continue;
    const rows = new Rows(deps, type);
    if (await rows.hasSome()) yield { path: `FHIR/${type}.ndjson`, bytes: linesOf(deps, type, rows, documents) };
  }
  if (!allows(scopes, 'Binary', 'r')) return;
  for (const id of documents) {
    const file = await documentOf(deps, id);
    if (file !== undefined) yield file;
  }
}

/**
 * Rows of a type in its order, each once. What is stale is read again: what was hidden meanwhile is not given, all else
 * is. A change may have moved a row to where rows were given already: behind the last one those are looked through that
 * have changed. Of what was given the id is kept while the type is read, of all else a page.
 */
class Rows {
  readonly #deps: ExportReading & Since;
  readonly #type: StoredType;
  readonly #decideAgain: () => Promise<void>;
  readonly #given = new Set<string>();
  #left: readonly VisibleRow[] = [];
  #last: PageEnd | undefined;
  #where: readonly Criterion[] = [];
  #isOver = false;
  /** Of this look: pages that were read, and whether they had something to give. */
  #pages = 0;
  #isNew = false;

  constructor(deps: ExportReading & Since, type: StoredType) {
    this.#deps = deps;
    this.#type = type;
    this.#decideAgain = decidingAgain(deps.clock, async () => await this.#read());
  }

  async hasSome(): Promise<boolean> {
    while (this.#left.length === 0 && (!this.#isOver || this.#looksAgain())) await this.#read();
    return this.#left.length > 0;
  }

  async next(): Promise<VisibleRow | undefined> {
    await this.#decideAgain();
    if (!(await this.hasSome())) return undefined;
    const [row, ...left] = this.#left;
    this.#left = left;
    if (row !== undefined) {
      this.#last = { sort: row.sort, id: row.id };
      this.#given.add(row.id);
      this.#isNew = true;
    }
    return row;
  }

  async #read(): Promise<void> {
    const { rows, next } = await pageOf(this.#deps, this.#type, this.#where, this.#last);
    this.#left = rows.filter(({ id }) => !this.#given.has(id));
    this.#isOver = next === undefined;
    this.#pages += 1;
    if (this.#left.length === 0) this.#last = next ?? this.#last;
  }

  /** Nothing moves within one page, and what changes all the time is looked for until nothing else is found. */
  #looksAgain(): boolean {
    const isFirst = this.#where.length === 0;
    if (this.#pages < 2 || !(isFirst || this.#isNew)) return false;
    const lo = this.#deps.since - STEP_MS;
    this.#where = [{ kind: 'date', param: '_lastUpdated', values: [{ lo, hi: lo + 1, prefix: 'ge' }] }];
    this.#last = undefined;
    this.#isOver = false;
    this.#pages = 0;
    this.#isNew = false;
    return true;
  }
}

async function* linesOf(
  deps: ExportReading,
  type: StoredType,
  rows: Rows,
  documents: Set<string>,
): AsyncGenerator<Uint8Array> {
  for (let row = await rows.next(); row !== undefined; row = await rows.next()) {
    const { visit, recorded } = deps.reading;
    const [{ json } = row] = await toldRows(deps, visit, recorded.passage, [row]);
    for (const id of documentsIn(type, json)) documents.add(id);
    yield Buffer.from(`${json}\n`);
  }
}

async function pageOf(
  deps: ExportReading,
  type: StoredType,
  where: readonly Criterion[],
  after?: PageEnd,
): Promise<SearchPage> {
  const query = { type, where, count: PAGE, total: 'none', include: [] } as const;
  const question = { kind: 'search', query, ...(after === undefined ? {} : { after }) } as const;
  return await readOn(deps, deps.reading, question, ({ rows }) => tell(rows));
}

function tell(rows: readonly VisibleRow[]): Account {
  return { rows, entities: rows.map(({ type, id }) => ({ what: { reference: `${type}/${id}` } })) };
}

/** The documents that a report or its reference names, but lists of images: those are there themselves. */
function documentsIn(type: StoredType, json: string): readonly string[] {
  const attachments: readonly Attachment[] =
    type === 'DiagnosticReport'
      ? ((JSON.parse(json) as DiagnosticReport).presentedForm ?? [])
      : type === 'DocumentReference'
        ? ((JSON.parse(json) as DocumentReference).content ?? []).map(({ attachment }) => attachment)
        : [];
  return attachments.flatMap(({ url, contentType }) => {
    const id = /(?:^|\/)Binary\/([A-Za-z0-9.-]{1,64})$/.exec(url ?? '')?.[1];
    return id === undefined || contentType === MEDIA_TYPE.dicom ? [] : [id];
  });
}

/** A document, begun: hidden before its first byte it is left out, hidden later it ends in an error. */
async function documentOf(deps: ExportReading, id: string): Promise<ExportedFile | undefined> {
  const row = await binaryOf(deps, id);
  if (row === undefined) return undefined;
  const { blob } = row;
  const { contentType = MEDIA_TYPE.octets } = JSON.parse(row.json) as Binary;
  let isGone = false;
  const decideAgain = decidingAgain(deps.clock, async () => {
    isGone = (await binaryOf(deps, id)) === undefined;
    if (isGone) throw new Fault('not-found', 'The document is not there any more');
  });
  const file = {
    path: `REPORTS/${id}.${extensionOf(contentType)}`,
    size: blob.size,
    bytes: opened(deps.images, blob.name, decideAgain),
  };
  return await begunFile(file, () => isGone);
}

/** The row of a document that she may read now. */
async function binaryOf(deps: ExportReading, id: string): Promise<(VisibleRow & Stored) | undefined> {
  const row = await readOn(deps, deps.reading, { kind: 'resource', type: 'Binary', id }, (one) =>
    tell(one === undefined ? [] : [one]),
  );
  const { blob } = row ?? {};
  return row === undefined || blob === undefined || !isTold(deps.reading.visit, row) ? undefined : { ...row, blob };
}

type Stored = { readonly blob: BlobRef };

/** Opened when the bytes are asked for, and decided anew while they are. */
async function* opened(images: ImageStore, name: string, decideAgain: () => Promise<void>): AsyncGenerator<Uint8Array> {
  await decideAgain();
  yield* decidedStream(await images.open(name), decideAgain) as AsyncIterable<Uint8Array>;
}
