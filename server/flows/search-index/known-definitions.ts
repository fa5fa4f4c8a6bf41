/** The definitions under which rows may be indexed, those of other releases included. */
import {
  EARLIEST_VERSION,
  earliestDefinitionOf,
  type IndexDefinition,
} from '../../../profiles/search/index-definition.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { SearchIndex } from '../../ports/search-index.ts';

/** Definitions by type and version. */
export type KnownDefinitions = {
  /** Undefined where nobody kept it: nothing is known of rows under it then. */
  find(type: StoredType, version: number): IndexDefinition | undefined;
  /** Whether it is what the server that was started last indexes under. */
  isWanted(definition: IndexDefinition): boolean;
};

/** Reads what is kept. */
export async function readDefinitions(index: SearchIndex): Promise<KnownDefinitions> {
  const kept = new Map((await index.kept()).map((definition) => [keyOf(definition), definition]));
  return {
    find: (type, version) =>
      version === EARLIEST_VERSION ? earliestDefinitionOf(type) : kept.get(keyOf({ type, version })),
    isWanted: (definition) => kept.get(keyOf(definition))?.isWanted === true,
  };
}

function keyOf({ type, version }: Pick<IndexDefinition, 'type' | 'version'>): string {
  return `${type} ${version}`;
}
