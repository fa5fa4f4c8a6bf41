/** What the DIMSE door asks of the rest of the server: who is calling, and where a received instance goes. */
import type { X509Certificate } from 'node:crypto';

/** A system that may associate, found by its AE title. */
export type Peer = {
  readonly aeTitle: string;
  /** Id of the Organization that operates it. */
  readonly organization: string;
};

/** What is known of a caller before it is accepted. */
export type Caller = {
  readonly callingAE: string;
  readonly calledAE: string;
  readonly address: string;
  /** The certificate that TLS verified, when the caller showed one. */
  readonly certificate?: X509Certificate;
};

/** Returns the peer that a caller is, or undefined when nobody knows it (A-ASSOCIATE-RJ 1/1/3). */
export type IdentifyPeer = (caller: Caller) => Peer | undefined;

/** One C-STORE request. The data set follows through the session; nobody has compared it with these UIDs yet. */
export interface IncomingInstance {
  readonly peer: Peer;
  readonly associationId: string;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
}

/**
 * Takes the bytes of one data set, exactly as received. Calls never overlap: each waits for the one before, and
 * exactly one of `finish` and `abort` comes last. A method that rejects with a Fault decides the DIMSE status;
 * after `write` rejects, `abort` follows; after `finish` rejects, nothing follows and nothing may be left behind.
 */
export interface StoreSession {
  /** Takes the next bytes, which the session may keep. A promise holds the sender back until it resolves. */
  write(chunk: Uint8Array): void | Promise<void>;
  /** Resolves only when the instance is durable and indexed: the C-STORE response is sent then. */
  finish(): Promise<void>;
  /** Drops what was written: the sender aborted, vanished, or sent too much. */
  abort(): Promise<void>;
}

/** Opens the session of an instance; throws a Fault to refuse it. */
export type StoreHandler = (incoming: IncomingInstance) => StoreSession;

/** What happens to associations, for the audit. */
export type AssociationEvent = 'opened' | 'closed' | 'refused' | 'aborted';

/** The association that an event is about. */
export type AssociationInfo = {
  readonly associationId: string;
  readonly address: string;
  /** Absent when the caller sent no association request. */
  readonly callingAE?: string;
  readonly calledAE?: string;
  readonly peer?: Peer;
  /** Instances answered with success, and with a failure. */
  readonly stored: number;
  readonly failed: number;
  /** Why it was refused or aborted. */
  readonly reason?: string;
};

/** Told of every association. `opened` is awaited before the association is accepted, and refuses it by rejecting. */
export type AssociationHook = (event: AssociationEvent, info: AssociationInfo) => void | Promise<void>;
