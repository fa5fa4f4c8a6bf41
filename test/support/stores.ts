/** What the contract suites need of an adapter under test. */
import type { AuditTrail } from '../../server/ports/audit-trail.ts';
import type { JobQueue } from '../../server/ports/job-queue.ts';
import type { RecordStore } from '../../server/ports/record-store.ts';
import type { SearchIndex } from '../../server/ports/search-index.ts';
import type { TokenStore } from '../../server/ports/token-store.ts';

/** The open stores of one adapter. */
export type Stores = {
  readonly records: RecordStore;
  readonly trail: AuditTrail;
  readonly tokens: TokenStore;
  readonly jobs: JobQueue;
  readonly index: SearchIndex;
};

/** Stores that a suite opened: `close` also removes their data. */
export type OpenedStores = Stores & {
  /** Closes the stores and opens them on the same data; the former object is not used any more. */
  reopen(): Promise<OpenedStores>;
  close(): Promise<void>;
};

/** Opens stores without data. */
export type OpenStores = () => Promise<OpenedStores>;

/** How a binding opens an adapter, and removes what it wrote. */
export type StoresBinding = {
  open(): Promise<Stores & { close(): Promise<void> }>;
  remove(): Promise<void>;
};

/** Opens stores through a binding. */
export async function openThrough(binding: StoresBinding): Promise<OpenedStores> {
  const opened = await binding.open();
  return {
    records: opened.records,
    trail: opened.trail,
    tokens: opened.tokens,
    jobs: opened.jobs,
    index: opened.index,
    async reopen() {
      await opened.close();
      return await openThrough(binding);
    },
    async close() {
      await opened.close();
      await binding.remove();
    },
  };
}
