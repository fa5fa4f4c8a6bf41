/** Requests and answers between two threads, as plain data on their port. A Fault crosses as one, a bug as text. */
import type { MessagePort, Worker } from 'node:worker_threads';
import { Fault, type FaultKind } from '../../profiles/fault.ts';

/** What one side may be asked: a name, the data of the question and that of the answer. */
export type Calls = Readonly<Record<string, { readonly ask: unknown; readonly answer: unknown }>>;

/** How a side answers. */
export type Serving<C extends Calls> = { readonly [K in keyof C]: (ask: C[K]['ask']) => Promise<C[K]['answer']> };

/** Asks the other side. @throws whatever its answer threw; {Fault} transient - the talk has ended */
export type Asking<C extends Calls> = <K extends keyof C & string>(
  name: K,
  ask: C[K]['ask'],
) => Promise<C[K]['answer']>;

/**
 * Tells the other side, which must have nothing to say: an answer would wake this thread, which is most of its cost.
 */
export type Telling<C extends Calls> = <K extends keyof C & string>(
  name: K,
  told: C[K]['answer'] extends undefined ? C[K]['ask'] : never,
) => void;

/** One side of a talk. */
export type Talk<C extends Calls> = {
  readonly ask: Asking<C>;
  /** Errors of the other side are its bugs: they end the process. */
  readonly tell: Telling<C>;
  /** Fails what waits and what is asked from now on. */
  readonly end: (reason: Error) => void;
};

/** A Fault as data. */
export type SentFault = {
  readonly kind: FaultKind;
  readonly message: string;
  readonly expression: string | undefined;
  readonly protocolCode: string | undefined;
};

/** An error that is no Fault: `code` is that of a system error. */
type SentBug = { readonly stack: string; readonly code: string | undefined };
type Message =
  | { readonly id: number | undefined; readonly name: string; readonly ask: unknown }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly fault: SentFault }
  | { readonly id: number; readonly bug: SentBug };
type Waiting = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void };

/** Begins to talk on a port: `Theirs` is what may be asked, `serving` answers what is asked of this side. */
export function talk<Theirs extends Calls, Mine extends Calls>(
  port: MessagePort | Worker,
  serving: Serving<Mine>,
): Talk<Theirs> {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended: Error | undefined;
  const serve = async (id: number, name: string, ask: unknown): Promise<void> => {
    try {
      port.postMessage({ id, answer: await serving[name]?.(ask) } satisfies Message);
    } catch (error) {
      port.postMessage({ id, ...sentError(error) } satisfies Message);
    }
  };
  port.on('message', (message: Message) => {
    if ('name' in message)
      return void (message.id === undefined
        ? serving[message.name]?.(message.ask)
        : serve(message.id, message.name, message.ask));
    const { resolve, reject } = waiting.get(message.id) ?? {};
    waiting.delete(message.id);
    if ('answer' in message) resolve?.(message.answer as never);
    else reject?.('fault' in message ? faultOf(message.fault) : bugOf(message.bug));
  });
  return {
    ask: async (name, ask) => {
      if (ended !== undefined) throw new Fault('transient', 'The server stops', { cause: ended });
      lastId += 1;
      const id = lastId;
      return await new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        port.postMessage({ id, name, ask } satisfies Message);
      });
    },
    tell: (name, told) => port.postMessage({ id: undefined, name, ask: told } satisfies Message),
    end: (reason) => {
      ended = reason;
      for (const { reject } of waiting.values()) reject(new Fault('transient', 'The server stops', { cause: reason }));
      waiting.clear();
    },
  };
}

/** Puts a Fault into data. Its cause stays behind: it is for the log of this side. */
export function sentFault({ kind, message, expression, protocolCode }: Fault): SentFault {
  return { kind, message, expression, protocolCode };
}

/** Makes the Fault again. */
export function faultOf({ kind, message, expression, protocolCode }: SentFault): Fault {
  return new Fault(kind, message, {
    ...(expression === undefined ? {} : { expression }),
    ...(protocolCode === undefined ? {} : { protocolCode }),
  });
}

function sentError(error: unknown): { fault: SentFault } | { bug: SentBug } {
  if (error instanceof Fault) return { fault: sentFault(error) };
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return { bug: { stack: error instanceof Error ? (error.stack ?? error.message) : String(error), code } };
}

function bugOf({ stack, code }: SentBug): Error {
  return Object.assign(new Error(stack), code === undefined ? {} : { code });
}
