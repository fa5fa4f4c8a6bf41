/** Runs a story on each store that servers may have. */
import { startMongoPeer, whyNoMongoPeer } from './mongodb-peer.ts';

/** A store: its name, why there is none, and how one is opened that nobody used yet. */
export type EachStore = {
  readonly name: string;
  readonly missing: () => string | undefined;
  readonly open: () => Promise<OpenedStore>;
};

/** `store` is as a server takes it. */
export type OpenedStore = { readonly store: string; close(): Promise<void> };

/** SQLite and MongoDB. */
export const EACH_STORE: readonly EachStore[] = [
  {
    name: 'SQLite',
    missing: () => undefined,
    open: async () => ({ store: 'sqlite', close: async () => undefined }),
  },
  { name: 'MongoDB', missing: whyNoMongoPeer, open: openMongo },
];

async function openMongo(): Promise<OpenedStore> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const store = peer.freshUri();
  return {
    store,
    close: async () => await peer.stop(store),
  };
}
