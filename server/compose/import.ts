/**
 * What `npm run import` works on: it takes the bytes of files itself, as the intake thread does, and has them filed by
 * the running server of the data folder, or by flows of its own when no server runs.
 */
import { stat } from 'node:fs/promises';
import { Fault, toFault } from '../../profiles/fault.ts';
import { composeStopped } from './compose.ts';
import { importPlaceOf } from './control.ts';
import { configFrom } from '../config/config.ts';
import type { Environment } from '../config/env.ts';
import { converse, type Conversation } from '../control/caller.ts';
import type { ImportedFile, ImportPlace, ImportProgress } from '../control/import-lines.ts';
import { receiveBytes, type UnfiledInstance } from '../flows/intake/receive-bytes.ts';
import { openLog } from '../log.ts';
import { openFileImages } from '../stores/files/image-store.ts';

/**
 * Where files are filed. `isRunning`: by a server, which also derives exams from them; else that waits for its start.
 */
export type ImportDesk = {
  readonly place: ImportPlace;
  readonly isRunning: boolean;
  /** Why nothing can be filed any more, once that is so. */
  gone(): Fault | undefined;
  /** Opens the receiving of a file's bytes. */
  readonly receiveBytes: ReturnType<typeof receiveBytes>;
  /**
   * Files what is durable; tells what became of it. @throws {Fault} whatever refused it; transient - the server has
   * gone
   */
  file(unfiled: UnfiledInstance): Promise<string>;
  /** Records that a file was refused while it was read. */
  refused(fault: Fault): Promise<void>;
  /** Records what was imported. */
  ended(): Promise<void>;
  close(): Promise<void>;
};

type Filing = Omit<ImportDesk, 'receiveBytes'>;

/**
 * Opens an import for the establishment that is called so.
 * @throws {Fault} not-found, conflict - not one establishment is; no server and no data folder; another command has the
 * lock
 * @throws {Fault} forbidden - the data folder is another account's: its server could not read what this one writes
 */
export async function openImport(
  environment: Environment,
  dataDir: string,
  establishment: string,
): Promise<ImportDesk> {
  await requireOwner(dataDir);
  const filing = (await filingByServer(dataDir, establishment)) ?? (await filingHere(environment, establishment));
  const images = await openFileImages({ dataDir });
  return {
    ...filing,
    receiveBytes: receiveBytes({ images, patientIdSystemOf: () => filing.place.patientIdSystem }),
    close: async () => {
      await images.close();
      await filing.close();
    },
  };
}

/** An administrator may open the socket and the folder, but the files would be theirs. */
async function requireOwner(dataDir: string): Promise<void> {
  const owner = await stat(dataDir).then(
    ({ uid }) => uid,
    () => undefined,
  );
  const own = process.getuid?.();
  if (owner === undefined || own === undefined || owner === own) return;
  throw new Fault('forbidden', `${dataDir} belongs to the account with the number ${owner}: run the command under it`);
}

async function filingHere(environment: Environment, establishment: string): Promise<Filing> {
  const config = configFrom(environment);
  const { flows, region, close } = await composeStopped(config, openLog({ level: config.logLevel }));
  try {
    const place = importPlaceOf(config, region, establishment);
    const importing = flows.receiveImport(place.organization);
    return { ...importing, place, isRunning: false, gone: () => undefined, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Waiting = { readonly resolve: (outcome: string) => void; readonly reject: (fault: Fault) => void };

/** A server that ends fails what waits for it. */
async function filingByServer(dataDir: string, organization: string): Promise<Filing | undefined> {
  const waiting = new Map<number, Waiting>();
  const begun = Promise.withResolvers<ImportPlace>();
  const heard = (progress: ImportProgress): void => {
    if ('begun' in progress) return begun.resolve(progress.begun);
    const { resolve, reject } = waiting.get(progress.number) ?? {};
    waiting.delete(progress.number);
    if ('fault' in progress) reject?.(new Fault(progress.fault.kind, progress.fault.message));
    else resolve?.(progress.outcome);
  };
  const server = await converse({
    dataDir,
    command: 'import',
    args: { organization },
    onProgress: (progress) => heard(progress as ImportProgress),
  });
  if (server === undefined) return undefined;
  let gone: Fault | undefined;
  server.answer.catch((error: unknown) => {
    begun.reject(toFault(error));
    gone = new Fault('transient', 'The server has ended: start the import again when it runs', { cause: error });
    for (const { reject } of waiting.values()) reject(gone);
  });
  return filingOf(server, await begun.promise, waiting, () => gone);
}

function filingOf(
  server: Conversation,
  place: ImportPlace,
  waiting: Map<number, Waiting>,
  gone: () => Fault | undefined,
): Filing {
  let last = 0;
  const say = async (file: ImportedFile): Promise<void> => {
    const fault = gone();
    if (fault !== undefined) throw fault;
    await server.say(file);
  };
  return {
    place,
    isRunning: true,
    gone,
    file: async (unfiled) => {
      const number = (last += 1);
      const outcome = Promise.withResolvers<string>();
      // It may come before all has been said.
      outcome.promise.catch(() => undefined);
      waiting.set(number, outcome);
      await say({ number, unfiled });
      return await outcome.promise;
    },
    refused: async ({ kind, message }) => await say({ number: (last += 1), refused: { kind, message } }),
    ended: async () => {
      server.end();
      await server.answer;
    },
    close: async () => server.close(),
  };
}
