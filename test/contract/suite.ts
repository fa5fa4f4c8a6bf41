/** The stores of one suite: opened once, shared by its tests, which use persons and ids of their own. */
import type { OpenedStores, OpenStores, Stores } from '../support/stores.ts';

/** The open stores of a running suite. */
export type Suite = Pick<OpenedStores, keyof Stores> & {
  /** Closes and opens the stores on the same data. */
  reopen(): Promise<void>;
};

/** A server of MongoDB that drops what a long suite wrote answers nobody meanwhile. */
const MANY_ROWS_MS = 240_000;

/** Opens stores before the tests of the present `describe` and removes them after. */
export function useStores(open: OpenStores): Suite {
  let stores: OpenedStores | undefined;
  const opened = (): OpenedStores => {
    if (stores === undefined) throw new Error('The stores are not open');
    return stores;
  };
  before(async function () {
    this.timeout(MANY_ROWS_MS);
    stores = await open();
  });
  after(async function () {
    this.timeout(MANY_ROWS_MS);
    await stores?.close();
  });
  return {
    get records() {
      return opened().records;
    },
    get trail() {
      return opened().trail;
    },
    get tokens() {
      return opened().tokens;
    },
    get jobs() {
      return opened().jobs;
    },
    get index() {
      return opened().index;
    },
    async reopen() {
      stores = await opened().reopen();
    },
  };
}
