/** What the main thread does for the intake thread: files instances, records and logs associations. */
import { recordOf } from '../../flows/audit/event-records.ts';
import type { receiveAssociation } from '../../flows/intake/receive-association.ts';
import type { Log } from '../../log.ts';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import { faultOf, type Serving } from '../../threads/thread-talk.ts';
import type { FilingCalls } from './intake-calls.ts';
import type { AssociationInfo } from './store-handler.ts';

/** What filing needs. */
export type FilingDeps = {
  readonly association: ReturnType<typeof receiveAssociation>;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
};

/** Answers the intake thread. */
export function serveFiling(deps: FilingDeps): Serving<FilingCalls> {
  const written = new Map<string, PromiseWithResolvers<void>>();
  return {
    file: async ({ sender, unfiled }) => {
      const { name } = unfiled.row.blob;
      const durable = Promise.withResolvers<void>();
      // A refusal may come before anybody waits for it.
      durable.promise.catch(() => undefined);
      written.set(name, durable);
      try {
        await deps.association.file(sender, { unfiled, durable: durable.promise });
      } finally {
        written.delete(name);
      }
    },
    durable: async ({ blob, fault }) => {
      if (fault === undefined) written.get(blob)?.resolve();
      else written.get(blob)?.reject(faultOf(fault));
    },
    refused: async ({ sender, fault }) => void (await deps.association.refused(sender, faultOf(fault))),
    association: async ({ event, info }) => {
      deps.log.info(
        {
          event,
          associationId: info.associationId,
          callingAE: info.callingAE,
          stored: info.stored,
          failed: info.failed,
          reason: info.reason,
        },
        'association',
      );
      if (event === 'refused') await deps.trail.record([refusalOf(deps, info)]);
      if (event === 'opened' || event === 'refused') return undefined;
      await deps.association.ended(info.associationId);
      return undefined;
    },
  };
}

function refusalOf({ clock }: FilingDeps, info: AssociationInfo) {
  const occasion = {
    requestId: info.associationId,
    server: 'dimse',
    client: { id: info.callingAE ?? 'unknown', address: info.address },
  };
  return recordOf(clock, occasion, 'association', { outcome: '4', outcomeDesc: info.reason ?? 'refused' });
}
