/** Removes blobs that nothing refers to: what a crash left between a file and its row. */
import { systemGrant } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts } from '../write/plan-parts.ts';

/** What the flow needs. `olderThanMs` spares blobs that are being written. */
export type SweepImagesDeps = {
  readonly records: RecordStore;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly olderThanMs: number;
};

/** Asks for the job that sweeps. There is one: asked for again it moves. */
export function askForSweep({ records, clock }: Pick<SweepImagesDeps, 'records' | 'clock'>) {
  return async (): Promise<void> => {
    const jobs = [jobOf('sweep-images', 'images', clock.now())];
    await records.commit(systemWarrant('ask-for-work', 'sweep'), joinParts({ jobs }));
  };
}

/** Names looked at between two signs of life. */
const STEP = 10_000;

/** Makes the work of `sweep-images`; resolves with the number of blobs removed. */
export function sweepImages({ records, images, clock, olderThanMs }: SweepImagesDeps) {
  return async ({ goOn }: JobRun): Promise<number> => {
    // Names come first: a blob that gets its row meanwhile is then among the referred ones.
    const orphans = new Set<string>();
    for await (const name of images.names(olderThanMs)) {
      orphans.add(name);
      if (orphans.size % STEP === 0) await goOn();
    }
    if (orphans.size === 0) return 0;
    for await (const name of records.blobNames(systemGrant('sweep-images', 'whole', clock.now()))) orphans.delete(name);
    for (const name of orphans) await images.remove(name);
    return orphans.size;
  };
}
