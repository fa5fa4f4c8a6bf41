/**
 * Who looked at a record, as its patient reads it (access.md ): one line for one access, from the events that
 * are hers. That she reads it is an event of hers, too.
 */
import type { AuditEvent } from '@medplum/fhirtypes';
import { AccessLines, type AccessLine } from '../../../../profiles/audit/access-line.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { requirePatient } from '../../../access/may-attempt.ts';
import type { PageEnd } from '../../../ports/record-store.ts';
import { identitiesOf } from '../../identity/identities.ts';
import { further, refusalsRecorded, type GuardDeps, type Recorded, type Visit } from '../../guard.ts';
import { beginList } from './begin-list.ts';

/**
 * What is asked: a period (epoch milliseconds, `before` exclusive; by default the year until now), her own accesses or
 * not, and a part of the list.
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
};

/** What the flow needs: `timeZone` is the region's. */
export type AccessHistoryDeps = GuardDeps & { readonly timeZone: string };

/** Most events of one list. */
export const MOST_EVENTS = 10_000;
const PAGE = 500;
const YEAR_MS = 366 * 86_400_000;

/**
 * Makes the list of the patient who asks.
 * @throws {Fault} forbidden - another than a patient asks
 * @throws {Fault} too-costly - more than MOST_EVENTS in the period: a list that is cut would not be true
 */
export function accessHistory(deps: AccessHistoryDeps) {
  return async (visit: Visit, asked: HistoryAsked): Promise<AccessHistory> =>
    await refusalsRecorded(deps, visit, 'search', async () => {
      const requester = requirePatient(visit.requester, 'access-history');
      const { patient, person } = requester;
      const recorded = await beginList(deps, visit, requester, 'Patient/$access-history');
      const identities = await identitiesOf(deps.records, person, deps.clock.now());
      const own = new Set([patient, ...identities.map(({ content }) => `Patient/${content.id}`)]);
      const lines = await linesOf(deps, recorded, asked, own);
      const told = asked.withOwn ? lines : lines.filter(({ isOwn }) => !isOwn);
      return {
        total: told.length,
        page: told.slice(asked.offset, asked.offset + asked.count),
        timeZone: deps.timeZone,
      };
    });
}

/** The accesses of her events but the one of this question. Events are read earliest first, and none is kept. */
async function linesOf(
  deps: GuardDeps,
  { passage, event: asking }: Pick<Recorded<unknown>, 'passage' | 'event'>,
  { before = deps.clock.now(), from = before - YEAR_MS }: HistoryAsked,
  own: ReadonlySet<string>,
): Promise<readonly AccessLine[]> {
  const lines = new AccessLines(own);
  let read = 0;
  const query = {
    type: 'AuditEvent',
    where: [],
    order: [{ by: 'date', param: '_lastUpdated', descending: false }],
    span: { from, before },
    count: PAGE,
    total: 'none',
    include: [],
  } as const;
  let next: PageEnd | undefined;
  do {
    const after: { readonly after?: PageEnd } = next === undefined ? {} : { after: next };
    const page = await further(deps, passage, { kind: 'search', query, ...after });
    const events = page.rows.map(({ json }) => JSON.parse(json) as AuditEvent);
    lines.add(events.filter(({ id }) => id !== asking));
    next = page.next;
    read += events.length;
    if (read > MOST_EVENTS) throw new Fault('too-costly', `More than ${MOST_EVENTS} events: ask for a shorter period`);
  } while (next !== undefined);
  return lines.latestFirst();
}
