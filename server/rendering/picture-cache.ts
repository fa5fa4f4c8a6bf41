/** Pictures that were rendered lately, within a number of bytes. A picture is found only by who was let see it. */
import type { Picture, RenderRequest } from '../ports/frame-renderer.ts';

/** The last pictures that were asked for. */
export class PictureCache {
  readonly #kept = new Map<string, { readonly name: string; readonly picture: Picture }>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): Picture | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found.picture;
  }

  /** Keeps a picture; those that nobody asked for since make room. One of more than a quarter of all is not kept. */
  set(key: string, { instance }: RenderRequest, picture: Picture): void {
    if (picture.bytes.length > this.#maxBytes / 4) return;
    this.#drop(key);
    this.#kept.set(key, { name: instance.blob.name, picture });
    this.#bytes += picture.bytes.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest);
    }
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
export function keyOf({ instance, frame, mediaType, viewport, window, quality }: RenderRequest): string {
  return JSON.stringify([instance.blob.name, frame, mediaType, viewport, window, quality]);
}
