/** What a stored query asks of an entry that no index holds: author names by pattern, and kinds of references. */
import { formatPerson } from '../ebxml/author.ts';
import { entryUUIDOf, uniqueIdOf } from '../ebxml/document-entry.ts';
import { parseCx, type Cx } from '../ebxml/hl7-types.ts';
import { toReferenceIdList } from '../ebxml/reference-id.ts';
import type { FindDocumentsByReferenceIdQuery, NamedDocuments, StoredQuery } from './query.ts';
import { matchesLike } from './like-pattern.ts';
import type { RegistryEntry } from './registry-entries.ts';

/** Whether a found entry is what the query asks for. */
export function isAsked(entry: RegistryEntry, query: StoredQuery): boolean {
  switch (query.kind) {
    case 'FindDocuments':
      return hasAuthor(entry, query.authorPerson);
    case 'FindDocumentsByReferenceId':
      return hasAuthor(entry, query.authorPerson) && hasReferences(entry, query);
    default:
      return isNamed(entry, query);
  }
}

/** Identifiers are searched in one index; a uniqueId names a masterIdentifier, an entryUUID the entry itself. */
function isNamed({ document }: RegistryEntry, named: NamedDocuments): boolean {
  return 'uniqueIds' in named
    ? named.uniqueIds.includes(uniqueIdOf(document))
    : named.entryUUIDs.includes(entryUUIDOf(document));
}

function hasAuthor({ document, resolve }: RegistryEntry, patterns: readonly string[] | undefined): boolean {
  if (patterns === undefined) return true;
  const persons = (document.author ?? [])
    .map((author) => formatPerson(author, resolve))
    .filter((person) => person !== undefined);
  return persons.some((person) => patterns.some((pattern) => matchesLike(person, pattern)));
}

function hasReferences(
  { document, resolve }: RegistryEntry,
  { referenceIdList }: FindDocumentsByReferenceIdQuery,
): boolean {
  const held = toReferenceIdList(document, resolve).map(parseCx);
  return referenceIdList.every((group) => group.some((asked) => held.some((one) => isSame(one, asked))));
}

/** What the query leaves open, any reference fulfils. */
function isSame(
  held: Cx,
  { value, assigningAuthority = held.assigningAuthority, typeCode = held.typeCode }: Cx,
): boolean {
  return held.value === value && held.assigningAuthority === assigningAuthority && held.typeCode === typeCode;
}
