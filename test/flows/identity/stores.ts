/** The stores that each identity story is told on. */
import { startMongoPeer, whyNoMongoPeer } from '../../support/peers/mongodb-peer.ts';

/** A store to run on; `open` gives what PASSERELLE_STORE says and how it is removed. */
export type StoryStore = {
  readonly name: string;
  readonly missing: () => string | undefined;
  readonly open: () => Promise<{ readonly store: string; readonly remove: () => Promise<void> }>;
};

/** SQLite, and MongoDB where its peer is there. */
export const STORY_STORES: readonly StoryStore[] = [
  { name: 'SQLite', missing: () => undefined, open: async () => ({ store: 'sqlite', remove: async () => {} }) },
  { name: 'MongoDB', missing: whyNoMongoPeer, open: openMongo },
];

async function openMongo(): Promise<{ store: string; remove: () => Promise<void> }> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const store = peer.freshUri();
  return { store, remove: async () => await peer.drop(store).then(async () => await peer.stop()) };
}
