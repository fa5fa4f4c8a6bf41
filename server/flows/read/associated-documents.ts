/** The associations of entries that were found. What they are told by is visible: both ends are among the entries. */
import { associationsAmong, type Association } from '../../../ihe/ebxml/association.ts';
import { entryUUIDOf } from '../../../ihe/ebxml/document-entry.ts';
import type { RegistryEntry } from '../../../ihe/iti-18/registry-entries.ts';

/** The associations of which an asked entry is source or target; the other end is asked or beside. */
export function associationsOf(
  asked: readonly RegistryEntry[],
  beside: readonly RegistryEntry[],
): readonly Association[] {
  const named = new Set(asked.map(({ document }) => entryUUIDOf(document)));
  return associationsAmong([...asked, ...beside]).filter(
    ({ source, target }) => named.has(source) || named.has(target),
  );
}

/** The entries that are source or target of an association, each once. */
export function endsOf(
  associations: readonly Association[],
  entries: readonly RegistryEntry[],
): readonly RegistryEntry[] {
  const ends = new Set(associations.flatMap(({ source, target }) => [source, target]));
  const byUUID = new Map(entries.map((entry) => [entryUUIDOf(entry.document), entry]));
  return [...byUUID].flatMap(([uuid, entry]) => (ends.has(uuid) ? [entry] : []));
}
