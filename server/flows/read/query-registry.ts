/** A requester asks the document registry: ITI-18, one face of DocumentReference search. @see ITI TF-2 3.18 */
import { XDS_ERROR } from '../../../ihe/codes.ts';
import { criteriaOf } from '../../../ihe/iti-18/criteria.ts';
import { isAsked } from '../../../ihe/iti-18/entry-filter.ts';
import type { StoredQuery } from '../../../ihe/iti-18/query.ts';
import { entriesOf, type RegistryEntry, type RepositoryNames } from '../../../ihe/iti-18/registry-entries.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import type { Include } from '../../../profiles/search/query.ts';
import type { Visit } from '../guard.ts';
import type { FoundPage, searchResources } from './search-resources.ts';

/** What the flow needs. */
export type QueryRegistryDeps = RepositoryNames & { readonly searchResources: ReturnType<typeof searchResources> };

/** Most entries of one answer. */
const MAX_ENTRIES = 500;

/** What an entry repeats of the resources that it refers to. */
const INCLUDE: readonly Include[] = [
  { param: 'patient' },
  { param: 'author' },
  { param: 'related', target: 'ImagingStudy' },
];

/**
 * Finds the entries that a query asks for, 0..500. An unknown patient has none, and so has a kind of entry that this
 * registry does not hold.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} too-costly - more entries match
 */
export function queryRegistry(deps: QueryRegistryDeps) {
  return async (visit: Visit, query: StoredQuery): Promise<readonly RegistryEntry[]> => {
    const where = criteriaOf(query);
    return where === undefined ? [] : await findEntries(deps, visit, query, where);
  };
}

async function findEntries(
  deps: QueryRegistryDeps,
  visit: Visit,
  query: StoredQuery,
  where: readonly Criterion[],
): Promise<readonly RegistryEntry[]> {
  const domain = query.kind === 'GetDocuments' ? undefined : query.patientId.assigningAuthority;
  const page = await findPage(deps, visit, query, where);
  const entries = entriesOf(page, deps, domain).filter((entry) => isAsked(entry, query));
  const unnamed = unnamedIds(query, entries);
  if (unnamed.length === 0) return entries;
  // A document without an identifier of that form is known by its logical id.
  const byId = await findPage(deps, visit, query, [{ kind: 'id', values: unnamed }]);
  return [...entries, ...entriesOf(byId, deps, domain).filter((entry) => isAsked(entry, query))];
}

/** Logical ids of the entryUUIDs that no identifier was found for. */
function unnamedIds(query: StoredQuery, found: readonly RegistryEntry[]): readonly string[] {
  if (query.kind !== 'GetDocuments' || !('entryUUIDs' in query)) return [];
  if (found.length >= query.entryUUIDs.length) return [];
  return query.entryUUIDs
    .filter((uuid) => /^urn:uuid:[0-9a-f-]{36}$/.test(uuid))
    .map((uuid) => uuid.slice('urn:uuid:'.length));
}

async function findPage(
  { searchResources }: QueryRegistryDeps,
  visit: Visit,
  query: StoredQuery,
  where: readonly Criterion[],
): Promise<FoundPage> {
  const page = await searchResources(visit, {
    query: { type: 'DocumentReference', where, count: MAX_ENTRIES, total: 'none', include: INCLUDE },
    text: JSON.stringify(query),
    passage: 'iti-18',
  });
  if (page.cursor === undefined) return page;
  const detail = { protocolCode: XDS_ERROR.tooManyResults };
  throw new Fault('too-costly', `More than ${MAX_ENTRIES} documents match; narrow the query by type or time`, detail);
}
