/** What the main thread and the intake thread ask of each other. */
import type { TlsOptions } from 'node:tls';
import type { Region } from '../../config/region-model.ts';
import type { Sender } from '../../flows/intake/receive-association.ts';
import type { UnfiledInstance } from '../../flows/intake/receive-bytes.ts';
import type { SentFault } from '../../threads/thread-talk.ts';
import type { AssociationEvent, AssociationInfo } from './store-handler.ts';

/** Asked of the intake thread. */
export type IntakeCalls = {
  /** Opens a door; answers the address that is bound. */
  readonly listen: {
    readonly ask: { readonly port: number; readonly tls?: TlsOptions };
    readonly answer: { readonly host: string; readonly port: number };
  };
  /** Takes another region: associations of who may call no more are aborted. */
  readonly region: { readonly ask: Region; readonly answer: undefined };
  /** Closes every door, and ends when each association has. */
  readonly close: { readonly ask: undefined; readonly answer: undefined };
};

/** Asked of the main thread. */
export type FilingCalls = {
  /** Files an instance whose bytes have all come; answers when its row is durable. Its `durable` follows. */
  readonly file: {
    readonly ask: { readonly sender: Sender; readonly unfiled: UnfiledInstance };
    readonly answer: undefined;
  };
  /** Tells that the bytes of an instance, known by the name of its blob, are durable, or why they cannot be. */
  readonly durable: { readonly ask: { readonly blob: string; readonly fault?: SentFault }; readonly answer: undefined };
  /** Records that an instance was refused while it came. */
  readonly refused: {
    readonly ask: { readonly sender: Sender; readonly fault: SentFault };
    readonly answer: undefined;
  };
  /** Tells what happens to an association. */
  readonly association: {
    readonly ask: { readonly event: AssociationEvent; readonly info: AssociationInfo };
    readonly answer: undefined;
  };
};
