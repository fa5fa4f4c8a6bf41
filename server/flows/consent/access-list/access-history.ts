/**
 * Who looked at a record, as its patient reads it (access.md ), or who represents her: one line for one
 * access, from the events that are hers. That it is read is an event of hers, too.
 */
import type { AuditEvent } from '@medplum/fhirtypes';
import { AccessLines, type AccessLine } from '../../../../profiles/audit/access-line.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type { SearchQuery } from '../../../../profiles/search/query.ts';
import { systemReading } from '../../../access/grant.ts';
import { requireSpeaker } from '../../../access/may-attempt.ts';
import type { PatientRequester, RepresentativeRequester } from '../../../access/requester.ts';
import { openedResource } from '../../../ports/internal-row.ts';
import type { PageEnd } from '../../../ports/record-store.ts';
import { identitiesOf } from '../../identity/identities.ts';
import { further, refusalsRecorded, type Recorded, type Visit } from '../../guard.ts';
import { beginList } from './begin-list.ts';
import { toldInWords } from './told-in-words.ts';
import { toldToRepresentative } from './told-to-representative.ts';
import type { WhoCanAccessDeps } from './who-can-access.ts';

/**
 * What is asked: a period (epoch milliseconds, `before` exclusive; by default the year until now), own accesses of who
 * asks or not, and a part of the list.
 */
export type HistoryAsked = {
  readonly from: number | undefined;
  readonly before: number | undefined;
  readonly withOwn: boolean;
  readonly count: number;
  readonly offset: number;
};

/** How many accesses there are, and those of the part, the latest first. */
export type AccessHistory = {
  readonly total: number;
  readonly page: readonly AccessLine[];
  /** In which their times are told. */
  readonly timeZone: string;
  /** Who represents the patient reads it. */
  readonly isOfAnother: boolean;
};

/** Most events of one list. */
export const MOST_EVENTS = 10_000;
const PAGE = 500;
const YEAR_MS = 366 * 86_400_000;

/**
 * Makes the list of the patient who asks, or of whom who asks represents. A representative is told what
 * {@link toldToRepresentative} leaves.
 * @throws {Fault} forbidden - another than the patient or who represents her asks
 * @throws {Fault} not-found - it is not she who asks, and her record is not shown
 * @throws {Fault} too-costly - more than MOST_EVENTS in the period: a list that is cut would not be true
 */
export function accessHistory(deps: WhoCanAccessDeps) {
  return async (visit: Visit, asked: HistoryAsked): Promise<AccessHistory> =>
    await refusalsRecorded(deps, visit, 'search', async () => {
      const requester = requireSpeaker(visit.requester, 'access-history');
      const recorded = await beginList(deps, visit, requester, 'Patient/$access-history');
      const patients = await patientsOf(deps, requester);
      const list = { visit, recorded, asked, patients };
      const lines =
        requester.kind === 'patient'
          ? await linesOf(list, patients, pagesForHer(deps, list))
          : await linesForAnother(deps, requester, list);
      const told = asked.withOwn ? lines : lines.filter(({ isOwn }) => !isOwn);
      const page = told.slice(asked.offset, asked.offset + asked.count);
      return {
        total: told.length,
        page: await toldInWords(deps, { visit, kind: 'search', recorded }, page),
        timeZone: deps.timeZone,
        isOfAnother: requester.kind !== 'patient',
      };
    });
}

/** The Patients (`Patient/id`) that are she at present. */
async function patientsOf(
  { records, clock }: WhoCanAccessDeps,
  { patient, person }: PatientRequester | RepresentativeRequester,
): Promise<ReadonlySet<string>> {
  const identities = await identitiesOf(records, person, clock.now());
  return new Set([patient, ...identities.map(({ content }) => `Patient/${content.id}`)]);
}

type List = {
  readonly visit: Visit;
  readonly recorded: Recorded<unknown>;
  readonly asked: HistoryAsked;
  readonly patients: ReadonlySet<string>;
};

/** Events of hers, earliest first; `after` as the page before ended. */
type Pages = (after: PageEnd | undefined) => Promise<{
  readonly events: readonly AuditEvent[];
  readonly next: PageEnd | undefined;
}>;

/** She is shown each event that is hers. */
function pagesForHer(deps: WhoCanAccessDeps, { recorded, asked }: List): Pages {
  const query = queryOf(deps, asked, []);
  return async (after) => {
    const { rows, next } = await further(deps, recorded.passage, { kind: 'search', query, ...startingAt(after) });
    return { events: rows.map(({ json }) => JSON.parse(json) as AuditEvent), next };
  };
}

/** Events are shown to nobody else: the server reads those that tell of her Patients, and tells what may be told. */
async function linesForAnother(
  deps: WhoCanAccessDeps,
  requester: RepresentativeRequester,
  list: List,
): Promise<readonly AccessLine[]> {
  const { visit, recorded, asked, patients } = list;
  const grant = systemReading('access-history', deps.clock.now())('whole');
  const query = queryOf(deps, asked, [{ kind: 'reference', param: 'entity', values: [...patients] }]);
  const pages: Pages = async (after) => {
    const { rows, next } = await deps.records.peek(grant, { kind: 'search', query, ...startingAt(after) });
    return { events: rows.map((row) => openedResource<AuditEvent>(row)), next };
  };
  const lines = await linesOf(list, new Set([requester.related]), pages);
  const ofOthers = lines.filter(({ who }) => !patients.has(who.reference));
  return await toldToRepresentative(deps, requester, { visit, kind: 'search', recorded }, ofOthers);
}

function startingAt(after: PageEnd | undefined): { readonly after?: PageEnd } {
  return after === undefined ? {} : { after };
}

function queryOf(
  deps: WhoCanAccessDeps,
  { before = deps.clock.now(), from = before - YEAR_MS }: HistoryAsked,
  where: SearchQuery['where'],
): SearchQuery {
  // The reverse of the list, which no bound of sorting cuts.
  const order = [{ by: 'moment', param: 'date', descending: false }] as const;
  return { type: 'AuditEvent', where, order, span: { from, before }, count: PAGE, total: 'none', include: [] };
}

/** The accesses of events but the one of this question; no event is kept. */
async function linesOf({ recorded }: List, own: ReadonlySet<string>, pages: Pages): Promise<readonly AccessLine[]> {
  const lines = new AccessLines(own);
  let read = 0;
  let after: PageEnd | undefined;
  do {
    const { events, next } = await pages(after);
    lines.add(events.filter(({ id }) => id !== recorded.event));
    after = next;
    read += events.length;
    if (read > MOST_EVENTS) throw new Fault('too-costly', `More than ${MOST_EVENTS} events: ask for a shorter period`);
  } while (after !== undefined);
  return lines.latestFirst();
}
