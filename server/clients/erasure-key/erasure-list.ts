/**
 * The list of who was erased: lines of JSON in a file beside the key of erasures, outside the data, for whoever puts an
 * older copy of the data in place must not bring anybody back. Digests are all that it tells.
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

/**
 * Reads all entries; none where there is no file yet. What a power cut left of a line that was being added is passed
 * over: nothing had been erased by it.
 * @throws {Fault} invalid - a line before the last holds no entry: somebody has changed the file
 */
export async function readErasures(path: string): Promise<readonly ErasureEntry[]> {
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
export async function addErasure(path: string, entry: ErasureEntry): Promise<void> {
  const file = await open(path, 'a+', 0o600);
  try {
    const begin = (await endsWhole(file)) ? '' : `${CUT}\n`;
    await file.appendFile(`${begin}${JSON.stringify(entry)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolderOf(path);
}

async function endsWhole(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === '\n';
}

function parsed(line: string): ErasureEntry | undefined {
  try {
    const entry = JSON.parse(line) as ErasureEntry;
    const isOne = typeof entry.id === 'string' && (entry.kind === 'erased' || entry.kind === 'readmitted');
    return isOne ? entry : undefined;
  } catch {
    return undefined;
  }
}
