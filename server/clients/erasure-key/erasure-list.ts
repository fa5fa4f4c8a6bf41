/**
 * The list of who was erased: lines of JSON in a file beside the key of erasures, outside the data, for whoever puts an
 * older copy of the data in place must not bring anybody back. Ids and digests are all that it tells. Lists of several
 * servers are put together line by line, in any order.
 */
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { Fault } from '../../../profiles/fault.ts';
import type { ErasureEntry } from '../../ports/erasure-key.ts';
import { syncFolderOf } from '../audit-anchor/whole-file.ts';

/** The file lies beside that of the key, under its name and this ending. */
const ENDING = '.erased';

/** The file of the list, by that of the key. */
export function erasureListFile(keyFile: string): string {
  return `${keyFile}${ENDING}`;
}

/** A line: an entry, and the thumbprint of the key that its digests are of. In the file they are one object. */
type Line = { readonly key: string; readonly entry: ErasureEntry };

/**
 * Reads all entries, earliest first, of an id the last one; none where there is no file yet. What a power cut left of a
 * line that was being added is passed over: nothing had been erased by it.
 * @throws {Fault} invalid - a line before the last holds no entry: somebody has changed the file
 * @throws {Fault} conflict - a line is of another key than this one (its thumbprint)
 */
export async function readErasures(path: string, key: string): Promise<readonly ErasureEntry[]> {
  const lines = await linesOf(path);
  if (lines.some((line) => line.key !== key))
    throw new Fault('conflict', `${path} is of another key of erasures: put that key back, or take the list away`);
  const last = new Map<string, ErasureEntry>(lines.map(({ entry }) => [entry.id, entry]));
  return [...last.values()].toSorted((one, other) => one.at - other.at);
}

async function linesOf(path: string): Promise<readonly Line[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new Fault('invalid', `The list of erasures at ${path} cannot be read`, { cause: error });
  });
  return text.split('\n').flatMap((line, at, { length }) => {
    if (line === '' || line === CUT) return [];
    const entry = parsed(line);
    if (entry !== undefined) return [entry];
    if (at === length - 1 || line.endsWith(CUT)) return [];
    throw new Fault('invalid', `Line ${at + 1} of the list of erasures at ${path} holds no entry`);
  });
}

// Ends what a power cut left, so that the entry after it stands on a line of its own.
const CUT = '#';

/** Adds an entry: it is on the disk when this resolves, and the file, where it is new, in its folder. */
export async function addErasure(path: string, entry: ErasureEntry, key: string): Promise<void> {
  const file = await open(path, 'a+', 0o600);
  try {
    await file.appendFile(`${await endOfLast(file)}${JSON.stringify({ ...entry, key })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolderOf(path);
}

/** What ends the last line: nothing, the end that an entry has lost, or the mark of what is none. */
async function endOfLast(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const { buffer } = await file.read(Buffer.alloc(1, '\n'), 0, Math.min(size, 1), Math.max(size - 1, 0));
  if (buffer.toString() === '\n') return '';
  const { buffer: all } = await file.read(Buffer.alloc(size), 0, size, 0);
  return parsed(all.toString().split('\n').at(-1) ?? '') === undefined ? `${CUT}\n` : '\n';
}

function parsed(line: string): Line | undefined {
  try {
    const { key, ...rest } = JSON.parse(line) as ErasureEntry & Pick<Line, 'key'>;
    const entry = rest as ErasureEntry;
    const isOne = typeof entry.id === 'string' && (entry.kind === 'erased' || entry.kind === 'readmitted');
    return isOne ? { key, entry } : undefined;
  } catch {
    return undefined;
  }
}
