/**
 * The end of the period of a Consent, an emergency's, a declaration's, a block's or a share's: it becomes inactive, and
 * an event tells the patient, too; of an emergency that of its end (DCM 110138).
 */
import type { Consent } from '@medplum/fhirtypes';
import { blockOf, isBlock } from '../../../profiles/consent/block.ts';
import { shareOf } from '../../../profiles/consent/giving/share.ts';
import { permitOf } from '../../../profiles/consent/declaration.ts';
import { TIME_BOUND } from '../../../profiles/search/date-range.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import type { JobRequest, TakenJob } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { ownOccasion, recordOf, type About } from '../audit/event-records.ts';
import { findById, type Found } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { confirmedTickets, ticketsDone } from '../support/ticket-done.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';

/** What the work needs. */
export type EndConsentDeps = { readonly records: RecordStore; readonly clock: Clock; readonly indexer: Indexer };

/** Asks for the end of a Consent (id) when its period is over (epoch milliseconds). `zone` is that of its row. */
export function endingAt(subject: string, at: number, zone?: string): JobRequest<'end-consent'> {
  return { id: newId(), kind: 'end-consent', subject, payload: zone === undefined ? {} : { zone }, at };
}

/** Makes the work of `end-consent`: nothing is left to do where somebody has ended it before. */
export function endConsent({ records, clock, indexer }: EndConsentDeps) {
  return async ({ subject, payload }: TakenJob<'end-consent'>): Promise<{ readonly againAt: number } | void> => {
    const { result: againAt } = await commitFresh(records, async () => {
      const now = clock.now();
      const reading = systemReading('end-consent', now);
      const found = await findById<Consent>(records, reading, 'Consent', subject);
      const term = found === undefined ? undefined : termOf(found.resource, payload.zone);
      if (found === undefined || term === undefined || term.to > now)
        return {
          warrant: systemWarrant('end-consent'),
          plan: joinParts(),
          result: term === undefined || term.to === TIME_BOUND ? undefined : term.to,
        };
      const given = permitOf(found.resource, payload.zone)?.kind;
      const kind = given === 'break-glass' ? 'break-glass-end' : 'update';
      const record = (about: About): AuditRecord => recordOf(clock, ownOccasion('passerelle'), kind, about);
      const warrant = systemWarrant('end-consent', found.row.person ?? '');
      const news = isBlock(found.resource) ? { jobs: [tellingOf(`Consent/${subject}`, now)] } : {};
      const tickets = given === 'support' ? await confirmedTickets(records, reading, found.row.person) : [];
      const done = ticketsDone(indexer, tickets, [subject], now);
      return { warrant, plan: joinParts(endedConsent(indexer, found, now, record), news, ...done), result: undefined };
    });
    if (againAt !== undefined) return { againAt };
  };
}

/** What a Consent gives or closes, and until when. */
function termOf(consent: Consent, zone: string | undefined): { readonly to: number } | undefined {
  return permitOf(consent, zone) ?? blockOf(consent, zone) ?? shareOf(consent, zone);
}

/** The parts that end one; `record` makes the event by whoever ends it. */
export function endedConsent(
  indexer: Indexer,
  { row, resource }: Found<Consent>,
  now: number,
  record: (about: About) => AuditRecord,
): PlanParts {
  const { person, subject } = row;
  const about = {
    consent: `Consent/${row.id}`,
    ...(person === undefined ? {} : { person }),
    ...(subject === undefined ? {} : { patient: subject }),
  };
  return joinParts(changed(indexer, row, { ...resource, status: 'inactive' }, now, aboutRow(row)), {
    audit: [record(about)],
  });
}
