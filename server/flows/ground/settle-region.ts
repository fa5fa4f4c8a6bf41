/** Brings items of all patients to what the region file says of informing them, where that is something else. */
import type { IdentifierDomain } from '../../config/region-model.ts';
import { systemGrant, systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { ownMark } from '../directory/region-mark.ts';
import { claimOf } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts } from '../write/plan-parts.ts';
import { settleAll, settleGround, type SettleGroundDeps } from './settle-ground.ts';

/** The subject of the job. */
const REGION = 'region';

/** What establishments (`Organization/id`) say of informing, of whose items nothing is left to be done. */
type Said = Readonly<Record<string, IdentifierDomain['informsPatients']>>;

/** Asks for it, at each start and when another region file was loaded. */
export function askForGrounds({ records, clock }: Pick<SettleGroundDeps, 'records' | 'clock'>) {
  return async (): Promise<void> => {
    const jobs = [jobOf('settle-region', REGION, clock.now())];
    await records.commit(systemWarrant('ask-for-work', 'settle-region'), joinParts({ jobs }));
  };
}

/** The work of both kinds of jobs. */
export function groundWork(deps: SettleGroundDeps) {
  return { 'settle-ground': settleGround(deps), 'settle-region': settleRegion(deps) };
}

/**
 * Makes the work of `settle-region`. Of establishments that say what they said when it was last done nothing is looked
 * at. A process whose file is not that of the store leaves it to the others.
 * @throws {Fault} transient - it is such a process
 */
export function settleRegion(deps: SettleGroundDeps) {
  return async (_job: unknown, run: JobRun): Promise<void> => {
    const { records, clock, region } = deps;
    const key = claimKey.grounds();
    const reading = systemReading('settle-ground', clock.now());
    const mark = await ownMark(records, region.serial, clock.now());
    const standing = await claimOf(records, reading, key);
    const { establishments } = region;
    const said: Said = Object.fromEntries(establishments.map((one) => [one, region.domainOf(one).informsPatients]));
    // What earlier servers left is judged by the file that the store had then: all of it is looked at once.
    const former = standing === undefined ? {} : (JSON.parse(standing) as Said);
    const of = establishments.filter((one) => said[one] !== former[one]);
    const says = async (from: string | undefined, to: Said): Promise<string> => {
      const value = JSON.stringify(to);
      const still = from === undefined ? [] : [{ kind: 'claimed', key, value: from } as const];
      const plan = joinParts(mark, { preconditions: still, erased: [{ claims: [key] }], claims: [{ key, value }] });
      if (from !== value) await records.commit(systemWarrant('settle-ground'), plan);
      return value;
    };
    // Broken off, some of their items are as this file says: whatever the next one says, they are looked at.
    const left = Object.entries(former).filter(([one]) => !of.includes(one));
    const begun = of.length === 0 ? standing : await says(standing, Object.fromEntries(left));
    if (of.length > 0) await settleAll(deps, systemGrant('settle-ground', 'whole', clock.now()), { of }, run);
    await says(begun, said);
  };
}
