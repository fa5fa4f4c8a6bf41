/**
 * The server of MongoDB's protocol that the tests talk to: the replica set of PASSERELLE_TEST_MONGODB, or the peer
 * that install-mongodb-peer.sh installs, started on a free port over a folder of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { freePort } from '../free-port.ts';

const PROGRAM = fileURLToPath(new URL('../../../node_modules/.cache/mongodb-peer/bin/secantusd-py', import.meta.url));
const READY_WITHIN_MS = 20_000;

/** A running server. */
export type MongoPeer = {
  /** What answers, for the closing line of a run. */
  readonly name: string;
  /** A URI of a database that nobody used yet. */
  freshUri(): string;
  /** Drops the database of a URI, while the server goes on. */
  drop(uri: string): Promise<void>;
  /** Stops the server when it was started here, with all that it holds; elsewhere drops the database of the URI. */
  stop(uri?: string): Promise<void>;
};

/** Why there is no server to test against; undefined when there is one. */
export function whyNoMongoPeer(): string | undefined {
  if (process.env.PASSERELLE_TEST_MONGODB !== undefined || existsSync(PROGRAM)) return undefined;
  return 'no server: run test/support/peers/install-mongodb-peer.sh or set PASSERELLE_TEST_MONGODB';
}

/** Starts the server, or takes the one that is named; undefined, with the reason on stderr, when there is none. */
export async function startMongoPeer(): Promise<MongoPeer | undefined> {
  const reason = whyNoMongoPeer();
  if (reason !== undefined) {
    process.stderr.write(`MongoDB: skipped, ${reason}\n`);
    return undefined;
  }
  const named = process.env.PASSERELLE_TEST_MONGODB;
  return named === undefined ? await startInstalled() : peerAt(named, 'server of PASSERELLE_TEST_MONGODB');
}

async function startInstalled(): Promise<MongoPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-mongodb-'));
  const port = await freePort();
  const server = spawn(
    PROGRAM,
    [
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--storage-path',
      folder,
      '--sync-on-commit',
      '--enable-test-commands',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const kill = (): boolean => server.kill('SIGKILL');
  process.once('exit', kill);
  await listening(server);
  const peer = peerAt(`mongodb://127.0.0.1:${port}/?replicaSet=secantus`, 'SecantusDB');
  return {
    ...peer,
    async stop() {
      process.off('exit', kill);
      await ended(server);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function peerAt(base: string, name: string): MongoPeer {
  return {
    name,
    freshUri() {
      // Several hosts are no URL, so the database is put in by hand.
      return base.replace(/^([^/]+:\/\/[^/?]+)[^?]*/, `$1/passerelle-${randomUUID().slice(0, 18)}`);
    },
    async drop(uri) {
      const client = new MongoClient(uri);
      try {
        await client.db().dropDatabase();
      } finally {
        await client.close();
      }
    },
    async stop(uri) {
      if (uri !== undefined) await this.drop(uri);
    },
  };
}

/** Waits for the ready line, then reads on without keeping it, so that the pipe never fills. */
async function listening(server: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  const hear = (chunk: Buffer): void => {
    if (said.length < 10_000) said += chunk.toString();
    if (said.includes('listening on')) resolve();
  };
  server.stdout?.on('data', hear);
  server.stderr?.on('data', hear);
  server.once('error', reject);
  server.once('exit', () => reject(new Error(`The MongoDB test peer ended: ${said}`)));
  const timer = setTimeout(() => reject(new Error(`The MongoDB test peer is not ready: ${said}`)), READY_WITHIN_MS);
  await promise.finally(() => clearTimeout(timer));
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, 'exit');
  server.kill('SIGTERM');
  const timer = setTimeout(() => server.kill('SIGKILL'), 3_000);
  await exit.finally(() => clearTimeout(timer));
}
