/** The files below a folder, one after another: no list of them is made, however many there are. */
import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';

/** A file; `path` is bytes, for a name need not be text, and `name` is the path as text, to be read by people. */
export type WalkedFile = {
  readonly kind: 'file';
  readonly path: Buffer;
  readonly name: string;
  readonly size: number;
  readonly mtimeMs: number;
};

/** What is no file that can be read, and why. */
export type LeftOut = { readonly kind: 'unreadable' | 'skipped'; readonly name: string; readonly reason: string };

const MAX_DEPTH = 100;
const SLASH = Buffer.from('/');

/**
 * Walks a folder and those below it. Symbolic links are not followed: what they lead to inside is found anyway, and
 * what they lead to outside was not asked for. `except` is a folder that is left out.
 */
export async function* walkFiles(root: string, except?: string): AsyncGenerator<WalkedFile | LeftOut, void> {
  yield* walkFolder(Buffer.from(root), 0, except);
}

/**
 * Counts what {@link walkFiles} will give, about: what cannot be read counts as nothing. Undefined when the signal
 * ended it.
 */
export async function countFiles(root: string, signal: AbortSignal): Promise<number | undefined> {
  let count = 0;
  const folders: Buffer[] = [Buffer.from(root)];
  for (let folder = folders.pop(); folder !== undefined && !signal.aborted; folder = folders.pop()) {
    try {
      for await (const entry of await entriesOf(folder)) {
        if (entry.isDirectory()) folders.push(pathIn(folder, entry));
        else count += 1;
      }
    } catch {
      // The walk tells of it.
    }
  }
  return signal.aborted ? undefined : count;
}

async function* walkFolder(
  folder: Buffer,
  depth: number,
  except: string | undefined,
): AsyncGenerator<WalkedFile | LeftOut, void> {
  const name = folder.toString();
  if (name === except) return yield { kind: 'skipped', name, reason: 'it is the data folder of the server' };
  if (depth > MAX_DEPTH) return yield { kind: 'unreadable', name, reason: `more than ${MAX_DEPTH} folders deep` };
  try {
    for await (const entry of await entriesOf(folder)) yield* walkEntry(pathIn(folder, entry), entry, depth, except);
  } catch (error) {
    yield { kind: 'unreadable', name, reason: `the folder cannot be read (${codeOf(error)})` };
  }
}

async function* walkEntry(
  path: Buffer,
  entry: Dirent,
  depth: number,
  except: string | undefined,
): AsyncGenerator<WalkedFile | LeftOut, void> {
  const name = path.toString();
  if (entry.isDirectory()) return yield* walkFolder(path, depth + 1, except);
  if (entry.isSymbolicLink()) return yield { kind: 'skipped', name, reason: 'a symbolic link is not followed' };
  if (!entry.isFile()) return yield { kind: 'skipped', name, reason: 'neither file nor folder' };
  const found = await lstat(path).catch((error: unknown) => codeOf(error));
  if (typeof found === 'string')
    return yield { kind: 'unreadable', name, reason: `the file cannot be read (${found})` };
  yield { kind: 'file', path, name, size: found.size, mtimeMs: found.mtimeMs };
}

/** Latin-1 keeps each byte of a name as a letter. */
async function entriesOf(folder: Buffer): Promise<AsyncIterable<Dirent>> {
  return await opendir(folder, { encoding: 'latin1', bufferSize: 256 });
}

function pathIn(folder: Buffer, { name }: Dirent): Buffer {
  return Buffer.concat([folder, SLASH, Buffer.from(name, 'latin1')]);
}

/** The code of a system error, as ENOENT. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
