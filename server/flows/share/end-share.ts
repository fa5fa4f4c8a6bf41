/** A patient ends a share, `Consent/[id]/$revoke-share`: from the next request on nobody sees the item by it. */
import type { Consent } from '@medplum/fhirtypes';
import { isShare } from '../../../profiles/consent/giving/is-share.ts';
import { recipientOfShare } from '../../../profiles/consent/giving/share.ts';
import { Fault } from '../../../profiles/fault.ts';
import { buildShareNotice } from '../../../profiles/notices/share.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { mayEndShare } from '../../access/giving/may-share.ts';
import { systemReading } from '../../access/grant.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import { isRowSeen } from '../aside/seen.ts';
import type { About } from '../audit/event-records.ts';
import { endedConsent } from '../consent/end-consent.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { findById, type Found } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { commitFresh, joinParts, oneOf, type PlanParts } from '../write/plan-parts.ts';

/** What the flow needs. */
export type EndShareDeps = GuardDeps & { readonly indexer: Indexer };

/**
 * Ends a share (id of its Consent). One that has ended stays as it is.
 * @throws {Fault} forbidden - another than a patient asks
 * @throws {Fault} not-found - no share, or another's
 */
export function revokeShare(deps: EndShareDeps) {
  return async (visit: Visit, id: string): Promise<void> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      await commitFresh(deps.records, async () => {
        const now = deps.clock.now();
        const reading = systemReading('share', now);
        const found = await findById<Consent>(deps.records, reading, 'Consent', id);
        const share = found !== undefined && isShare(found.resource) ? found : undefined;
        const { person, subject: patient } = share?.row ?? {};
        const facts =
          share === undefined || person === undefined
            ? undefined
            : { item: `Consent/${id}`, person, isSeen: await isRowSeen(deps, visit, reading, share.row) };
        const warrant = mayEndShare(visit.requester, facts, now);
        if (share === undefined || person === undefined || patient === undefined)
          throw new Fault('not-found', 'No such resource');
        const entities = [{ what: { reference: `Consent/${id}` }, detail: { operation: 'revoke-share' } }];
        const record = (about: About): AuditRecord =>
          eventRecord(deps.clock, visit, 'operation', { ...about, entities });
        const recipient = recipientOfShare(share.resource) ?? '';
        const told = noticeParts(deps.indexer, { person, patient }, now, (notice) =>
          buildShareNotice({ ...notice, change: 'ended', consent: `Consent/${id}`, recipient }),
        );
        const isOver = share.resource.status !== 'active';
        const ended = isOver ? [] : [endedShare(deps.indexer, share, now, record), told];
        const asked = isOver ? [{ audit: [record({ person, patient })] }] : [];
        return { warrant, plan: joinParts(...ended, ...asked), result: undefined };
      });
    });
}

/** The parts that end one, and mail its recipient; `record` makes the event by whoever ends it. */
export function endedShare(
  indexer: Indexer,
  found: Found<Consent>,
  now: number,
  record: (about: About) => AuditRecord,
): PlanParts {
  return oneOf([endedConsent(indexer, found, now, record), { jobs: [jobOf('mail-share', found.row.id, now)] }]);
}
