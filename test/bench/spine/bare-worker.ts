/** The bare server's audit: rows of the size of an event, in groups, each group synced; nothing else. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

const db = new DatabaseSync((workerData as { path: string }).path);
db.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE audit (id INTEGER PRIMARY KEY, body TEXT NOT ' +
    'NULL)',
);
const insert = db.prepare('INSERT INTO audit (body) VALUES (?)');
const port = parentPort;
if (port === null) throw new Error('This file is a worker');

port.on('message', (first: number) => {
  const group = [first];
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
    group.push(next.message as number);
  db.exec('BEGIN');
  for (const sequence of group) insert.run(`${sequence}`.padEnd((workerData as { bytes: number }).bytes, 'a'));
  db.exec('COMMIT');
  for (const sequence of group) port.postMessage(sequence);
});
