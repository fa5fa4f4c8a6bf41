/** Loads the generated FHIR definitions into validation and indexing. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createIndexer } from '../../profiles/search/indexer.ts';
import type { IndexDefinitions, Indexer } from '../../profiles/search/indexer.ts';
import type { Definitions } from '../../profiles/validation/structure-definitions.ts';
import { createSubsets, type Subsets } from '../../profiles/search/subset.ts';
import { createValidator } from '../../profiles/validation/validate.ts';
import type { CompiledValidator, Validate } from '../../profiles/validation/validate.ts';
import { CACHE_FILES, cacheFolder, isGenerated } from './cache-key.ts';

/** What the definitions give. */
export type LoadedDefinitions = {
  readonly validate: Validate;
  readonly indexer: Indexer;
  readonly subsets: Subsets;
  readonly indexDefinitions: IndexDefinitions;
  readonly definitions: Definitions;
};

/**
 * Loads the generated definitions, and generates them first where check.mjs has not. Call it once a thread: it fills
 * the FHIRPath engine's table of types.
 */
export async function loadDefinitions(): Promise<LoadedDefinitions> {
  const folder = await findFolder();
  const definitions: Definitions = JSON.parse(await readFile(join(folder, CACHE_FILES.definitions), 'utf8'));
  const validators: Record<string, CompiledValidator> = await import(
    pathToFileURL(join(folder, CACHE_FILES.validators)).href
  );
  return {
    validate: createValidator(validators),
    ...createIndexer(definitions),
    subsets: createSubsets(definitions),
    definitions,
  };
}

async function findFolder(): Promise<string> {
  const folder = cacheFolder();
  if (isGenerated(folder)) return folder;
  const { generate } = await import('./generate.ts');
  return await generate();
}
