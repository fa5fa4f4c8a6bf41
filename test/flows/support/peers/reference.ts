/** What a sender really sends: a storage SCP of pynetdicom that takes anything and keeps every data set as it came. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PYTHON } from '../../../support/peers/python-peers.ts';
import type { TestServer } from '../../../support/server.ts';

/** The script of our peers. */
export const PEER_SCRIPT = fileURLToPath(new URL('../../../support/peers/pynetdicom_peer.py', import.meta.url));

/** What came of one instance. */
export type SentInstance = {
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  readonly transferSyntaxUID: string;
};

/** A reference that listens; data sets lie in its folder under their SOP Instance UID. */
export type Reference = {
  readonly dimse: TestServer['dimse'];
  readonly received: ReadonlyMap<string, SentInstance>;
  stop(): Promise<void>;
};

/** Starts the SCP. */
export async function startReference(folder: string): Promise<Reference> {
  const child = spawn(PYTHON, [PEER_SCRIPT, 'receive', folder], { stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [first] = (await once(lines, 'line')) as [string];
  const { port } = JSON.parse(first) as { port: number };
  const received = new Map<string, SentInstance>();
  lines.on('line', (line) => {
    const instance = JSON.parse(line) as SentInstance;
    received.set(instance.sopInstanceUID, instance);
  });
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await exited;
  };
  return { dimse: { host: '127.0.0.1', port, aeTitle: 'REFERENCE' }, received, stop };
}
