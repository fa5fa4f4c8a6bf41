/**
 * The anchor of the audit trail: its head, kept where who changes the data does not reach. Whoever cuts the trail, or
 * brings an older copy of it back, is found out by it.
 */
import type { TrailHead } from './audit-trail.ts';

/** A head that was anchored. `at` is an instant, ISO 8601. */
export type Anchor = TrailHead & { readonly at: string };

/** The port. */
export interface AuditAnchor {
  /** Whether nothing can have been anchored before this start: its key was made now. */
  readonly isNew: boolean;

  /**
   * The last anchor; undefined when there is none.
   * @throws {Fault} conflict - it cannot be read, or was not made under the key; the message says what to do
   */
  last(): Promise<Anchor | undefined>;

  /**
   * Puts an anchor in place of the last; durable, or received, when resolved.
   * @throws {Fault} transient - the place cannot be reached or written now
   */
  write(anchor: Anchor): Promise<void>;
}
