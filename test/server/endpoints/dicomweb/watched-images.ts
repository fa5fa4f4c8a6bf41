/** The image store of a clinic, with a count of what is asked of it. */
import type { ImageStore } from '../../../../server/ports/image-store.ts';

/** Files that were opened and closed, and bytes that were read through readers. */
export type ImageCounts = { opened: number; closed: number; read: number };

/** Watches a store; the counts go on while it is used. */
export function watchImages(images: ImageStore): { readonly images: ImageStore; readonly counts: ImageCounts } {
  const counts: ImageCounts = { opened: 0, closed: 0, read: 0 };
  const count = (length: number): number => ((counts.read += length), length);
  const watched: ImageStore = {
    create: images.create.bind(images),
    names: images.names.bind(images),
    remove: images.remove.bind(images),
    close: images.close.bind(images),
    open: async (...range) => {
      counts.opened += 1;
      return (await images.open(...range)).once('close', () => (counts.closed += 1));
    },
    reader: async (name) => {
      counts.opened += 1;
      const reader = await images.reader(name);
      return {
        read: (target, position) => {
          const length = reader.read(target, position);
          return typeof length === 'number' ? count(length) : length.then(count);
        },
        close: async () => await reader.close().finally(() => (counts.closed += 1)),
      };
    },
  };
  return { images: watched, counts };
}
