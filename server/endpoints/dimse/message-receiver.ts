/**
 * The DIMSE services of one association: C-ECHO, and C-STORE whose data set goes to a session as it arrives.
 * Messages are handled one after the other. @see DICOM PS3.7 9.1.1, 9.1.5, 9.3
 */
import { isUID } from '../../../profiles/dicom/uid.ts';
import { Fault, toFault } from '../../../profiles/fault.ts';
import { COMMAND_FIELD, formatCommandSet, parseCommandSet } from '../../../ihe/dimse/command-set.ts';
import type { CommandSet } from '../../../ihe/dimse/command-set.ts';
import type { DimseLimits } from './limits.ts';
import type { PresentationContext } from './negotiation.ts';
import type { Fragment } from '../../../ihe/dimse/p-data.ts';
import { SUCCESS, UNRECOGNIZED_OPERATION, toStatus } from './status.ts';
import type { Peer, StoreHandler, StoreSession } from './store-handler.ts';
import { formatCommandPDUs, protocolFault } from '../../../ihe/dimse/upper-layer.ts';

/** What a receiver is given by its association. */
export type ReceiverContext = {
  readonly peer: Peer;
  readonly associationId: string;
  readonly contexts: ReadonlyMap<number, PresentationContext>;
  readonly peerMaxLength: number;
  readonly limits: DimseLimits;
  readonly store: StoreHandler;
  /** Sends bytes; a promise resolves when the peer has taken enough of them. */
  readonly send: (bytes: Buffer) => void | Promise<void>;
};

/** A message whose data set is awaited. Without a session its data set is dropped. */
type OpenMessage = {
  readonly contextId: number;
  readonly command: CommandSet;
  session: StoreSession | undefined;
  fault: Fault | undefined;
  received: number;
};

/** Receives the messages of one association. */
export class MessageReceiver {
  /** C-STORE requests answered with success, and with another status. */
  stored = 0;
  failed = 0;
  readonly #context: ReceiverContext;
  #commandFragments: Buffer[] = [];
  #commandLength = 0;
  #message: OpenMessage | undefined;

  constructor(context: ReceiverContext) {
    this.#context = context;
  }

  /**
   * Takes the next fragment. A promise means that no other may be given before it resolves.
   * @throws {Fault} invalid - the protocol is broken; the association must be aborted
   */
  receive(fragment: Fragment): void | Promise<void> {
    const context = this.#context.contexts.get(fragment.contextId);
    if (context === undefined) throw protocolFault('invalid-parameter', 'The presentation context was not accepted');
    if (fragment.isCommand) return this.#receiveCommand(fragment, context);
    const message = this.#message;
    if (message?.contextId !== fragment.contextId)
      throw protocolFault('unexpected-parameter', 'A data set came without its command');
    return this.#receiveData(message, fragment);
  }

  /** Drops a data set that will not be completed. */
  async abort(): Promise<void> {
    const session = this.#message?.session;
    this.#message = undefined;
    await session?.abort();
  }

  #receiveCommand(fragment: Fragment, context: PresentationContext): void | Promise<void> {
    if (this.#message !== undefined) throw protocolFault('unexpected-parameter', 'A command came inside a data set');
    this.#commandLength += fragment.bytes.length;
    if (this.#commandLength > this.#context.limits.maxCommandSetBytes) {
      throw protocolFault(
        'invalid-parameter',
        `The command set is longer than ${this.#context.limits.maxCommandSetBytes} bytes`,
      );
    }
    this.#commandFragments.push(fragment.bytes);
    if (!fragment.isLast) return undefined;
    const bytes = Buffer.concat(this.#commandFragments);
    [this.#commandFragments, this.#commandLength] = [[], 0];
    return this.#open(fragment.contextId, context, parseCommandSet(bytes));
  }

  #open(contextId: number, context: PresentationContext, command: CommandSet): void | Promise<void> {
    const { commandField } = command;
    if ((commandField & COMMAND_FIELD.responseBit) !== 0)
      throw protocolFault('unexpected-parameter', 'A response came without a request');
    if (commandField === COMMAND_FIELD.cCancelRequest) return undefined;
    const message: OpenMessage = { contextId, command, session: undefined, fault: undefined, received: 0 };
    if (commandField === COMMAND_FIELD.cStoreRequest) this.#openStore(message, context);
    if (!command.hasDataSet) return this.#answer(message);
    this.#message = message;
    return undefined;
  }

  #openStore(message: OpenMessage, context: PresentationContext): void {
    try {
      const { sopClassUID, sopInstanceUID } = storeRequestOf(message.command, context);
      const { peer, associationId, store } = this.#context;
      const { transferSyntaxUID } = context;
      message.session = store({ peer, associationId, sopClassUID, sopInstanceUID, transferSyntaxUID });
    } catch (error) {
      message.fault = toFault(error);
    }
  }

  #receiveData(message: OpenMessage, { bytes, isLast }: Fragment): void | Promise<void> {
    message.received += bytes.length;
    const written = this.#write(message, bytes);
    if (written === undefined && !isLast) return undefined;
    return this.#continue(message, written, isLast);
  }

  /** Gives bytes to the session; a Fault ends the session and lets the rest of the data set pass by. */
  #write(message: OpenMessage, bytes: Buffer): void | Promise<void> {
    const { session } = message;
    if (session === undefined || bytes.length === 0) return undefined;
    if (message.received > this.#context.limits.maxObjectBytes) {
      return this.#refuse(
        message,
        new Fault('too-long', `The object is longer than ${this.#context.limits.maxObjectBytes} bytes`),
      );
    }
    try {
      return session.write(bytes)?.catch(async (error: unknown) => await this.#refuse(message, error));
    } catch (error) {
      return this.#refuse(message, error);
    }
  }

  async #refuse(message: OpenMessage, error: unknown): Promise<void> {
    const { session } = message;
    message.fault = toFault(error);
    message.session = undefined;
    await session?.abort();
  }

  async #continue(message: OpenMessage, written: void | Promise<void>, isLast: boolean): Promise<void> {
    await written;
    if (!isLast) return;
    this.#message = undefined;
    try {
      await message.session?.finish();
    } catch (error) {
      message.fault = toFault(error);
    }
    await this.#answer(message);
  }

  #answer(message: OpenMessage): void | Promise<void> {
    const { command, contextId } = message;
    const isStore = command.commandField === COMMAND_FIELD.cStoreRequest;
    const fault = isStore && message.session === undefined ? (message.fault ?? missingDataSet()) : message.fault;
    if (isStore && fault === undefined) this.stored += 1;
    else if (isStore) this.failed += 1;
    const isKnown = isStore || command.commandField === COMMAND_FIELD.cEchoRequest;
    const status = fault === undefined ? (isKnown ? SUCCESS : UNRECOGNIZED_OPERATION) : toStatus(fault);
    const response = formatCommandSet(responseTo(command, status, fault?.message));
    return this.#context.send(formatCommandPDUs(contextId, response, this.#context.peerMaxLength));
  }
}

function missingDataSet(): Fault {
  return new Fault('invalid', 'The C-STORE request has no data set');
}

function storeRequestOf(
  command: CommandSet,
  context: PresentationContext,
): { sopClassUID: string; sopInstanceUID: string } {
  const { affectedSOPClassUID = '', affectedSOPInstanceUID = '', hasDataSet } = command;
  if (!hasDataSet) throw missingDataSet();
  if (!isUID(affectedSOPClassUID) || !isUID(affectedSOPInstanceUID)) {
    throw new Fault('invalid', 'The SOP class or SOP instance is not a UID', { expression: 'AffectedSOPInstanceUID' });
  }
  if (affectedSOPClassUID !== context.abstractSyntaxUID) {
    throw new Fault('not-supported', 'The SOP class is not the one of its context', {
      expression: 'AffectedSOPClassUID',
    });
  }
  return { sopClassUID: affectedSOPClassUID, sopInstanceUID: affectedSOPInstanceUID };
}

function responseTo(command: CommandSet, status: number, errorComment: string | undefined): CommandSet {
  const { affectedSOPClassUID, affectedSOPInstanceUID, messageID } = command;
  return {
    commandField: command.commandField | COMMAND_FIELD.responseBit,
    hasDataSet: false,
    status,
    ...(affectedSOPClassUID === undefined ? {} : { affectedSOPClassUID }),
    ...(affectedSOPInstanceUID === undefined ? {} : { affectedSOPInstanceUID }),
    ...(messageID === undefined ? {} : { messageIDBeingRespondedTo: messageID }),
    ...(errorComment === undefined ? {} : { errorComment }),
  };
}
