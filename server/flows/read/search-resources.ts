/** A requester searches a type: FHIR search, ITI-67, ITI-78, QIDO-RS and ITI-18 are faces of this one story. */
import type { PassageKind } from '../../../profiles/audit/shapes.ts';
import { isOfItsOwn } from '../../../profiles/search/order.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import type { PageEnd, Passage, SearchPage, VisibleRow } from '../../ports/record-store.ts';
import { guarded, refusalsRecorded, shownRows, type Account, type GuardDeps, type Visit } from '../guard.ts';
import { eventsOfRows, rowsSought, withinPeriod } from './events-of-rows.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { requireScope } from '../../access/scope.ts';
import { toldRows } from './told-consent.ts';
import { requireToldSearch } from './told-relative.ts';
import { withinScopes } from './search-scopes.ts';

/** A page, and the cursor of the next one when more follows. */
export type FoundPage = SearchPage & { readonly cursor: string | undefined };

/** A page with the proof of its read, by which a flow reads on of what it shows. */
export type AuditedPage = FoundPage & { readonly passage: Passage };

/**
 * A search: the query, the rows to pass over, the text of the request for the audit trail, and the passage it counts
 * as.
 */
export type SearchRequest = {
  readonly query: SearchQuery;
  readonly skip?: number;
  readonly text: string;
  readonly passage: PassageKind;
};

/** QIDO-RS and ITI-18 tell the patient's identity with each study and document, and may be asked by it. */
const OF_FHIR: readonly PassageKind[] = ['search', 'iti-67', 'iti-78', 'invoke-display'];

/**
 * Searches.
 * @throws {Fault} forbidden - the scopes do not allow it, or relatives are searched by what is not told of them
 * @throws {Fault} invalid - an officer asks for events without a date from which on, or events are asked for through
 *   rows by more than an identifier
 * @throws {Fault} not-supported - an officer asks for events through their Patients or items
 * @throws {Fault} not-found - the cursor is not one of this requester's, or of another order
 */
export function searchResources(deps: GuardDeps) {
  return async (visit: Visit, { query: asked, skip = 0, text, passage }: SearchRequest): Promise<AuditedPage> =>
    await refusalsRecorded(deps, visit, passage, async () => {
      requireScope(visit.requester, asked.type, 's');
      const query = withinPeriod(visit, OF_FHIR.includes(passage) ? withinScopes(visit.requester, asked) : asked);
      requireToldSearch(visit, query);
      const after = query.cursor === undefined ? undefined : pageEndOf(visit, query.cursor, query.order);
      const question = { kind: 'search', query, skip, ...(after === undefined ? {} : { after }) } as const;
      const tell = (page: SearchPage): Account => ({
        rows: shownRows(page.rows, page.included),
        entities: [{ role: '24', query: text }],
      });
      const sought = rowsSought(visit, query);
      const { answer, passage: passed } =
        sought.length === 0
          ? await guarded(deps, visit, passage, question, tell)
          : await eventsOfRows(deps, visit, sought, { question, passage, tell });
      const told = async (rows: readonly VisibleRow[]): Promise<readonly VisibleRow[]> =>
        await toldRows(deps, visit, passed, rows);
      return {
        ...answer,
        rows: await told(answer.rows),
        included: await told(answer.included),
        cursor: answer.next === undefined ? undefined : cursorOf(visit, answer.next),
        passage: passed,
      };
    });
}

function cursorOf(visit: Visit, { sort, id, keys = [] }: PageEnd): string {
  return writeCursor(visit, [sort, id, ...keys]);
}

function pageEndOf(visit: Visit, cursor: string, order: SearchQuery['order'] = []): PageEnd {
  const kinds = order.map(({ by }) => (by === 'date' || by === 'moment' ? 'number or none' : 'string or none'));
  if (!isOfItsOwn(order)) {
    const [sort, id] = readCursor(visit, cursor, 'number', 'string');
    return { sort, id };
  }
  const [sort, id, ...keys] = readCursor(visit, cursor, 'number', 'string', ...kinds);
  return { sort, id, keys };
}
