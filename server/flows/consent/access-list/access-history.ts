/**
 * Who looked at a record, as its patient reads it (access.md ): one line for one access, from the events that
 * are hers. That she reads it is an event of hers, too.
 */
import type { AuditEvent } from '@medplum/fhirtypes';
import { accessLines, type AccessLine } from '../../../../profiles/audit/access-line.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { requirePatient } from '../../../access/may-attempt.ts';
import type { PageEnd, Passage } from '../../../ports/record-store.ts';
import { identitiesOf } from '../../identity/identities.ts';
import { further, refusalsRecorded, type GuardDeps, type Visit } from '../../guard.ts';
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
      const events = await eventsOf(deps, recorded.passage, asked);
      const identities = await identitiesOf(deps.records, person, deps.clock.now());
      const own = new Set([patient, ...identities.map(({ content }) => `Patient/${content.id}`)]);
      const lines = accessLines(
        events.filter((event) => event.id !== recorded.event),
        own,
      );
      const told = asked.withOwn ? lines : lines.filter(({ isOwn }) => !isOwn);
      return {
        total: told.length,
        page: told.slice(asked.offset, asked.offset + asked.count),
        timeZone: deps.timeZone,
      };
    });
}

async function eventsOf(
  deps: GuardDeps,
  passage: Passage,
  { before = deps.clock.now(), from = before - YEAR_MS }: HistoryAsked,
): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = [];
  const query = {
    type: 'AuditEvent',
    where: [],
    span: { from, before },
    count: PAGE,
    total: 'none',
    include: [],
  } as const;
  let next: PageEnd | undefined;
  do {
    const after: { readonly after?: PageEnd } = next === undefined ? {} : { after: next };
    const page = await further(deps, passage, { kind: 'search', query, ...after });
    events.push(...page.rows.map(({ json }) => JSON.parse(json) as AuditEvent));
    next = page.next;
    if (events.length > MOST_EVENTS)
      throw new Fault('too-costly', `More than ${MOST_EVENTS} events: ask for a shorter period`);
  } while (next !== undefined);
  return events;
}
