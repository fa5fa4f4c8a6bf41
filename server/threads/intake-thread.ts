/**
 * The intake thread: DICOM associations and the bytes they bring. What has come goes to the main thread, which files it
 * when it is told that it is durable; a flood of images delays no other door, and no other door delays images.
 */
import { constants, setPriority } from 'node:os';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { holdRegion } from '../config/current-region.ts';
import type { Region } from '../config/region-model.ts';
import { dimseDoor } from '../endpoints/dimse/door.ts';
import type { FilingCalls, IntakeCalls } from '../endpoints/dimse/intake-calls.ts';
import { AssociationSlots, DIMSE_LIMITS, type DimseLimits } from '../endpoints/dimse/limits.ts';
import { listenDimse, type DimseListener } from '../endpoints/dimse/scp.ts';
import { followedIndex } from '../flows/identity/region-index.ts';
import { receiveBytes } from '../flows/intake/receive-bytes.ts';
import { openFileImages } from '../stores/files/image-store.ts';
import { talk } from './thread-talk.ts';

/** What the thread is started with. */
export type IntakeSettings = {
  readonly host: string;
  readonly calledAETitle: string;
  readonly limits: Partial<DimseLimits>;
  readonly dataDir: string;
  readonly region: Region;
};

async function run(port: MessagePort, { host, calledAETitle, limits, dataDir, region }: IntakeSettings): Promise<void> {
  yieldToReaders();
  const images = await openFileImages({ dataDir, ownThread: true });
  const held = holdRegion(region);
  const { domainOf } = followedIndex(held);
  const listeners: DimseListener[] = [];
  const { ask, tell } = talk<FilingCalls, IntakeCalls>(port, {
    listen: async ({ port: dimsePort, tls }) => {
      const listener = await listenDimse({ ...shared, port: dimsePort, ...(tls === undefined ? {} : { tls }) });
      listeners.push(listener);
      return listener.address;
    },
    region: async (next) => {
      held.replace(next);
      for (const listener of listeners) listener.recheck();
      return undefined;
    },
    close: async () => {
      await Promise.all(listeners.map((listener) => listener.close()));
      await images.close();
      return undefined;
    },
  });
  // Whatever their number, the doors have one limit of associations.
  const slots = new AssociationSlots({ ...DIMSE_LIMITS, ...limits });
  const shared = {
    host,
    calledAETitles: [calledAETitle],
    ...dimseDoor({
      aeTitles: () => held.now().aeTitles,
      receiveBytes: receiveBytes({
        images,
        patientIdSystemOf: (organization) => domainOf(organization).patientIdSystem,
      }),
      ask,
      tell,
    }),
    limits,
    slots,
  };
}

/**
 * Where cores are few, whoever reads goes first, and images come a little slower. Linux has a priority for each thread;
 * elsewhere it would be that of the whole server.
 * @see setpriority(2), C library/kernel differences
 */
function yieldToReaders(): void {
  const thisThread = 0;
  if (process.platform === 'linux') setPriority(thisThread, constants.priority.PRIORITY_BELOW_NORMAL);
}

if (parentPort !== null) await run(parentPort, workerData as IntakeSettings);
