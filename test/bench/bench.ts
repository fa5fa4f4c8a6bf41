/** `npm run bench -- NAME [PART …]`: measures beside peers in one run, prints ratios, writes `results/NAME.json`. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { endWithChildren } from '../support/run/end-with-children.ts';
import { machineOf, type Machine } from '../support/run/machine.ts';
import { ACCESS } from './access/access.ts';
import { DICOMWEB } from './dicomweb/dicomweb.ts';
import { FHIR } from './fhir/fhir.ts';
import { IDENTITY } from './identity/identity.ts';
import { INGEST } from './ingest/ingest.ts';
import { RENDERED } from './rendered/rendered.ts';
import { printRows, type Row } from './support/figures.ts';
import { SPINE } from './spine/spine.ts';

type Parts = Readonly<Record<string, () => Promise<readonly Row[]>>>;
type Measured = Machine & { readonly date: string; readonly rows: readonly Row[] };

const BENCHES: Readonly<Record<string, Parts>> = {
  spine: SPINE,
  access: ACCESS,
  ingest: INGEST,
  dicomweb: DICOMWEB,
  fhir: FHIR,
  rendered: RENDERED,
  identity: IDENTITY,
};
const RESULTS = new URL('results/', import.meta.url);

endWithChildren();
const [name = '', ...chosen] = process.argv.slice(2);
const parts = BENCHES[name];
if (parts === undefined || chosen.some((part) => parts[part] === undefined)) {
  const known = Object.entries(BENCHES).map(([bench, parts]) => `${bench} (${Object.keys(parts).join(', ')})`);
  console.error(`Usage: npm run bench -- NAME [PART …], where NAME and PART are of: ${known.join('; ')}`);
  process.exitCode = 2;
} else {
  await bench(name, parts, chosen.length > 0 ? chosen : Object.keys(parts));
}

/** A part that is not measured now keeps its last figures. */
async function bench(name: string, parts: Parts, chosen: readonly string[]): Promise<void> {
  const file = new URL(`${name}.json`, RESULTS);
  const results: Record<string, Measured> = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, Measured>,
    () => ({}),
  );
  for (const part of chosen) {
    const rows = (await parts[part]?.()) ?? [];
    printRows(`${name}: ${part}`, rows);
    results[part] = { ...(await machineOf()), date: new Date().toISOString(), rows };
  }
  await mkdir(RESULTS, { recursive: true });
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
}
