/**
 * Loaded before the server (`--import`), into each of its threads: writes a line to the file that `COUNTS` names for
 * each statement, each message to another thread and each command to MongoDB. The product knows nothing of it.
 */
import { openSync, writeSync } from 'node:fs';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { MessagePort } from 'node:worker_threads';
import { MongoClient } from 'mongodb';

/** What a line tells. `rows` are those that came back to the process. */
export type Counted =
  | { readonly kind: 'statement'; readonly text: string; readonly rows: number }
  | { readonly kind: 'message' }
  | {
      readonly kind: 'command';
      readonly text: string;
      /** The collection, or what the command is applied to. */
      readonly on: string;
      readonly filter: string;
      /** The transaction that it is part of, or empty. */
      readonly transaction: string;
      readonly rows: number;
    };

const file = openSync(process.env['COUNTS'] ?? '/dev/null', 'a');

function count(counted: Counted): void {
  writeSync(file, `${JSON.stringify(counted)}\n`);
}

countStatements();
countMessages();
countCommands();

function countStatements(): void {
  const { prototype } = StatementSync;
  prototype.run = counting(prototype.run, () => 0);
  prototype.get = counting(prototype.get, (row) => (row === undefined ? 0 : 1));
  prototype.all = counting(prototype.all, (rows) => rows.length);
  const { iterate } = prototype;
  prototype.iterate = function* counted(this: StatementSync, ...values: unknown[]) {
    const rows = [...(Reflect.apply(iterate, this, values) as ReturnType<typeof iterate>)];
    count({ kind: 'statement', text: this.sourceSQL, rows: rows.length });
    yield* rows;
    return undefined;
  } as typeof iterate;
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function counted(sql: string) {
    count({ kind: 'statement', text: sql, rows: 0 });
    exec.call(this, sql);
  };
}

/** The method that also counts. */
function counting<F extends (...values: never[]) => unknown>(method: F, rowsOf: (result: ReturnType<F>) => number): F {
  return function counted(this: StatementSync, ...values: unknown[]) {
    const result = Reflect.apply(method, this, values) as ReturnType<F>;
    count({ kind: 'statement', text: this.sourceSQL, rows: rowsOf(result) });
    return result;
  } as unknown as F;
}

function countMessages(): void {
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function counted(...args: [unknown]) {
    count({ kind: 'message' });
    postMessage.apply(this, args);
  };
}

/** The address of the store asks the driver to tell of its commands: `monitorCommands=true`. */
function countCommands(): void {
  const { connect } = MongoClient.prototype;
  MongoClient.prototype.connect = async function counted() {
    const begun = new Map<number, Omit<Extract<Counted, { kind: 'command' }>, 'kind' | 'rows'>>();
    this.on('commandStarted', ({ requestId, commandName: text, command }) => {
      const filter = JSON.stringify(command['filter'] ?? command['pipeline'] ?? command['query'] ?? {});
      const { lsid, txnNumber } = command;
      const transaction = txnNumber === undefined ? '' : `${lsid?.id?.toString('hex')} ${txnNumber}`;
      begun.set(requestId, { text, on: String(command[text]), filter, transaction });
    });
    this.on('commandSucceeded', ({ requestId, reply }) => {
      const { cursor } = reply as { readonly cursor?: { readonly firstBatch?: unknown[]; nextBatch?: unknown[] } };
      const rows = (cursor?.firstBatch ?? cursor?.nextBatch ?? []).length;
      const command = begun.get(requestId);
      begun.delete(requestId);
      if (command !== undefined) count({ kind: 'command', ...command, rows });
    });
    return await connect.call(this);
  };
}
