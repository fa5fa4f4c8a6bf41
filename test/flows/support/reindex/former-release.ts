/**
 * A release before this one: its ServiceRequests have no search parameter `performer-type`, and are listed by the
 * moment of their last write.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyCheckout } from '../checkout.ts';
import { startServer, type TestServer } from '../../../support/server.ts';

/** The parameter that this release has and the former has not. */
export const NEW_PARAMETER = 'performer-type';

const FILE = join('profiles', 'types', 'service-request.ts');
/** What the file says, and said. */
const CHANGES = [
  ["    token('performer-type', 'ServiceRequest-performer-type'),\n", ''],
  ["elements: ['authoredOn']", 'elements: []'],
] as const;
const FILL = join('test', 'flows', 'support', 'reindex', 'fill.ts');

/** What is filled in: the id of the Patient, and how many rows. */
export type Filling = { readonly patient: string; readonly rows: number };

/** The checkout of the release. */
export type FormerRelease = {
  start(store: string, dataDir: string): Promise<TestServer>;
  /** Writes rows as it would, on the stores of a server that does not run, or on those of MongoDB. */
  fill(store: string, dataDir: string, filling: Filling): Promise<void>;
  remove(): Promise<void>;
};

/** Lays the release out. */
export async function layOutFormerRelease(): Promise<FormerRelease> {
  const root = await mkdtemp(join(tmpdir(), 'passerelle-former-'));
  await copyCheckout(root, { otherTypes: false });
  let text = await readFile(join(root, FILE), 'utf8');
  for (const [says, said] of CHANGES) {
    if (!text.includes(says)) throw new Error(`${FILE} does not say ${says}`);
    text = text.replace(says, said);
  }
  await writeFile(join(root, FILE), text);
  return {
    start: async (store, dataDir) => await startServer({ root, store, dataDir }),
    fill: async (store, dataDir, { patient, rows }) => {
      const place = store === 'sqlite' ? dataDir : store;
      const child = spawn(process.execPath, [FILL, place, patient, String(rows)], { cwd: root, stdio: 'inherit' });
      const [code] = (await once(child, 'exit')) as [number | null];
      if (code !== 0) throw new Error(`Filling failed (${code})`);
    },
    remove: async () => await rm(root, { recursive: true, force: true }),
  };
}
