/**
 * Pictures that were rendered lately, within a number of bytes and of minutes. Whoever is shown one was let see it by a
 * decision of the same moment; what another server erased meanwhile is gone when its minutes are.
 */
import { MEDIA_TYPE } from '../../profiles/codes.ts';
import type { DocumentRequest, Picture, RenderRequest } from '../ports/frame-renderer.ts';

type Kept = { readonly name: string; readonly picture: Picture; readonly until: number };

/** How long a picture is kept, in milliseconds. */
const LASTS_MS = 600_000;

/** The last pictures that were asked for. */
export class PictureCache {
  readonly #kept = new Map<string, Kept>();
  readonly #maxBytes: number;
  readonly #now: () => number;
  #bytes = 0;

  /** `now` is a clock that never goes back, in milliseconds. */
  constructor(maxBytes: number, now: () => number = () => performance.now()) {
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** The bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Picture | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found.picture;
  }

  /**
   * Keeps a picture; those that nobody asked for since make room. One of more than a quarter of all is not kept, nor
   * are pixels, which are asked for once.
   */
  set(key: string, { instance }: Pick<RenderRequest, 'instance'>, picture: Picture): void {
    if (picture.mediaType === MEDIA_TYPE.octets || picture.bytes.length > this.#maxBytes / 4) return;
    this.#drop(key);
    this.#kept.set(key, { name: instance.blob.name, picture, until: this.#now() + LASTS_MS });
    this.#bytes += picture.bytes.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest);
    }
  }

  /** Drops what is older than it may be. */
  sweep(): void {
    const now = this.#now();
    for (const [key, { until }] of this.#kept) if (until <= now) this.#drop(key);
  }

  /** Drops the pictures of blobs. */
  forget(names: ReadonlySet<string>): void {
    for (const [key, { name }] of this.#kept) if (names.has(name)) this.#drop(key);
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.picture.bytes.length ?? 0;
    this.#kept.delete(key);
  }
}

/** What tells pictures apart. The name of a blob is random, and its bytes never change. */
export function keyOf(request: RenderRequest | DocumentRequest): string {
  if ('document' in request) return JSON.stringify([request.instance.blob.name, request.document]);
  const { instance, frame, mediaType, viewport, window, quality } = request;
  return JSON.stringify([instance.blob.name, frame, mediaType, viewport, window, quality]);
}
