/**
 * What FHIR over Koa and SQLite costs at least: reads by id and a page of rows as they are stored, after an audit row
 * of the same size was synced in a worker thread. No tokens, no access, no chain.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import Koa from 'koa';
import type { BareStart } from './fhir.ts';

const { records, audit, auditBytes, page } = JSON.parse(process.argv[2] ?? '{}') as BareStart;
const db = new DatabaseSync(records, { readOnly: true });
const byId = db.prepare("SELECT json FROM resource WHERE type = 'ImagingStudy' AND id = ?");
const latest = db.prepare(`SELECT json FROM resource WHERE type = 'ImagingStudy' ORDER BY sort DESC, id LIMIT ${page}`);
const ofPatient = db.prepare(
  `SELECT x.json FROM reference r JOIN resource x ON x.rid = r.rid WHERE r.param = 'ImagingStudy.patient'
    AND r.target = ? ORDER BY x.sort DESC, x.id LIMIT ${page}`,
);
const worker = new Worker(new URL('bare-worker.ts', import.meta.url), {
  workerData: { path: audit, bytes: auditBytes },
});
const waiting = new Map<number, () => void>();
let sequence = 0;
worker.on('message', (done: number) => {
  waiting.get(done)?.();
  waiting.delete(done);
});

async function audited(): Promise<void> {
  sequence += 1;
  const mine = sequence;
  await new Promise<void>((resolve) => {
    waiting.set(mine, resolve);
    worker.postMessage(mine);
  });
}

const app = new Koa();
app.use(async (ctx) => {
  const id = ctx.path.slice('/fhir/ImagingStudy/'.length);
  const { patient } = ctx.query;
  const rows = (id !== '' ? [byId.get(id)] : typeof patient === 'string' ? ofPatient.all(patient) : latest.all()) as {
    json: string;
  }[];
  await audited();
  ctx.set('Content-Type', 'application/fhir+json');
  ctx.body = id === '' ? `{"resourceType":"Bundle","type":"searchset","entry":[${entriesOf(rows)}]}` : rows[0]?.json;
});
const server = createServer(app.callback()).listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);

function entriesOf(rows: readonly { readonly json: string }[]): string {
  return rows.map(({ json }) => `{"resource":${json}}`).join(',');
}
