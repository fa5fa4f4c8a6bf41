/** Cuts the oldest events off the audit trail, when the time for which the configuration keeps them is over. */
import { keptSince } from '../../../profiles/audit/retention.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { sealedText, type AuditTrail, type ToldCut, type TrailCut } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ErasureKey } from '../../ports/erasure-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts } from '../write/plan-parts.ts';
import { ownOccasion, recordOf } from './event-records.ts';

/** What the flow needs. `years` is how long events are kept; without it they are kept for ever. */
export type CutTrailDeps = {
  readonly trail: Pick<AuditTrail, 'cut'>;
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly years: number | undefined;
  readonly erasureKey?: ErasureKey | undefined;
};

const EVERY_MS = 86_400_000;

/** Asks for the job that cuts, where events are not kept for ever. There is one: asked for again it moves. */
export function askForCut({ records, clock, years }: Pick<CutTrailDeps, 'records' | 'clock' | 'years'>) {
  return async (): Promise<void> => {
    if (years === undefined) return;
    const jobs = [jobOf('cut-trail', 'trail', clock.now())];
    await records.commit(systemWarrant('ask-for-work', 'cut'), joinParts({ jobs }));
  };
}

/** Makes the work of `cut-trail`, which comes again each day as long as events are not kept for ever. */
export function cutTrail({ trail, records, clock, years, erasureKey }: CutTrailDeps) {
  return async ({ goOn }: JobRun): Promise<{ readonly againAt: number } | void> => {
    if (years === undefined) return;
    const tell = (cut: TrailCut, events: number): ToldCut => ({
      record: recordOf(clock, ownOccasion('passerelle'), 'cut-events', {
        entities: [{ role: '13', detail: { events: String(events), before: cut.before } }],
      }),
      seal: erasureKey?.digest(sealedText(cut)),
    });
    let isCut = false;
    while ((await trail.cut(keptSince(clock.now(), years), tell, goOn)) > 0) isCut = true;
    if (isCut) await records.forget();
    return { againAt: clock.now() + EVERY_MS };
  };
}
