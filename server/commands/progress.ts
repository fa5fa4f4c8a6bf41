/** What a command shows while it works: a bar on a terminal, plain lines elsewhere. */
import type { Writable } from 'node:stream';

/** Where it is shown: a terminal has `isTTY`. */
export type Screen = Writable & { readonly isTTY?: boolean };

const BAR_WIDTH = 30;
const PLAIN_STEPS = 4;
const PLAIN_PAUSE_MS = 10_000;
const BAR_PAUSE_MS = 50;

/** Shows work that is counted. */
export class Progress {
  readonly #title: string;
  readonly #screen: Screen;
  #total: number | undefined;
  #told = 0;
  #toldAt = Date.now();

  /** `total` is left out while nobody knows it. */
  constructor(title: string, total: number | undefined, screen: Screen = process.stdout) {
    this.#title = title;
    this.#total = total;
    this.#screen = screen;
  }

  /** Says how much there is, now that it is known. */
  expect(total: number): void {
    this.#total = total;
  }

  /** Tells how much is done; `doing` names what is under way. */
  show(done: number, doing: string): void {
    const total = this.#total;
    const shown = `${done}/${total ?? '…'}`;
    if (this.#screen.isTTY === true) {
      if (done !== total && Date.now() - this.#toldAt < BAR_PAUSE_MS) return;
      this.#toldAt = Date.now();
      const filled =
        total === undefined || total === 0 ? 0 : Math.min(BAR_WIDTH, Math.round((done / total) * BAR_WIDTH));
      this.#screen.write(
        `\r\x1b[K  ${this.#title}  ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}  ${shown}  ${doing}`,
      );
    } else if (this.#isTimeForALine(done)) {
      this.#toldAt = Date.now();
      this.#screen.write(`  ${this.#title}  ${shown}\n`);
    }
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#screen.isTTY === true) this.#screen.write('\r\x1b[K');
  }

  /** At each quarter, and meanwhile every ten seconds. */
  #isTimeForALine(done: number): boolean {
    const step = this.#total === undefined || this.#total === 0 ? 0 : Math.floor((done / this.#total) * PLAIN_STEPS);
    if (step <= this.#told) return Date.now() - this.#toldAt >= PLAIN_PAUSE_MS;
    this.#told = step;
    return true;
  }
}
