/** Erasing a study as an operator does, and looking whether bytes are left of it. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';

/** How the command ended. */
export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

const ROOT = new URL('../../..', import.meta.url).pathname;

/** Runs `npm run erase`, as it is in package.json, on a data folder, whether its server runs or not. */
export async function runErase(dataDir: string, ...args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, PASSERELLE_DEVELOPMENT: '1', PASSERELLE_DATA_DIR: dataDir };
  return await new Promise((resolve) => {
    execFile(process.execPath, ['server/commands/erase.ts', ...args], { cwd: ROOT, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : Number(error !== null), stdout, stderr });
    });
  });
}

/** What is shorter occurs in digests by chance. */
const SHORTEST = 8;

/** The bytes of a text, and how it looks inside base64, wherever it begins, where that is long enough to tell. */
export function formsOf(text: string): Buffer[] {
  const inBase64 = [0, 1, 2].map((shift) =>
    Buffer.from(
      Buffer.from('x'.repeat(shift) + text)
        .toString('base64')
        .slice(4, -4),
    ),
  );
  return [Buffer.from(text), ...inBase64.filter(({ length }) => length >= SHORTEST)];
}

/** What is looked for, by what it is: the forms that its bytes may have. */
export type Canaries = ReadonlyMap<string, readonly Buffer[]>;

/** How many files of a data folder hold each canary, in any of its forms. */
export async function filesWith(dataDir: string, canaries: Canaries): Promise<Map<string, number>> {
  const found = new Map([...canaries.keys()].map((what) => [what, 0]));
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0));
    for (const [what, forms] of canaries)
      if (forms.some((form) => bytes.includes(form))) found.set(what, (found.get(what) ?? 0) + 1);
  }
  return found;
}

/** The canaries that some file still holds. */
export async function leftOf(dataDir: string, canaries: Canaries): Promise<string[]> {
  return [...(await filesWith(dataDir, canaries))].filter(([, count]) => count > 0).map(([what]) => what);
}

/** How many files of a data folder and, where the store is MongoDB (its URI), documents of it hold each canary. */
export async function placesWith(dataDir: string, store: string, canaries: Canaries): Promise<Map<string, number>> {
  const found = await filesWith(dataDir, canaries);
  if (store === 'sqlite') return found;
  const client = await MongoClient.connect(store);
  try {
    for (const { collectionName } of await client.db().collections())
      for await (const document of client.db().collection(collectionName).find()) {
        const bytes = Buffer.from(JSON.stringify(document));
        for (const [what, forms] of canaries)
          if (forms.some((form) => bytes.includes(form))) found.set(what, (found.get(what) ?? 0) + 1);
      }
  } finally {
    await client.close();
  }
  return found;
}
