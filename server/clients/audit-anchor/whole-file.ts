/** Small files that are there whole or not at all, after a power cut, too. */
import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Puts a file in place of the one that stands: whoever reads finds the former content or the new one. */
export async function replaceFile(path: string, content: string): Promise<void> {
  await writeBeside(path, content, async (made) => await rename(made, path));
}

/** Makes a file where none stands; resolves false when one does. */
export async function makeFile(path: string, content: string): Promise<boolean> {
  let isMade = true;
  await writeBeside(path, content, async (made) => {
    await link(made, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      isMade = false;
    });
  });
  return isMade;
}

/** Writes and syncs the content under a name of its own, has it put in place, and syncs the folder. */
async function writeBeside(path: string, content: string, place: (made: string) => Promise<void>): Promise<void> {
  const made = `${path}.${randomUUID()}`;
  try {
    await withFile(made, 'wx', async (file) => {
      await file.writeFile(content);
      await file.sync();
    });
    await place(made);
  } finally {
    await rm(made, { force: true });
  }
  await syncFolderOf(path);
}

/** Makes durable that a file is in its folder. */
export async function syncFolderOf(path: string): Promise<void> {
  await withFile(dirname(path), 'r', async (folder) => await folder.sync());
}

type Opened = Awaited<ReturnType<typeof open>>;

async function withFile(path: string, flags: 'r' | 'wx', work: (file: Opened) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await work(file);
  } finally {
    await file.close();
  }
}
