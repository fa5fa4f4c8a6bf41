/** The store of images, for a server that renders: what is removed from it is not shown from memory either. */
import type { FrameRenderer } from '../ports/frame-renderer.ts';
import type { ImageStore } from '../ports/image-store.ts';

/** Makes the store tell the renderer of every blob that goes. */
export function forgettingImages(images: ImageStore, renderer: Pick<FrameRenderer, 'forget'>): ImageStore {
  return {
    create: async () => await images.create(),
    open: async (...place) => await images.open(...place),
    reader: async (name) => await images.reader(name),
    names: (olderThanMs) => images.names(olderThanMs),
    remove: async (name) => {
      renderer.forget([name]);
      await images.remove(name);
    },
    close: async () => await images.close(),
  };
}
