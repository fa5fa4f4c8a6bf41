/**
 * One connection, from its first byte to its end: negotiation, messages, release, abort and time-outs.
 * @see DICOM PS3.8 9.2 (state machine)
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Fault, toFault } from '../../../profiles/fault.ts';
import type { AssociationSlots, DimseLimits } from './limits.ts';
import { MessageReceiver } from './message-receiver.ts';
import { REJECTION, readAssociationRequest } from './negotiation.ts';
import type { Negotiation, Rejection } from './negotiation.ts';
import { PDUReader } from '../../../ihe/dimse/p-data.ts';
import type { ControlPDU, Fragment } from '../../../ihe/dimse/p-data.ts';
import type { AssociationEvent, AssociationHook, Caller, IdentifyPeer, Peer, StoreHandler } from './store-handler.ts';
import { PDU_TYPE, formatAbort, formatReleaseResponse, protocolFault } from '../../../ihe/dimse/upper-layer.ts';

/** What every association of a door shares. */
export type AssociationDeps = {
  readonly calledAETitles: readonly string[];
  readonly identifyPeer: IdentifyPeer;
  readonly store: StoreHandler;
  readonly onAssociation: AssociationHook;
  readonly limits: DimseLimits;
  readonly slots: AssociationSlots;
};

/** How long the peer has to read the last PDU before the connection is destroyed. */
const LINGER_MS = 500;

/** Serves one connection. `run` settles when the connection is gone and no session is left open; it never rejects. */
export class Association {
  readonly #socket: Socket;
  readonly #deps: AssociationDeps;
  readonly #reader: PDUReader;
  readonly #associationId = randomUUID();
  readonly #address: string;
  #negotiation: Negotiation | undefined;
  #peer: Peer | undefined;
  #receiver: MessageReceiver | undefined;
  #end: AssociationEvent | undefined;
  #reason: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #deadline = 0;

  constructor(socket: Socket, deps: AssociationDeps) {
    this.#socket = socket;
    this.#deps = deps;
    this.#reader = new PDUReader(deps.limits);
    this.#address = socket.remoteAddress ?? '';
  }

  /** Whether an association is established. */
  get isEstablished(): boolean {
    return this.#receiver !== undefined;
  }

  async run(): Promise<void> {
    this.#socket.setNoDelay(true);
    // Errors end the loop below; one that comes after it has nothing left to end.
    this.#socket.on('error', () => undefined);
    this.#arm(this.#deps.limits.associationTimeoutMs);
    try {
      await this.#read();
    } catch (error) {
      if (!isSocketError(error)) this.#abort(toFault(error));
    }
    clearTimeout(this.#timer);
    await this.#finish();
  }

  /** Aborts the association, as the server stops or a limit is met. */
  stop(reason: string): void {
    this.#abort(new Fault('transient', reason));
    clearTimeout(this.#timer);
    // A peer that does not read would keep the connection open.
    this.#timer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.destroySoon();
  }

  /** Aborts the association when its caller may call no more, or stands for another establishment now. */
  recheck(): void {
    const [negotiation, peer] = [this.#negotiation, this.#peer];
    if (negotiation === undefined || peer === undefined) return;
    const known = this.#deps.identifyPeer(this.#callerOf(negotiation));
    if (known?.aeTitle === peer.aeTitle && known.organization === peer.organization) return;
    this.stop('The caller does not belong to the region any more');
  }

  async #read(): Promise<void> {
    let progress = '';
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
      this.#reader.feed(chunk as Buffer);
      let hasWaited = false;
      for (let event = this.#reader.next(); event !== undefined; event = this.#reader.next()) {
        const waiting = this.#handle(event);
        if (waiting !== undefined) {
          hasWaited = true;
          await this.#offTheClock(waiting);
        }
        if (this.#end === 'aborted') return;
      }
      // A PDU has one deadline, however slowly its bytes come.
      const reached = `${this.#reader.startedPDUs} ${this.#reader.isInsidePDU}`;
      const isOpen = this.isEstablished && this.#end === undefined;
      if (isOpen ? reached !== progress : hasWaited) this.#arm(this.#currentTimeout());
      progress = reached;
    }
  }

  /** The time that the server takes is not the peer's, and gives the peer no more of it either. */
  async #offTheClock(waiting: Promise<void>): Promise<void> {
    const left = this.#deadline - performance.now();
    clearTimeout(this.#timer);
    await waiting;
    if (this.#end !== 'aborted') this.#arm(Math.max(0, left));
  }

  #currentTimeout(): number {
    const { associationTimeoutMs, pduTimeoutMs, idleTimeoutMs } = this.#deps.limits;
    if (this.#end !== undefined || !this.isEstablished) return associationTimeoutMs;
    return this.#reader.isInsidePDU ? pduTimeoutMs : idleTimeoutMs;
  }

  #arm(timeoutMs: number): void {
    clearTimeout(this.#timer);
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => this.stop('The peer was silent or too slow'), timeoutMs);
  }

  #handle(event: ControlPDU | Fragment): void | Promise<void> {
    if (this.#end !== undefined) return undefined;
    if ('contextId' in event) return this.#receiver?.receive(event);
    if (event.type === PDU_TYPE.abort) return this.#obeyAbort();
    const isRequest = event.type === PDU_TYPE.associateRequest;
    if (isRequest && this.#negotiation === undefined) return this.#negotiate(event.pdu);
    if (event.type === PDU_TYPE.releaseRequest && this.isEstablished) return this.#release();
    throw protocolFault('unexpected-pdu', 'The PDU does not belong here');
  }

  /** An A-ABORT is not answered. */
  #obeyAbort(): void {
    this.#end = 'aborted';
    this.#reason = 'The peer aborted the association';
  }

  async #negotiate(pdu: Buffer): Promise<void> {
    const negotiation = readAssociationRequest(pdu);
    this.#negotiation = negotiation;
    const caller = this.#callerOf(negotiation);
    const peer = this.#deps.identifyPeer(caller);
    if (!negotiation.isVersionSupported) return this.#reject(REJECTION.protocolVersionNotSupported, 'protocol version');
    if (!this.#deps.calledAETitles.includes(caller.calledAE))
      return this.#reject(REJECTION.calledAENotRecognized, 'called AE title');
    if (peer === undefined) return this.#reject(REJECTION.callingAENotRecognized, 'calling AE title');
    if (!this.#deps.slots.take(peer.aeTitle))
      return this.#reject(REJECTION.localLimitExceeded, 'too many associations');
    this.#peer = peer;
    try {
      await this.#report('opened');
    } catch {
      return this.#reject(REJECTION.temporaryCongestion, 'the opening could not be recorded');
    }
    return this.#accept(negotiation, peer);
  }

  #callerOf({ callingAE, calledAE }: Negotiation): Caller {
    const socket = this.#socket;
    const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
    return { callingAE, calledAE, address: this.#address, ...(certificate === undefined ? {} : { certificate }) };
  }

  #accept(negotiation: Negotiation, peer: Peer): void | Promise<void> {
    const { limits, store } = this.#deps;
    const { contexts, peerMaxLength } = negotiation;
    const associationId = this.#associationId;
    const send = (bytes: Buffer): void | Promise<void> => this.#send(bytes);
    this.#receiver = new MessageReceiver({ peer, associationId, contexts, peerMaxLength, limits, store, send });
    this.#reader.acceptsData = true;
    return this.#send(negotiation.accept(limits.announcedPDUBytes));
  }

  #reject(rejection: Rejection, reason: string): void {
    this.#end = 'refused';
    this.#reason = reason;
    if (this.#negotiation !== undefined) this.#socket.end(this.#negotiation.reject(rejection));
  }

  /** The requester closes the connection (PS3.8 AR-3); the deadline of the association does it otherwise. */
  #release(): void | Promise<void> {
    this.#end = 'closed';
    return this.#send(formatReleaseResponse());
  }

  /** Waits while the peer does not read what it is sent. */
  #send(bytes: Buffer): void | Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.write(bytes)) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  #abort(fault: Fault): void {
    if (this.#end !== undefined) return;
    this.#end = 'aborted';
    this.#reason = fault.message;
    if (this.#socket.writable) this.#socket.write(formatAbort(fault));
  }

  async #finish(): Promise<void> {
    await this.#receiver?.abort().catch(() => undefined);
    if (this.#peer !== undefined) this.#deps.slots.release(this.#peer.aeTitle);
    const wasHeard = this.#negotiation !== undefined || this.#end === 'aborted';
    const isLost = this.isEstablished && this.#end === undefined;
    if (isLost) this.#reason = 'The connection was lost';
    if (wasHeard || isLost) await this.#reportEnd(this.#end ?? 'aborted');
    await this.#close();
  }

  async #reportEnd(event: AssociationEvent): Promise<void> {
    try {
      await this.#report(event);
    } catch {
      // The hook owns its failures; the connection ends all the same.
    }
  }

  async #report(event: AssociationEvent): Promise<void> {
    const negotiation = this.#negotiation;
    await this.#deps.onAssociation(event, {
      associationId: this.#associationId,
      address: this.#address,
      stored: this.#receiver?.stored ?? 0,
      failed: this.#receiver?.failed ?? 0,
      ...(negotiation === undefined ? {} : { callingAE: negotiation.callingAE, calledAE: negotiation.calledAE }),
      ...(this.#peer === undefined ? {} : { peer: this.#peer }),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    });
  }

  /** Lets the peer read the last PDU: a close with unread input would reset the connection at once. */
  async #close(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(), LINGER_MS);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.resume();
      socket.end();
    });
  }
}

/** Errors of the connection carry a system code; the peer is gone and needs no answer. */
function isSocketError(error: unknown): boolean {
  return error instanceof Error && !(error instanceof Fault) && 'code' in error;
}
