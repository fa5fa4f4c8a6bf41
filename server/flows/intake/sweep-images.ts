/** Removes blobs that nothing refers to: what a crash left between a file and its row. */
import { systemGrant } from '../../access/grant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';

/** What the flow needs. `olderThanMs` spares blobs that are being written. */
export type SweepImagesDeps = {
  readonly records: RecordStore;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly olderThanMs: number;
};

/** Sweeps; resolves with the number of blobs removed. */
export function sweepImages({ records, images, clock, olderThanMs }: SweepImagesDeps) {
  return async (): Promise<number> => {
    // Names come first: a blob that gets its row meanwhile is then among the referred ones.
    const orphans = new Set<string>();
    for await (const name of images.names(olderThanMs)) orphans.add(name);
    if (orphans.size === 0) return 0;
    for await (const name of records.blobNames(systemGrant('sweep-images', clock.now()))) orphans.delete(name);
    for (const name of orphans) await images.remove(name);
    return orphans.size;
  };
}
