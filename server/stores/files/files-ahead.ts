/**
 * Files that are made before they are needed: making one and flushing its name costs more than most of what follows,
 * and several names of a folder are flushed at once. Those that nobody takes are removed long before the sweep would.
 */
import { dirname } from 'node:path';
import { unlink } from 'node:fs/promises';
import { BlobNames, pathOf } from './blob-name.ts';
import type { FileCalls } from './file-calls.ts';
import { syncFolder, type Folders } from './folders.ts';

/** An empty file whose name is on stable storage. */
export type NewFile = { readonly name: string; readonly path: string; readonly descriptor: number };

type Waiting = NewFile & { readonly since: number };

/** So many are made at a time, and more when fewer than half are left. */
const BATCH = 16;
/** Far less than the age from which a file without a row is swept. */
const LONGEST_WAIT_MS = 60_000;

/** The files that wait. */
export class FilesAhead {
  readonly #root: string;
  readonly #folders: Folders;
  readonly #calls: FileCalls;
  readonly #names = new BlobNames();
  #waiting: Waiting[] = [];
  /** Names of those that wait, and of those that are being made. */
  readonly #empty = new Set<string>();
  #making: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(root: string, folders: Folders, calls: FileCalls) {
    this.#root = root;
    this.#folders = folders;
    this.#calls = calls;
  }

  /** Takes one; makes it when none waits. */
  async take(): Promise<NewFile> {
    this.#dropLate();
    const file = this.#waiting.shift() ?? (await this.#make(1))[0];
    if (file === undefined) throw new Error('No file was made');
    this.#empty.delete(file.name);
    if (this.#waiting.length < BATCH / 2) this.#makeMore();
    return file;
  }

  /** Tells whether a name is of a file that nobody has taken. */
  has(name: string): boolean {
    return this.#empty.has(name);
  }

  /** Removes those that wait. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#making;
    await Promise.all(this.#waiting.splice(0).map(async (file) => await this.#remove(file)));
    clearTimeout(this.#timer);
  }

  #makeMore(): void {
    this.#making ??= this.#make(BATCH)
      .then((made) => void this.#waiting.push(...made))
      // Whoever needs a file makes it, and is told why it cannot be made.
      .catch(() => undefined)
      .finally(() => {
        this.#making = undefined;
        this.#watch();
      });
  }

  async #make(count: number): Promise<Waiting[]> {
    const made: Waiting[] = [];
    try {
      for (let left = count; left > 0; left -= 1) made.push(await this.#makeOne());
      const folders = new Set(made.map(({ path }) => dirname(path)));
      await Promise.all([...folders].flatMap((folder) => [syncFolder(folder), this.#folders.makeDurable(folder)]));
      return made;
    } catch (error) {
      await Promise.all(made.map(async (file) => await this.#remove(file)));
      throw error;
    }
  }

  async #makeOne(): Promise<Waiting> {
    const name = this.#names.next();
    const path = pathOf(this.#root, name);
    await this.#folders.make(dirname(path));
    this.#empty.add(name);
    try {
      return { name, path, descriptor: await this.#calls.create(path), since: Date.now() };
    } catch (error) {
      this.#empty.delete(name);
      throw error;
    }
  }

  /** A process that was suspended, or a clock that was set, must not make a file that the sweep may take. */
  #dropLate(): void {
    const isLate = ({ since }: Waiting): boolean => Math.abs(Date.now() - since) > LONGEST_WAIT_MS;
    const late = this.#waiting.filter(isLate);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter((file) => !isLate(file));
    for (const file of late) void this.#remove(file);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#dropLate();
      this.#watch();
    }, LONGEST_WAIT_MS + 1_000);
    this.#timer.unref();
  }

  /** Never throws: what cannot be removed now is swept later. */
  async #remove({ name, path, descriptor }: NewFile): Promise<void> {
    this.#empty.delete(name);
    await Promise.allSettled([this.#calls.close(descriptor), unlink(path)]);
  }
}
