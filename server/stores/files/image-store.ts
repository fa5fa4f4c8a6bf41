/**
 * The image store on a folder: one file a blob, in two levels of folders by the first letters of its random name.
 * Open to the account of the server alone.
 */
import { mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { Fault } from '../../../profiles/fault.ts';
import type { BlobReader, BlobWriter, ImageStore } from '../../ports/image-store.ts';
import { isBlobName, pathOf } from './blob-name.ts';
import { openBlobReader } from './blob-reader.ts';
import { FileBlobWriter, withoutSpace } from './blob-writer.ts';
import { BLOCKING_CALLS, WAITING_CALLS, type FileCalls } from './file-calls.ts';
import { FilesAhead } from './files-ahead.ts';
import { Folders, syncFolder } from './folders.ts';
import { GatherBuffers } from './gather-buffers.ts';

const READ_BYTES = 256 * 1024;
const FOLDER_NAME = /^[0-9a-f]{2}$/;

/** Where the store is. `ownThread`: the thread serves nothing else, so it may wait for the disk in its calls. */
export type FileImagesOptions = { readonly dataDir: string; readonly ownThread?: boolean };

/** Opens the store in `images` of the data folder; makes the folder when it is absent. */
export async function openFileImages({ dataDir, ownThread = false }: FileImagesOptions): Promise<ImageStore> {
  const root = join(dataDir, 'images');
  await mkdir(root, { recursive: true, mode: 0o700 });
  await syncFolder(dirname(root));
  return new FileImageStore(root, ownThread ? BLOCKING_CALLS : WAITING_CALLS);
}

class FileImageStore implements ImageStore {
  readonly #root: string;
  readonly #calls: FileCalls;
  readonly #ahead: FilesAhead;
  readonly #buffers: GatherBuffers;

  constructor(root: string, calls: FileCalls) {
    this.#root = root;
    this.#calls = calls;
    this.#buffers = new GatherBuffers(calls.gatheredBytes);
    this.#ahead = new FilesAhead(root, new Folders(root), calls);
  }

  async create(): Promise<BlobWriter> {
    try {
      return new FileBlobWriter(await this.#ahead.take(), this.#calls, this.#buffers);
    } catch (error) {
      throw withoutSpace(error);
    }
  }

  async open(name: string, start = 0, end = Infinity): Promise<Readable> {
    const handle = await this.#openExisting(name, async (path) => await open(path, 'r'));
    if (end > start) return handle.createReadStream({ start, end: end - 1, highWaterMark: READ_BYTES });
    await handle.close();
    return Readable.from([]);
  }

  async reader(name: string): Promise<BlobReader> {
    return await this.#openExisting(name, openBlobReader);
  }

  async *names(olderThanMs: number): AsyncIterable<string> {
    const latest = Date.now() - olderThanMs;
    for (const folder of await this.#innerFolders()) {
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        if (!isBlobName(name) || path !== pathOf(this.#root, name) || this.#ahead.has(name)) continue;
        if (await isOlder(path, latest)) yield name;
      }
    }
  }

  async remove(name: string): Promise<void> {
    if (!isBlobName(name)) return;
    await unlink(pathOf(this.#root, name)).catch(ignoreAbsent);
  }

  async close(): Promise<void> {
    await this.#ahead.close();
  }

  async #openExisting<T>(name: string, openPath: (path: string) => Promise<T>): Promise<T> {
    if (!isBlobName(name)) throw notFound();
    try {
      return await openPath(pathOf(this.#root, name));
    } catch (error) {
      ignoreAbsent(error);
      throw notFound();
    }
  }

  /** At most 65,536 paths. */
  async #innerFolders(): Promise<string[]> {
    const folders: string[] = [];
    for (const outer of await foldersIn(this.#root)) folders.push(...(await foldersIn(outer)));
    return folders;
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && FOLDER_NAME.test(entry.name))
    .map(({ name }) => join(folder, name));
}

async function isOlder(path: string, latest: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs <= latest;
  } catch (error) {
    ignoreAbsent(error);
    return false;
  }
}

function ignoreAbsent(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
  throw error;
}

function notFound(): Fault {
  return new Fault('not-found', 'No stored bytes have this name');
}
