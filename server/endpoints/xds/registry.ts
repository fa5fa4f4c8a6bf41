/** ITI-18 Registry Stored Query: one face of DocumentReference search. @see ITI TF-2 3.18 */
import { ACTION, XDS_ERROR } from '../../../ihe/codes.ts';
import { toRegistryError } from '../../../ihe/ebxml/registry-error.ts';
import type { AdhocQueryRequest, StoredQuery } from '../../../ihe/iti-18/query.ts';
import { parseAdhocQueryRequest } from '../../../ihe/iti-18/request.ts';
import { formatAdhocQueryResponse } from '../../../ihe/iti-18/response.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import type { Include } from '../../../profiles/search/query.ts';
import type { Visit } from '../../flows/guard.ts';
import type { FoundPage, searchResources } from '../../flows/read/search-resources.ts';
import { isAsked } from './entry-filter.ts';
import { entriesOf, type RegistryEntry, type RepositoryNames } from './registry-entries.ts';
import type { SoapAnswer, SoapTransaction } from './soap-endpoint.ts';
import { criteriaOf } from './stored-query.ts';

/** What the transaction needs. */
export type RegistryDeps = RepositoryNames & { readonly searchResources: ReturnType<typeof searchResources> };

/** Most entries of one answer. */
export const MAX_ENTRIES = 500;

/** What an entry repeats of the resources that it refers to. */
const INCLUDE: readonly Include[] = [
  { param: 'patient' },
  { param: 'author' },
  { param: 'related', target: 'ImagingStudy' },
];

/** Makes the transaction. An unknown patient has no documents: that is a Success. */
export function registryStoredQuery(deps: RegistryDeps): SoapTransaction<AdhocQueryRequest> {
  return {
    name: 'ITI-18',
    scope: { type: 'DocumentReference', action: 's' },
    action: ACTION.registryStoredQuery,
    responseAction: ACTION.registryStoredQueryResponse,
    parse: parseAdhocQueryRequest,
    run: async (visit, request) => await answerQuery(deps, visit, request),
    fail: (fault) => ({
      body: formatAdhocQueryResponse({
        returnType: 'LeafClass',
        documents: [],
        errors: [toRegistryError(fault, 'registry')],
      }),
    }),
  };
}

async function answerQuery(
  deps: RegistryDeps,
  visit: Visit,
  { returnType, query }: AdhocQueryRequest,
): Promise<SoapAnswer> {
  const where = criteriaOf(query);
  const documents = where === undefined ? [] : await findEntries(deps, visit, query, where);
  return { body: formatAdhocQueryResponse({ returnType, documents }) };
}

async function findEntries(
  deps: RegistryDeps,
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
  { searchResources }: RegistryDeps,
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
