/** The stores on which a story is told: for each a fresh one, or why there is none. */
import { startMongoPeer, whyNoMongoPeer } from '../../support/peers/mongodb-peer.ts';

/** A store without data, as `PASSERELLE_STORE` names it. */
export type FreshStore = { readonly store: string; remove(): Promise<void> };

/** A store by its name; `missing` tells why a test skips it. */
export type StoreUnderTest = {
  readonly name: string;
  missing(): string | undefined;
  open(): Promise<FreshStore>;
};

/** Both of them. */
export const BOTH_STORES: readonly StoreUnderTest[] = [
  {
    name: 'SQLite',
    missing: () => undefined,
    open: async () => ({ store: 'sqlite', remove: async () => undefined }),
  },
  { name: 'MongoDB', missing: whyNoMongoPeer, open: openMongo },
];

async function openMongo(): Promise<FreshStore> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const store = peer.freshUri();
  return {
    store,
    remove: async () => {
      await peer.drop(store);
      await peer.stop();
    },
  };
}
