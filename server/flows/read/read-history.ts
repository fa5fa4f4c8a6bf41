/** A requester reads the versions of a resource, or of all resources of a type that it may see. */
import { Fault } from '../../../profiles/fault.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { HistoryPage, Passage, RowVersion, VersionPlace } from '../../ports/record-store.ts';
import {
  foundNothing,
  further,
  guarded,
  NOTHING,
  refusalsRecorded,
  type Account,
  type GuardDeps,
  type Visit,
} from '../guard.ts';
import { requireScope } from '../../access/scope.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { formerPatient } from './former-patient.ts';
import { toldConsents } from './told-consent.ts';
import { isToldInPart, toldVersion } from './told-report.ts';
import { ABSENT, ID } from './read-resource.ts';

/** Which history: of one resource by its `id`, else of the type. `since` is epoch milliseconds, `count` at least 1. */
export type HistoryRequest = {
  readonly type: StoredType;
  readonly id?: string;
  readonly since?: number;
  readonly count: number;
  readonly cursor?: string;
};

/** A page of versions, latest first, and the cursor of the next one when more follow. */
export type FoundHistory = HistoryPage & { readonly cursor: string | undefined };

/**
 * Reads a history. All versions of a resource are shown under the right to it; of a deleted one to who saw it.
 * @throws {Fault} forbidden - the scopes do not allow it: reading, and for a type searching
 * @throws {Fault} not-found - no such resource, none that the requester may see, or no such page
 * @throws {Fault} too-costly - more resources of the type than one answer may put in order
 */
export function readHistory(deps: GuardDeps) {
  return async (visit: Visit, request: HistoryRequest): Promise<FoundHistory> => {
    const { type, id, since, count, cursor } = request;
    const kind = id === undefined ? 'history-type' : 'history-instance';
    return await refusalsRecorded(deps, visit, kind, async () => {
      requireScope(visit.requester, type, 'r');
      if (id === undefined) requireScope(visit.requester, type, 's');
      else if (!ID.test(id)) throw new Fault('not-found', ABSENT);
      const place = cursor === undefined ? {} : { after: placeOf(visit, cursor) };
      const from = since === undefined ? {} : { since };
      const of = id === undefined ? {} : { id };
      const question = { kind: 'history', type, limit: count, ...of, ...from, ...place } as const;
      const told = (page: HistoryPage): HistoryPage => toldPage(visit, page, new Map());
      const tell = (page: HistoryPage): Account => accountOf(request, told(page));
      const { answer, passage } = await guarded(deps, visit, kind, question, tell);
      const former = told(answer).rows.length > 0 ? undefined : await formerHistory(deps, visit, request);
      if (former !== undefined) return { ...former, cursor: undefined };
      if (isNothing(request, told(answer))) throw foundNothing(ABSENT);
      const { next } = answer;
      const page = toldPage(visit, answer, await presentRows(deps, passage, type, answer));
      return {
        ...page,
        rows: await toldConsents(deps, visit, passage, page.rows),
        cursor: next === undefined ? undefined : writeCursor(visit, [next.updated, next.id, next.version]),
      };
    });
  };
}

/** A Patient's former id has the one version that is read of it. */
async function formerHistory(deps: GuardDeps, visit: Visit, request: HistoryRequest): Promise<HistoryPage | undefined> {
  const { type, id, since = -Infinity, cursor } = request;
  if (type !== 'Patient' || id === undefined || cursor !== undefined) return undefined;
  const pageOf = (row: RowVersion | undefined): HistoryPage => ({
    rows: row === undefined || row.updated < since ? [] : [row],
    next: undefined,
  });
  const tell = (row: RowVersion | undefined): Account => accountOf(request, pageOf(row));
  const former = await formerPatient(deps, visit, { id, kind: 'history-instance' }, tell);
  return former === undefined ? undefined : pageOf(former);
}

type PresentRows = ReadonlyMap<string, RowVersion>;

/** The rows as they stand, of versions of a type that tells less of an error. */
async function presentRows(
  deps: GuardDeps,
  passage: Passage,
  type: StoredType,
  { rows }: HistoryPage,
): Promise<PresentRows> {
  const present = new Map<string, RowVersion>();
  if (!isToldInPart(type)) return present;
  for (const id of new Set(rows.map((row) => row.id))) {
    const row = await further(deps, passage, { kind: 'resource', type, id });
    if (row !== undefined) present.set(id, row);
  }
  return present;
}

function toldPage(visit: Visit, page: HistoryPage, present: PresentRows): HistoryPage {
  return { ...page, rows: page.rows.flatMap((row) => toldVersion(visit, row, present.get(row.id)) ?? []) };
}

/** A resource that is not there has no version at all; one that did not change lately has none that is shown. */
function isNothing({ id, since, cursor }: HistoryRequest, { rows }: HistoryPage): boolean {
  return id !== undefined && since === undefined && cursor === undefined && rows.length === 0;
}

function accountOf(request: HistoryRequest, page: HistoryPage): Account {
  if (isNothing(request, page)) return NOTHING;
  const { type, id } = request;
  const what = id === undefined ? type : `${type}/${id}`;
  const entity = id === undefined ? { role: '24', query: `${type}/_history` } : { what: { reference: what } };
  return { rows: page.rows, entities: [entity] };
}

function placeOf(visit: Visit, cursor: string): VersionPlace {
  const [updated, id, version] = readCursor(visit, cursor, 'number', 'string', 'number');
  return { updated, id, version };
}
