/** The folders of the store, made when first needed and as durable as the files in them. */
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Flushes the names in a folder to stable storage. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folder; NTFS journals names on its own.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Folders below a root that exists. */
export class Folders {
  readonly #root: string;
  // A folder that is found may have been made just before a power cut, so each is flushed once a process.
  readonly #durable = new Map<string, Promise<void>>();
  #made = '';

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes a folder and those above it, once as long as it is the last that was made. */
  async make(folder: string): Promise<void> {
    if (folder === this.#made) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#made = folder;
  }

  /** Flushes the name of a folder and of those above it, up to the root. */
  async makeDurable(folder: string): Promise<void> {
    if (folder === this.#root) return;
    await Promise.all([this.#syncParent(folder), this.makeDurable(dirname(folder))]);
  }

  async #syncParent(folder: string): Promise<void> {
    const known = this.#durable.get(folder) ?? syncFolder(dirname(folder));
    this.#durable.set(folder, known);
    try {
      await known;
    } catch (error) {
      this.#durable.delete(folder);
      throw error;
    }
  }
}
