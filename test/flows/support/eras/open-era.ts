/** A server on data that an earlier server wrote: a copy of an era of `fixtures/upgrade`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unpackDataFolder } from '../../../../fixtures/upgrade/data-folder.ts';
import { importDatabase } from '../../../../fixtures/upgrade/database.ts';
import type { Expected } from '../../../../fixtures/upgrade/expected.ts';
import { startMongoPeer } from '../../../support/peers/mongodb-peer.ts';
import { startServer, type TestServer } from '../../../support/server.ts';

const FOLDER = fileURLToPath(new URL('../../../../fixtures/upgrade/', import.meta.url));

const ADOPTING = fileURLToPath(new URL('adopt-process.ts', import.meta.url));

/** The eras, by name. */
export const ERAS: readonly string[] = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted();

/** The server, where its records are (`sqlite`, or the URI of a MongoDB database), and what must be found. */
export type UpgradedServer = {
  readonly server: TestServer;
  readonly store: string;
  readonly expected: Expected;
  close(): Promise<void>;
};

/**
 * Copies an era as it was written on a store, and starts the server on it; `killed` after others which were killed at
 * each step of adopting its identities.
 */
export async function openEra(era: string, kind: 'sqlite' | 'mongodb', killed = false): Promise<UpgradedServer> {
  const from = join(FOLDER, era, kind);
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-upgrade-'));
  const closing: (() => Promise<unknown>)[] = [async () => await rm(dataDir, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed()) await step();
  };
  try {
    await unpackDataFolder(join(from, 'files'), dataDir);
    const store = kind === 'sqlite' ? kind : await importedAt(join(from, 'database.json.gz'), closing);
    if (killed) await killAtEachStep(kind === 'sqlite' ? dataDir : store);
    const server = await startServer({ store, dataDir });
    closing.push(async () => await server.stop());
    const expected = JSON.parse(await readFile(join(from, 'expected.json'), 'utf8')) as Expected;
    return { server, store, expected, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Lets processes adopt identities one after the other, each killed one step later than the former, until one ends. */
async function killAtEachStep(place: string): Promise<void> {
  for (let steps = 1; ; steps += 1) {
    const child = spawn(process.execPath, [ADOPTING, place, String(steps)], { stdio: ['ignore', 'ignore', 'inherit'] });
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (signal === 'SIGKILL') continue;
    if (code !== 0 || steps === 1) throw new Error(`Process ${steps} ended with ${code}`);
    return;
  }
}

/** Imports a database into a test server; the URI of it. */
async function importedAt(file: string, closing: (() => Promise<unknown>)[]): Promise<string> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const uri = peer.freshUri();
  closing.push(async () => await peer.stop(uri));
  await importDatabase(file, uri);
  return uri;
}
