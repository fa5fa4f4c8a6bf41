/**
 * Pictures from the server: asked for once, the next ones ahead, the last ones kept. What nobody waits for any more is
 * broken off, so that on a slow network the picture that is looked at comes first.
 */
import type { SeriesOutline, Slice } from './outline.ts';

/** How a picture is shown: centre and width of a window that the reader chose, and the longest side in pixels. */
export type Look = { readonly window: readonly [number, number] | undefined; readonly side: number };

/** Why there is no picture. */
export type Trouble = 'absent' | 'busy' | 'expired' | 'offline' | 'unreadable';

/** A picture that could not be had. */
export class NoPicture extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble);
    this.trouble = trouble;
  }
}

/** Waiting for a picture: `leave` once it is not wanted any more. */
export type Waiting = { readonly picture: Promise<ImageBitmap>; leave(): void };

/** A picture under way, and how many wait for it. */
type Coming = { readonly picture: Promise<ImageBitmap>; readonly abort: AbortController; waiting: number };

/** Pixels that are kept decoded, at four bytes each; a phone has little memory. */
const MOST_PIXELS = 48 * 1024 * 1024;
/** The larger side, in pixels, of an image that is asked for in a finer quality: of JPEG, 1 to 100. */
const SMALL_IMAGE = 256;
const FINE = '98';
/** Requests at a time beside the one that is looked at. */
const MOST_AHEAD = 3;
const AHEAD = 12;
const BEHIND = 2;

const STATUS_TROUBLE: Readonly<Record<number, Trouble>> = {
  401: 'expired',
  404: 'absent',
  429: 'busy',
  502: 'busy',
  503: 'busy',
  504: 'busy',
};

/** The pictures of a study. */
export class Pictures {
  readonly #root: string;
  /** The one that was looked at last stands last. */
  readonly #kept = new Map<string, ImageBitmap>();
  readonly #coming = new Map<string, Coming>();
  readonly #running = new Map<string, Waiting>();
  #ahead: readonly string[] = [];
  #pixels = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** The address of a picture. */
  addressOf(series: SeriesOutline, { instance, frame }: Slice, { window, side }: Look): string {
    const query = new URLSearchParams({ viewport: `${side},${side}` });
    if (window !== undefined) query.set('window', `${window[0]},${window[1]},linear`);
    // It is drawn larger than it is, where traces of compression would show, and weighs little.
    if (Math.max(instance.columns, instance.rows) <= SMALL_IMAGE) query.set('quality', FINE);
    return `${this.#root}/series/${series.uid}/instances/${instance.uid}/frames/${frame}/rendered?${query}`;
  }

  /** A picture that is there. */
  kept(address: string): ImageBitmap | undefined {
    const picture = this.#kept.get(address);
    if (picture === undefined) return undefined;
    this.#kept.delete(address);
    this.#kept.set(address, picture);
    return picture;
  }

  /** Waits for a picture, which is rejected with {@link NoPicture}. */
  waitFor(address: string): Waiting {
    const kept = this.kept(address);
    if (kept !== undefined) return { picture: Promise.resolve(kept), leave: () => undefined };
    const coming = this.#coming.get(address) ?? this.#ask(address);
    coming.waiting += 1;
    let isWaiting = true;
    return {
      picture: coming.picture,
      leave: () => {
        if (!isWaiting) return;
        isWaiting = false;
        coming.waiting -= 1;
        if (coming.waiting === 0 && this.#coming.get(address) === coming) coming.abort.abort();
      },
    };
  }

  /** Breaks off what comes ahead, for something is looked at that is not there yet. */
  makeWay(): void {
    this.#ahead = [];
    for (const waiting of this.#running.values()) waiting.leave();
  }

  /** Asks for those that will be looked at next, the nearest first; what was to come before is not asked for. */
  lookAhead(series: SeriesOutline, slices: readonly Slice[], at: number, step: 1 | -1, look: Look): void {
    const places = [
      ...Array.from({ length: AHEAD }, (_, near) => at + step * (near + 1)),
      ...Array.from({ length: BEHIND }, (_, near) => at - step * (near + 1)),
    ];
    const near = places.flatMap((place) => slices[place] ?? []).map((slice) => this.addressOf(series, slice, look));
    for (const [address, waiting] of this.#running) if (!near.includes(address)) waiting.leave();
    this.#ahead = near.filter((address) => !this.#kept.has(address) && !this.#running.has(address));
    this.#next();
  }

  #next(): void {
    while (this.#running.size < MOST_AHEAD) {
      const [address, ...rest] = this.#ahead;
      if (address === undefined) return;
      this.#ahead = rest;
      const waiting = this.waitFor(address);
      this.#running.set(address, waiting);
      void waiting.picture
        // Who looks at it later is told; a network that is gone is not asked for more.
        .catch((error: unknown) => void (isLasting(error) && (this.#ahead = [])))
        .finally(() => {
          this.#running.delete(address);
          this.#next();
        });
    }
  }

  #ask(address: string): Coming {
    const abort = new AbortController();
    const coming: Coming = { picture: load(address, abort.signal), abort, waiting: 0 };
    this.#coming.set(address, coming);
    coming.picture
      .then((picture) => this.#keep(address, picture))
      .catch(() => undefined)
      .finally(() => this.#forget(address, coming));
    // What was broken off may be asked for again before its end is heard.
    abort.signal.addEventListener('abort', () => this.#forget(address, coming));
    return coming;
  }

  #forget(address: string, coming: Coming): void {
    if (this.#coming.get(address) === coming) this.#coming.delete(address);
  }

  #keep(address: string, picture: ImageBitmap): void {
    this.#kept.set(address, picture);
    this.#pixels += picture.width * picture.height;
    for (const [oldest, { width, height }] of this.#kept) {
      if (this.#pixels <= MOST_PIXELS || oldest === address) return;
      this.#kept.delete(oldest);
      this.#pixels -= width * height;
    }
  }
}

function isLasting(error: unknown): boolean {
  return error instanceof NoPicture && ['expired', 'offline'].includes(error.trouble);
}

async function load(address: string, signal: AbortSignal): Promise<ImageBitmap> {
  const response = await fetch(address, { headers: { Accept: 'image/jpeg' }, signal }).catch(() => {
    throw lost(signal);
  });
  if (!response.ok) throw new NoPicture(STATUS_TROUBLE[response.status] ?? 'unreadable');
  const bytes = await response.blob().catch(() => {
    throw lost(signal);
  });
  return await createImageBitmap(bytes).catch(() => {
    throw new NoPicture('unreadable');
  });
}

/** What is said of a request that got no answer: who broke it off waits for none. */
function lost({ aborted, reason }: AbortSignal): unknown {
  return aborted ? reason : new NoPicture('offline');
}
