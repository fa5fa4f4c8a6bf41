/** Whether a deflated data set is whole, told while its bytes pass by. @see DICOM PS3.5 A.5, RFC 1951 */
import { createInflateRaw } from 'node:zlib';
import { Fault } from '../../fault.ts';

/**
 * What may be inflated of any object; and of a larger one, so many bytes for each that came. More is a bomb, or an
 * empty mask.
 */
const ALWAYS_BYTES = 64 * 1024 * 1024;
const MOST_FOR_ONE = 32;

/** Inflates and forgets. It gives up on what inflates beyond bounds: that is neither refused nor told to be whole. */
export class InflationCheck {
  readonly #inflating = createInflateRaw();
  readonly #settled: Promise<Error | undefined>;
  #taken = 0;
  #inflated = 0;

  constructor() {
    const stream = this.#inflating;
    this.#settled = new Promise((resolve) => {
      stream.on('error', resolve).once('close', () => resolve(undefined));
    });
    // What follows the end of the deflate stream is padding, which nobody reads.
    stream.once('end', () => stream.destroy());
    stream.on('data', (part: Buffer) => this.#count(part.length));
  }

  /** Takes the next bytes; a promise holds the sender back. */
  take(chunk: Uint8Array): void | Promise<void> {
    const stream = this.#inflating;
    this.#taken += chunk.length;
    if (stream.destroyed || stream.write(chunk)) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done).off('close', done);
        resolve();
      };
      stream.on('drain', done).on('close', done);
    });
  }

  /** Looks at the end. @throws {Fault} invalid - the deflate stream has no end, or is none */
  async end(): Promise<void> {
    if (!this.#inflating.destroyed) this.#inflating.end();
    const cause = await this.#settled;
    if (cause !== undefined) throw new Fault('invalid', 'The deflated data set is cut or corrupt', { cause });
  }

  /** Ends without a look. */
  drop(): void {
    this.#inflating.destroy();
  }

  #count(length: number): void {
    this.#inflated += length;
    if (this.#inflated > Math.max(ALWAYS_BYTES, this.#taken * MOST_FOR_ONE)) this.#inflating.destroy();
  }
}
