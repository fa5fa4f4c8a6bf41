/**
 * The walk over series or instances of visible studies, in list order: what each store reads on the way is a request
 * that it answers, at once or later. One walk looks at so much and no more.
 */
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { DicomJson } from '../../profiles/dicom/json/json.ts';
import { keysOfInstance, matchesKey, type MatchKey } from '../../profiles/dicom/match.ts';
import { Fault } from '../../profiles/fault.ts';
import { labelOfRow } from '../../profiles/types/row-rules.ts';
import { studyInstanceUIDOf } from '../../profiles/imaging/identifiers.ts';
import type { SearchQuery } from '../../profiles/search/query.ts';
import { sourcesShown } from '../access/decide.ts';
import type { AnyGrant } from '../access/grant.ts';
import type { InstanceRow } from '../ports/commit-plan.ts';
import { shownInstances, type ShownPart } from './granted.ts';
import type { FoundPart, PageEnd, Question, SearchPage, StudyParts, VisibleRow } from '../ports/record-store.ts';

/** The question. */
export type PartsQuestion = Extract<Question, { kind: 'parts' }>;

/** A series of a study: the SOP Instance UID of its first instance, and how many it has. */
export type SeriesOutline = { readonly seriesInstanceUID: string; readonly first: string; readonly instances: number };

/** What a walk reads; all in one snapshot. */
export type PartRead =
  | { readonly kind: 'studies-of'; readonly sopInstanceUIDs: readonly string[] }
  | { readonly kind: 'rows-of'; readonly studyInstanceUIDs: readonly string[] }
  | { readonly kind: 'studies'; readonly query: SearchQuery; readonly after: PageEnd | undefined }
  | ({ readonly kind: 'series'; readonly studyInstanceUID: string } & Pick<ShownPart, 'sources'>)
  | (Extract<Question, { kind: 'instances' }> & ShownPart);

/**
 * What answers each: Study Instance UIDs; ids of ImagingStudies by the UIDs whose claims name them; a page; the series
 * in canonical order; instances whoever may see them.
 */
type AnswerOf<R extends PartRead> = R extends { kind: 'studies-of' }
  ? readonly string[]
  : R extends { kind: 'rows-of' }
    ? ReadonlyMap<string, string>
    : R extends { kind: 'studies' }
      ? SearchPage
      : R extends { kind: 'series' }
        ? readonly SeriesOutline[]
        : readonly InstanceRow[];

/** A walk: it yields reads, takes their answers, and returns what it found. */
export type PartWalk<T = StudyParts> = Generator<PartRead, T, unknown>;

const STUDIES_AT_ONCE = 100;
/** What one walk may cost: a study or a row without metadata is 1, metadata that are parsed are 10. */
const MAX_COST = 20_000;
const METADATA_COST = 10;
const FIRSTS_AT_ONCE = 100;

/**
 * Walks.
 * @throws {Fault} too-costly - the walk would look at too much
 */
export function* walkParts(question: PartsQuestion, grant: AnyGrant): PartWalk {
  const walk = new Walk(question);
  const named = yield* rowsNamed(question);
  if (named?.size === 0) return walk.found();
  const where = [...question.studies.where];
  if (named !== undefined) where.push({ kind: 'id', values: [...named.values()] });
  const query: SearchQuery = {
    ...question.studies,
    type: 'ImagingStudy',
    where,
    count: STUDIES_AT_ONCE,
    total: 'none',
  };
  const pageAfter = (after: PageEnd | undefined) => ask({ kind: 'studies', query, after });
  for (let page = yield* pageAfter(undefined); ; page = yield* pageAfter(page.next)) {
    const uids = byRow(named ?? (yield* rowsSaid(page.rows)));
    for (const study of page.rows) {
      const uid = uids.get(study.id);
      if (uid === undefined) continue;
      const part = { person: study.person, sources: sourcesOf(grant, study) };
      yield* walk.visit({ uid, study, included: page.included, ...part });
      if (walk.isFull) return walk.found();
    }
    if (page.next === undefined) return walk.found();
  }
}

/** Ids of rows by the Study Instance UIDs whose claims name them. */
type NamedRows = ReadonlyMap<string, string>;

/** The rows of the studies that a question names by UIDs; undefined when it names none. */
function* rowsNamed(question: PartsQuestion): PartWalk<NamedRows | undefined> {
  const uids = yield* studiesNamed(question);
  if (uids === undefined) return undefined;
  return uids.length === 0 ? new Map() : yield* ask({ kind: 'rows-of', studyInstanceUIDs: uids });
}

function* studiesNamed({ studyInstanceUID, sopInstanceUIDs }: PartsQuestion): PartWalk<readonly string[] | undefined> {
  if (sopInstanceUIDs === undefined) return studyInstanceUID === undefined ? undefined : [studyInstanceUID];
  const uids = yield* ask({ kind: 'studies-of', sopInstanceUIDs });
  return studyInstanceUID === undefined ? uids : uids.filter((uid) => uid === studyInstanceUID);
}

/** The rows of the UIDs that some rows say: a row has that of them whose claim names it. */
function* rowsSaid(rows: readonly VisibleRow[]): PartWalk<NamedRows> {
  const said = [...new Set(rows.flatMap(uidsSaid))];
  return said.length === 0 ? new Map() : yield* ask({ kind: 'rows-of', studyInstanceUIDs: said });
}

function byRow(named: NamedRows): ReadonlyMap<string, string> {
  return new Map([...named].map(([uid, id]) => [id, uid]));
}

/** Whose instances of a study are shown. */
function sourcesOf(grant: AnyGrant, { json, shownBy }: VisibleRow): readonly string[] | undefined {
  if (shownBy?.relation !== 'author') return undefined;
  return sourcesShown(grant, shownBy.relation, labelOfRow('ImagingStudy', JSON.parse(json) as ImagingStudy));
}

function uidsSaid({ json }: VisibleRow): readonly string[] {
  const { identifier = [] } = JSON.parse(json) as ImagingStudy;
  return identifier.map(studyInstanceUIDOf).filter((uid) => uid !== undefined);
}

/** The answer comes from the store as what its read asks for. */
function* ask<R extends PartRead>(read: R): Generator<PartRead, AnswerOf<R>, unknown> {
  return (yield read) as AnswerOf<R>;
}

/** A study on the way: its UID, its row, and what came beside the page. */
type Visited = Place & { readonly study: VisibleRow; readonly included: readonly VisibleRow[] };

/** A study by its UID, and which instances of it are shown. */
type Place = ShownPart & { readonly uid: string };

class Walk {
  readonly #question: PartsQuestion;
  readonly #parts: FoundPart[] = [];
  readonly #studies: VisibleRow[] = [];
  readonly #included = new Map<string, VisibleRow>();
  #skip: number;
  #cost = 0;

  constructor(question: PartsQuestion) {
    this.#question = question;
    this.#skip = question.offset;
  }

  /** Whether it holds one more than was asked for. */
  get isFull(): boolean {
    return this.#parts.length > this.#question.limit;
  }

  found(): StudyParts {
    const { limit } = this.#question;
    return {
      studies: this.#studies,
      included: [...this.#included.values()],
      parts: this.#parts.slice(0, limit),
      isMore: this.isFull,
    };
  }

  *visit({ study, included, ...place }: Visited): PartWalk<void> {
    this.#spend(1);
    const before = this.#parts.length;
    const series = yield* ask({ kind: 'series', studyInstanceUID: place.uid, sources: place.sources });
    if (this.#question.level === 'series') yield* this.#visitSeries(place, series);
    else yield* this.#visitInstances(place, series);
    // The one that only tells that there is more is not shown.
    if (Math.min(this.#parts.length, this.#question.limit) === before) return;
    this.#studies.push(study);
    for (const row of included) if (`${row.type}/${row.id}` === study.subject) this.#included.set(row.id, row);
  }

  *#visitSeries(place: Place, series: readonly SeriesOutline[]): PartWalk<void> {
    const { ofSeries } = this.#question;
    if (ofSeries.length > 0) {
      const matching = yield* this.#firstsOf(place, series);
      this.#parts.push(...matching.slice(this.#passOver(matching.length)));
      return;
    }
    const shown = series.slice(this.#passOver(series.length)).slice(0, this.#wanted);
    this.#parts.push(...(yield* this.#firstsOf(place, shown)));
  }

  *#visitInstances(place: Place, series: readonly SeriesOutline[]): PartWalk<void> {
    const { ofSeries } = this.#question;
    const matching =
      ofSeries.length === 0
        ? undefined
        : new Set((yield* this.#firstsOf(place, series)).map(({ row }) => row.seriesInstanceUID));
    for (const one of series) {
      if (matching?.has(one.seriesInstanceUID) === false) continue;
      yield* this.#visitInstancesOf(place, one);
      if (this.isFull) return;
    }
  }

  *#visitInstancesOf({ uid, ...part }: Place, { seriesInstanceUID, instances }: SeriesOutline): PartWalk<void> {
    const { ofInstance } = this.#question;
    const read = { kind: 'instances', studyInstanceUID: uid, seriesInstanceUID, ...part } as const;
    const place = { ...read, limit: this.#wanted };
    if (ofInstance.length === 0) {
      const offset = this.#passOver(instances);
      if (offset < instances) yield* this.#take({ ...place, offset }, instances);
      return;
    }
    this.#spend(instances);
    const rows = yield* ask({ ...place, omitMetadata: true, offset: 0, limit: instances });
    const matching = rows.filter((row) => ofInstance.every((key) => matchesKey(keysOfInstance(row), key)));
    const sopInstanceUIDs = matching
      .slice(this.#passOver(matching.length))
      .slice(0, this.#wanted)
      .map((row) => row.sopInstanceUID);
    if (sopInstanceUIDs.length > 0) yield* this.#take({ ...place, sopInstanceUIDs, offset: 0 }, instances);
  }

  *#take(read: Extract<PartRead, { kind: 'instances' }>, instances: number): PartWalk<void> {
    const rows = yield* ask(read);
    this.#spend(rows.length * METADATA_COST);
    this.#parts.push(...shownInstances(rows).map((row) => ({ row, instances })));
  }

  /** The series that match, each by its first instance. */
  *#firstsOf({ uid, ...part }: Place, series: readonly SeriesOutline[]): PartWalk<FoundPart[]> {
    const found: FoundPart[] = [];
    for (let at = 0; at < series.length; at += FIRSTS_AT_ONCE) {
      const some = series.slice(at, at + FIRSTS_AT_ONCE);
      this.#spend(some.length * METADATA_COST);
      const rows = yield* ask({
        kind: 'instances',
        studyInstanceUID: uid,
        ...part,
        sopInstanceUIDs: some.map(({ first }) => first),
        offset: 0,
        limit: some.length,
      });
      const counts = new Map(some.map(({ first, instances }) => [first, instances]));
      const matching = shownInstances(rows).filter(({ metadata }) => matchesAll(metadata, this.#question.ofSeries));
      found.push(...matching.map((row) => ({ row, instances: counts.get(row.sopInstanceUID) ?? 1 })));
    }
    return found;
  }

  /** How many are still looked for: one more than is asked for tells that there is more. */
  get #wanted(): number {
    return this.#question.limit + 1 - this.#parts.length;
  }

  /** Counts matches against the offset; returns how many of them lie before it. */
  #passOver(matches: number): number {
    const passed = Math.min(this.#skip, matches);
    this.#skip -= passed;
    return passed;
  }

  #spend(cost: number): void {
    this.#cost += cost;
    if (this.#cost > MAX_COST)
      throw new Fault(
        'too-costly',
        'The query goes through too many series and instances; narrow it by keys of the study',
      );
  }
}

function matchesAll(metadata: string, keys: readonly MatchKey[]): boolean {
  if (keys.length === 0) return true;
  const json = JSON.parse(metadata) as DicomJson;
  return keys.every((key) => matchesKey(json, key));
}
