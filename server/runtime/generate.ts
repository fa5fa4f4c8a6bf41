/**
 * Writes the generated FHIR definitions: `definitions.json` (pruned StructureDefinitions and SearchParameters) and
 * `validators.mjs` (one compiled JSON schema validator a resource type). Run by check.mjs when the cache is stale.
 */
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import standaloneModule from 'ajv/dist/standalone/index.js';
import { DEFINED_TYPES } from '../../profiles/validation/defined-types.ts';
import { CACHE_FILES, CACHE_ROOT, cacheFolder, definitionsFolder, isGenerated } from './cache-key.ts';
import { buildSchema, SCHEMA_ID } from './fhir-schema.ts';
import { pruneDefinitions } from './prune-definitions.ts';
import { addSnapshotRules } from './schema-rules.ts';

const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Generates the cache folder of the present versions and returns it; a folder that stands is kept. Safe when several
 * processes start at once: each writes a folder of its own, and the first rename wins.
 */
export async function generate(): Promise<string> {
  const folder = cacheFolder();
  if (isGenerated(folder)) return folder;
  const { definitions, validators } = await buildFiles();
  await mkdir(CACHE_ROOT, { recursive: true });
  const draft = await mkdtemp(join(CACHE_ROOT, 'draft-'));
  await writeFile(join(draft, CACHE_FILES.definitions), definitions);
  await writeFile(join(draft, CACHE_FILES.validators), validators);
  // mkdtemp gives a private folder; the server may run as another user than the one that installed it.
  await chmod(draft, 0o755);
  await publish(draft, folder);
  await removeStale(folder);
  return folder;
}

async function buildFiles(): Promise<{ definitions: string; validators: string }> {
  const [types, resources, searchParameters, published] = await Promise.all(
    ['profiles-types.json', 'profiles-resources.json', 'search-parameters.json', 'fhir.schema.json'].map(readSource),
  );
  const definitions = pruneDefinitions({ types, resources, searchParameters }, DEFINED_TYPES);
  const schema = buildSchema(published.definitions, DEFINED_TYPES);
  addSnapshotRules(schema.definitions, definitions.structureDefinitions);
  return { definitions: JSON.stringify(definitions), validators: compileValidators(schema) };
}

// The files are those of the pinned package, whose shape the tests check; JSON.parse gives no type.
async function readSource(name: string) {
  return JSON.parse(await readFile(join(definitionsFolder(), name), 'utf8'));
}

function compileValidators(schema: object): string {
  const ajv = new Ajv({
    code: { source: true, esm: true },
    discriminator: true,
    inlineRefs: false,
    messages: false,
    strict: false,
    validateFormats: false,
  });
  ajv.addSchema(schema);
  const names = DEFINED_TYPES.map((name) => [name, `${SCHEMA_ID}#/definitions/${name}`]);
  return standaloneModule.default(ajv, Object.fromEntries(names));
}

async function publish(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!isGenerated(folder)) throw error;
  }
}

// Folders of other versions stay for a day: a process that is starting may still read one.
async function removeStale(folder: string): Promise<void> {
  for (const name of await readdir(CACHE_ROOT)) {
    const path = join(CACHE_ROOT, name);
    if (path === folder) continue;
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > STALE_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}
