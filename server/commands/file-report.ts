/**
 * What became of each file of a folder: counted, told in the end, and written whole to a file where that is asked for.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { Fault } from '../../profiles/fault.ts';

/** What became of a file. `unreadable` and `refused` need someone to look at them; `skipped` is no DICOM object. */
export type Fate = 'refused' | 'unreadable' | 'skipped' | 'warning';

const TOLD: readonly (readonly [Fate, string])[] = [
  ['refused', 'refused'],
  ['unreadable', 'not readable'],
  ['warning', 'stored with a warning'],
  ['skipped', 'skipped'],
];
const MOST_NAMED = 100;
const OWNER_ONLY = 0o600;

/** Counts files by what became of them, and names those that need a reason. */
export class FileReport {
  readonly #counts = new Map<string, number>();
  readonly #named = new Map<Fate, string[]>();
  readonly #file: WriteStream | undefined;
  readonly #startedAt = Date.now();
  #failed: Error | undefined;
  #written = 0;

  private constructor(file: WriteStream | undefined) {
    this.#file = file;
    file?.on('error', (error) => (this.#failed = error));
  }

  /** Opens a report; `path` names the JSON file, which must not exist. @throws {Fault} invalid - it cannot be made */
  static async open(path: string | undefined): Promise<FileReport> {
    if (path === undefined) return new FileReport(undefined);
    const file = createWriteStream(path, { flags: 'wx', mode: OWNER_ONLY });
    await once(file, 'open').catch((cause: NodeJS.ErrnoException) => {
      throw new Fault(
        'invalid',
        `The report ${path} cannot be made (${cause.code}): name a file that is not there yet`,
        { cause },
      );
    });
    file.write('{"files":[');
    return new FileReport(file);
  }

  /** How many files were told of. */
  get done(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Whether a file needs someone to look at it. */
  get hasFailures(): boolean {
    return this.#counts.has('refused') || this.#counts.has('unreadable');
  }

  /** Counts a file that went well. */
  count(outcome: string): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }

  /** Counts a file and names it with a reason. */
  name(fate: Fate, path: string, reason: string): void {
    this.count(fate);
    const named = this.#named.get(fate) ?? [];
    this.#named.set(fate, named);
    if (named.length < MOST_NAMED) named.push(`  ${printable(path)}: ${printable(reason)}`);
    this.#file?.write(`${this.#written === 0 ? '' : ','}\n${JSON.stringify({ path, fate, reason })}`);
    this.#written += 1;
  }

  /** The report as text, failures first; `outcomes` are the words for what went well. */
  text(outcomes: readonly (readonly [outcome: string, words: string])[]): string {
    const seconds = (Date.now() - this.#startedAt) / 1000;
    const words = new Map([...outcomes, ...TOLD]);
    const counts = [...words].flatMap(([outcome, told]) =>
      this.#counts.has(outcome) ? [`${this.#counts.get(outcome)} ${told}`] : [],
    );
    const lists = TOLD.flatMap(([fate, told]) => {
      const named = this.#named.get(fate) ?? [];
      const more = (this.#counts.get(fate) ?? 0) - named.length;
      return named.length === 0
        ? []
        : [`${told}:`, ...named, ...(more > 0 ? [`  and ${more} more: --report FILE names all`] : [])];
    });
    return `${[...lists, `${counts.join(', ') || 'no files'} in ${seconds.toFixed(1)} s`].join('\n')}\n`;
  }

  /** Ends the JSON file. @throws {Fault} no-store - it could not be written */
  async close(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    file.end(`\n],"counts":${JSON.stringify(Object.fromEntries(this.#counts))}}\n`);
    if (this.#failed === undefined) await once(file, 'close').catch((error: Error) => (this.#failed = error));
    if (this.#failed !== undefined)
      throw new Fault('no-store', `The report could not be written: ${this.#failed.message}`, { cause: this.#failed });
  }
}

/** A name may hold anything but must not steer a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
