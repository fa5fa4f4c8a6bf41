/** Pictures from the server: asked for once, the next ones ahead, the last ones kept. */
import type { SeriesOutline, Slice } from './outline.ts';

/** How a picture is shown: centre and width of a window that the reader chose, and the longest side in pixels. */
export type Look = { readonly window: readonly [number, number] | undefined; readonly side: number };

/** Why there is no picture. */
export type Trouble = 'absent' | 'expired' | 'offline' | 'unreadable';

/** A picture that could not be had. */
export class NoPicture extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble);
    this.trouble = trouble;
  }
}

/** Pictures that are kept decoded; a phone has little memory. */
const MOST_KEPT = 160;
/** Requests at a time beside the one that is looked at. */
const MOST_AHEAD = 3;
const AHEAD = 12;

const STATUS_TROUBLE: Readonly<Record<number, Trouble>> = { 401: 'expired', 403: 'expired', 404: 'absent' };

/** The pictures of a study. */
export class Pictures {
  readonly #root: string;
  readonly #kept = new Map<string, Promise<ImageBitmap>>();
  #ahead: readonly string[] = [];
  #running = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** The address of a picture. */
  addressOf(series: SeriesOutline, { instance, frame }: Slice, { window, side }: Look): string {
    const query = new URLSearchParams({ viewport: `${side},${side}` });
    if (window !== undefined) query.set('window', `${window[0]},${window[1]},linear`);
    return `${this.#root}/series/${series.uid}/instances/${instance.uid}/frames/${frame}/rendered?${query}`;
  }

  /** Whether a picture is there or on its way. */
  has(address: string): boolean {
    return this.#kept.has(address);
  }

  /** A picture. @throws {NoPicture} */
  async get(address: string): Promise<ImageBitmap> {
    const known = this.#kept.get(address) ?? load(address);
    this.#kept.delete(address);
    this.#kept.set(address, known);
    known.catch(() => this.#kept.delete(address));
    this.#forgetOldest();
    return await known;
  }

  /** Asks for those that will be looked at next, the nearest first; what was to come before is not asked for. */
  lookAhead(series: SeriesOutline, slices: readonly Slice[], at: number, step: 1 | -1, look: Look): void {
    const places = Array.from({ length: AHEAD }, (_, near) => at + step * (near + 1));
    const near = [...places, at - step, at - 2 * step].flatMap((place) => slices[place] ?? []);
    this.#ahead = near.map((slice) => this.addressOf(series, slice, look)).filter((address) => !this.has(address));
    this.#next();
  }

  #next(): void {
    while (this.#running < MOST_AHEAD) {
      const [address, ...rest] = this.#ahead;
      if (address === undefined) return;
      this.#ahead = rest;
      this.#running += 1;
      void this.get(address)
        .catch(() => undefined)
        .finally(() => {
          this.#running -= 1;
          this.#next();
        });
    }
  }

  #forgetOldest(): void {
    for (const address of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) return;
      this.#kept.delete(address);
    }
  }
}

async function load(address: string): Promise<ImageBitmap> {
  const response = await fetch(address, { headers: { Accept: 'image/jpeg' } }).catch(() => {
    throw new NoPicture('offline');
  });
  if (!response.ok) throw new NoPicture(STATUS_TROUBLE[response.status] ?? 'unreadable');
  const bytes = await response.blob().catch(() => {
    throw new NoPicture('offline');
  });
  return await createImageBitmap(bytes).catch(() => {
    throw new NoPicture('unreadable');
  });
}
