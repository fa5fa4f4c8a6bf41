/** Cuts the oldest events off the audit trail, when the time for which the configuration keeps them is over. */
import { randomUUID } from 'node:crypto';
import { keptSince } from '../../../profiles/audit/retention.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Log } from '../../log.ts';
import {
  sealedText,
  type AuditTrail,
  type Cutting,
  type SealedCut,
  type ToldCut,
  type TrailCut,
} from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import type { ErasureKey } from '../../ports/erasure-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts } from '../write/plan-parts.ts';
import { ownOccasion, recordOf } from './event-records.ts';
import { agreeOnYears } from './kept-years.ts';

/** What the flow needs. `years` is how long events are kept; without it they are kept for ever. */
export type CutTrailDeps = {
  readonly trail: Pick<AuditTrail, 'cut'>;
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly years: number | undefined;
  readonly erasureKey?: ErasureKey | undefined;
  readonly log: Pick<Log, 'warn'>;
  /** The last record that is anchored, 0 as long as there is none; absent where nothing is anchored. */
  readonly anchoredFrom?: (() => Promise<number>) | undefined;
};

const EVERY_MS = 86_400_000;
/** A clock that is years ahead costs no more at a time. */
const REACH_MS = 28 * EVERY_MS;
/** Nor does a server that starts again and again, each time with the work of a day. */
const PAUSE_MS = 20 * 3_600_000;

/**
 * Says for how many years this server keeps events, and asks for the job that cuts, where that is not for ever. There
 * is one: asked for again it moves.
 */
export function askForCut({ records, clock, years }: Pick<CutTrailDeps, 'records' | 'clock' | 'years'>) {
  return async (): Promise<void> => {
    await agreeOnYears(records, clock.now(), years);
    if (years === undefined) return;
    const jobs = [jobOf('cut-trail', 'trail', clock.now())];
    await records.commit(systemWarrant('ask-for-work', 'cut'), joinParts({ jobs }));
  };
}

/**
 * Makes the work of `cut-trail`, which comes again each day as long as events are not kept for ever.
 * @throws {Fault} conflict - another server of the store keeps them longer; or see {@link AuditTrail.cut}
 */
export function cutTrail({ trail, records, clock, years, erasureKey, log, anchoredFrom }: CutTrailDeps) {
  return async ({ goOn }: JobRun): Promise<{ readonly againAt: number } | void> => {
    if (years === undefined) return;
    const now = clock.now();
    const longest = await agreeOnYears(records, now, years);
    if (longest !== years)
      throw new Fault('conflict', `Nothing is cut off the audit trail: it is kept for ${longest} years, not ${years}`);
    const before = keptSince(now, years);
    let isCut = false;
    const tell = async (one: TrailCut, events: number, undated: number): Promise<ToldCut> => {
      if (undated > 0)
        log.warn({ undated }, 'events that say no time, or one to come, are cut off as those before them');
      return { record: cutRecord(now, one, events), seal: await erasureKey?.seal(sealedText(one)) };
    };
    const isOurs = async (one: SealedCut): Promise<boolean> =>
      erasureKey === undefined ? one.seal === undefined : await erasureKey.bearsSeal(sealedText(one), one.seal);
    const anchored = await anchoredFrom?.();
    const cutting: Cutting = { before, now, reach: REACH_MS, pause: PAUSE_MS, anchored, tell, isOurs };
    while ((await trail.cut(cutting, goOn)) > 0) isCut = true;
    if (isCut) {
      const jobs = [jobOf('forget-erased', randomUUID(), clock.now())];
      await records.commit(systemWarrant('ask-for-work', 'forget'), joinParts({ jobs }));
    }
    return { againAt: clock.now() + EVERY_MS };
  };
}

/** Tells of a cut as of the moment since which the time was counted, as the verifier counts it from there. */
function cutRecord(now: number, { before }: TrailCut, events: number): AuditRecord {
  return recordOf({ now: () => now }, ownOccasion('passerelle'), 'cut-events', {
    entities: [{ role: '13', detail: { events: String(events), before } }],
  });
}
