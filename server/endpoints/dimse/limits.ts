/** What the DIMSE door accepts from the network, before and after it knows who is calling. */
import type { PDULimits } from '../../../ihe/dimse/p-data.ts';

/** Limits and time-outs of the door. */
export type DimseLimits = PDULimits & {
  /** Maximum length of the PDUs that the door asks for in its A-ASSOCIATE-AC. */
  readonly announcedPDUBytes: number;
  readonly maxCommandSetBytes: number;
  readonly maxObjectBytes: number;
  /** Associations open at once; the next is refused as transient. */
  readonly maxAssociations: number;
  /** The share of one AE title, so that others are still served. */
  readonly maxAssociationsPerPeer: number;
  /** Connections without an association; when there are more, the oldest is closed. */
  readonly maxWaitingConnections: number;
  /** From the connection to a whole A-ASSOCIATE-RQ, and from a release or a refusal to the end (ARTIM, PS3.8 9.1.4). */
  readonly associationTimeoutMs: number;
  /** From the first byte of a PDU to its last. */
  readonly pduTimeoutMs: number;
  /** Between PDUs. */
  readonly idleTimeoutMs: number;
};

/** The limits that hold unless the configuration names others. */
export const DIMSE_LIMITS: DimseLimits = {
  maxDataPDUBytes: 1024 * 1024,
  maxOtherPDUBytes: 64 * 1024,
  announcedPDUBytes: 128 * 1024,
  maxCommandSetBytes: 16 * 1024,
  maxObjectBytes: 16 * 1024 ** 3,
  maxAssociations: 64,
  maxAssociationsPerPeer: 16,
  maxWaitingConnections: 64,
  associationTimeoutMs: 10_000,
  pduTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
};

/** Counts the open associations. */
export class AssociationSlots {
  readonly #limits: DimseLimits;
  readonly #openByPeer = new Map<string, number>();
  #open = 0;

  constructor(limits: DimseLimits) {
    this.#limits = limits;
  }

  /** Takes a slot for a peer; false when none is free. */
  take(aeTitle: string): boolean {
    const ofPeer = this.#openByPeer.get(aeTitle) ?? 0;
    if (this.#open >= this.#limits.maxAssociations || ofPeer >= this.#limits.maxAssociationsPerPeer) return false;
    this.#open += 1;
    this.#openByPeer.set(aeTitle, ofPeer + 1);
    return true;
  }

  /** Gives a slot back. */
  release(aeTitle: string): void {
    const ofPeer = (this.#openByPeer.get(aeTitle) ?? 0) - 1;
    this.#open -= 1;
    if (ofPeer > 0) this.#openByPeer.set(aeTitle, ofPeer);
    else this.#openByPeer.delete(aeTitle);
  }
}
