/** A server whose data folder is a small disk of its own: a tmpfs in a mount namespace that goes away with it. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startServer, type TestServer } from '../support/server.ts';

/** The server and its disk. */
export type SmallDisk = {
  readonly server: TestServer;
  /** Copies the data folder to where SQLite can open it: it follows the links of /proc out of the namespace. */
  copy(): Promise<string>;
  /** Fills the disk of the data folder up to some bytes. */
  fill(bytesLeft: number): Promise<void>;
  /** Takes the filling away. */
  free(): Promise<void>;
  remove(): Promise<void>;
};

const ISOLATED = ['--user', '--map-root-user', '--mount'];
const MOUNT = 'mount -t tmpfs -o size=48m tmpfs "$0"';
const IMAGES_APART = 'mkdir "$0/images" && mount -t tmpfs -o size=48m tmpfs "$0/images"';

/** Why there can be no small disk here; undefined when there can. */
export async function whyNoSmallDisk(): Promise<string | undefined> {
  try {
    await promisify(execFile)('unshare', [...ISOLATED, 'sh', '-c', `${MOUNT} && true`, tmpdir()]);
    return undefined;
  } catch (error) {
    return `unshare cannot mount: ${String(error)}`;
  }
}

/** Starts a server on a disk of 48 MiB. With `imagesApart` the images have another disk, that `fill` does not fill. */
export async function startOnSmallDisk({ imagesApart = false } = {}): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-disk-'));
  const copies: string[] = [];
  const script = `${MOUNT} && ${imagesApart ? `${IMAGES_APART} && ` : ''}exec "$@"`;
  const server = await startServer({ dataDir: folder, under: ['unshare', ...ISOLATED, 'sh', '-c', script, folder] });
  const dataDir = `/proc/${server.pid}/root${folder}`;
  const filling = join(dataDir, 'filling');
  return {
    server,
    copy: async () => {
      const copied = await mkdtemp(join(tmpdir(), 'passerelle-copy-'));
      copies.push(copied);
      await cp(dataDir, copied, { recursive: true, filter: (path) => !/filling$|\.sock$/.test(path) });
      return copied;
    },
    fill: async (bytesLeft) => {
      const { bavail, bsize } = await statfs(dataDir);
      // The server may take the rest meanwhile.
      await writeFile(filling, Buffer.alloc(Math.max(0, bavail * bsize - bytesLeft))).catch(ignoreFull);
    },
    free: async () => await rm(filling),
    remove: async () => {
      await server.stop();
      for (const made of [folder, ...copies]) await rm(made, { recursive: true, force: true });
    },
  };
}

function ignoreFull(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
}
