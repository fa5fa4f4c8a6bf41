/** Cine: the pictures of a pane, one after the other. */
import type { Pane } from './pane.ts';

/** Plays a pane; where a picture is late the next one waits for it, and where none comes it stops. */
export class Cine {
  /** Told when it starts and when it stops. */
  onChanged: () => void = () => undefined;
  #timer: number | undefined;

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts at so many pictures a second, or stops. */
  toggle(pane: () => Pane, perSecond: () => number): void {
    if (this.isRunning) return this.stop();
    const step = async (): Promise<void> => {
      const began = performance.now();
      const playing = pane();
      await playing.goTo(playing.at + 1 < playing.count ? playing.at + 1 : 0);
      if (this.#timer === undefined) return;
      if (playing.trouble !== undefined) return this.stop();
      const pause = Math.max(0, 1000 / perSecond() - (performance.now() - began));
      this.#timer = window.setTimeout(() => void step(), pause);
    };
    this.#timer = window.setTimeout(() => void step(), 0);
    this.onChanged();
  }

  stop(): void {
    window.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.onChanged();
  }
}
