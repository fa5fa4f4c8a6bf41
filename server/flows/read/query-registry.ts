/** A requester asks the document registry: ITI-18, one face of DocumentReference search. @see ITI TF-2 3.18 */
import type { Association } from '../../../ihe/ebxml/association.ts';
import { XDS_ERROR } from '../../../ihe/codes.ts';
import { entryUUIDOf } from '../../../ihe/ebxml/document-entry.ts';
import { criteriaOf } from '../../../ihe/iti-18/criteria.ts';
import { isAsked } from '../../../ihe/iti-18/entry-filter.ts';
import type { AdhocQueryRequest, StoredQuery } from '../../../ihe/iti-18/query.ts';
import { entriesOf, type FoundDocuments } from '../../../ihe/iti-18/registry-entries.ts';
import type { RegistryEntry, RepositoryNames } from '../../../ihe/iti-18/registry-entries.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import type { Include, SearchQuery } from '../../../profiles/search/query.ts';
import type { Passage } from '../../ports/record-store.ts';
import { further, type GuardDeps, type Visit } from '../guard.ts';
import { associationsOf, endsOf } from './associated-documents.ts';
import type { AuditedPage, searchResources } from './search-resources.ts';

/** What the flow needs. */
export type QueryRegistryDeps = RepositoryNames &
  Pick<GuardDeps, 'records' | 'clock'> & { readonly searchResources: ReturnType<typeof searchResources> };

/** What a query found. */
export type RegistryAnswer = {
  readonly documents: readonly RegistryEntry[];
  readonly associations: readonly Association[];
};

/** Most entries of one answer. */
const MAX_ENTRIES = 500;

const NOTHING_FOUND: RegistryAnswer = { documents: [], associations: [] };

/** What an entry repeats of the resources that it refers to. */
const INCLUDE: readonly Include[] = [
  { param: 'patient' },
  { param: 'author' },
  { param: 'related', target: 'ImagingStudy' },
];

/** What brings the other ends of associations beside a page, those that may be seen. */
const WITH_ENDS = {
  include: [...INCLUDE, { param: 'relatesto' }],
  revinclude: [{ source: 'DocumentReference', param: 'relatesto' }],
} as const satisfies Pick<SearchQuery, 'include' | 'revinclude'>;

/**
 * Finds the entries that a query asks for, 0..500, and associations of which both ends may be seen. An unknown patient
 * has none, and so has a kind of entry that this registry does not hold.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} too-costly - more entries match
 * @throws {Fault} invalid (XDSResultNotSinglePatient) - metadata of several persons' documents, which were named
 */
export function queryRegistry(deps: QueryRegistryDeps) {
  return async (visit: Visit, request: Pick<AdhocQueryRequest, 'returnType' | 'query'>): Promise<RegistryAnswer> => {
    const where = criteriaOf(request.query, deps.affinityDomain.ownSystem);
    if (where === undefined) return NOTHING_FOUND;
    const answer = await answerOf(deps, request, await findEntries(deps, visit, request.query, where));
    if (request.returnType === 'LeafClass' && !('patientId' in request.query)) requireOnePerson(answer);
    return answer;
  };
}

/** Entries that a query asks for, and those at the other ends of their associations. */
type Found = {
  readonly asked: readonly RegistryEntry[];
  readonly beside: readonly RegistryEntry[];
  readonly passage: Passage;
};

async function answerOf(
  deps: QueryRegistryDeps,
  { returnType, query }: Pick<AdhocQueryRequest, 'returnType' | 'query'>,
  { asked, beside, passage }: Found,
): Promise<RegistryAnswer> {
  switch (query.kind) {
    case 'GetAssociations':
      return { documents: [], associations: associationsOf(asked, beside) };
    case 'GetDocumentsAndAssociations':
      return { documents: asked, associations: associationsOf(asked, beside) };
    case 'GetRelatedDocuments': {
      const associations = associationsOf(asked, beside).filter(({ type }) => query.associationTypes.includes(type));
      const others = endsOf(associations, beside);
      const read = returnType === 'LeafClass' ? await wholeEntries(deps, passage, others) : others;
      return { documents: [...endsOf(associations, asked), ...read], associations };
    }
    default:
      return { documents: asked, associations: [] };
  }
}

/** Those that came beside a page lack what they refer to themselves: it is read on, under the same passage. */
async function wholeEntries(
  deps: QueryRegistryDeps,
  passage: Passage,
  entries: readonly RegistryEntry[],
): Promise<readonly RegistryEntry[]> {
  if (entries.length === 0) return [];
  const values = entries.map(({ document }) => document.id ?? '');
  const query = queryOf([{ kind: 'id', values }], { include: INCLUDE });
  return entriesOf(await further(deps, passage, { kind: 'search', query }), deps);
}

/** @see ITI TF-2 3.18.4.1.2.3.7.5, note 3 */
function requireOnePerson({ documents }: RegistryAnswer): void {
  if (new Set(documents.map(({ person }) => person)).size <= 1) return;
  const detail = { protocolCode: XDS_ERROR.resultNotSinglePatient };
  throw new Fault('invalid', 'The documents are of several patients; ask for returnType ObjectRef', detail);
}

async function findEntries(
  deps: QueryRegistryDeps,
  visit: Visit,
  query: StoredQuery,
  where: readonly Criterion[],
): Promise<Found> {
  const page = await findPage(deps, visit, query, where);
  const found = foundIn(deps, query, page);
  const unnamed = unnamedIds(query, found.asked);
  if (unnamed.length === 0) return found;
  // A document without an identifier of that form is known by its logical id.
  const byId = foundIn(deps, query, await findPage(deps, visit, query, [{ kind: 'id', values: unnamed }]));
  return {
    asked: [...found.asked, ...byId.asked],
    beside: [...found.beside, ...byId.beside],
    passage: byId.passage,
  };
}

function foundIn(deps: QueryRegistryDeps, query: StoredQuery, page: AuditedPage): Found {
  const besideOf: FoundDocuments = {
    rows: page.included.filter(({ type }) => type === 'DocumentReference'),
    included: page.included,
  };
  return {
    asked: entriesOf(page, deps).filter((entry) => isAsked(entry, query)),
    beside: entriesOf(besideOf, deps),
    passage: page.passage,
  };
}

/** Logical ids of the entryUUIDs that no identifier was found for. */
function unnamedIds(query: StoredQuery, found: readonly RegistryEntry[]): readonly string[] {
  if (!('entryUUIDs' in query)) return [];
  const known = new Set(found.map(({ document }) => entryUUIDOf(document)));
  return query.entryUUIDs
    .filter((uuid) => !known.has(uuid) && /^urn:uuid:[0-9a-f-]{36}$/.test(uuid))
    .map((uuid) => uuid.slice('urn:uuid:'.length));
}

async function findPage(
  { searchResources }: QueryRegistryDeps,
  visit: Visit,
  query: StoredQuery,
  where: readonly Criterion[],
): Promise<AuditedPage> {
  const hasAssociations = query.kind.endsWith('Associations') || query.kind === 'GetRelatedDocuments';
  const page = await searchResources(visit, {
    query: queryOf(where, hasAssociations ? WITH_ENDS : { include: INCLUDE }),
    text: JSON.stringify(query),
    passage: 'iti-18',
  });
  if (page.cursor === undefined && page.isCut !== true) return page;
  const detail = { protocolCode: XDS_ERROR.tooManyResults };
  throw new Fault('too-costly', `More than ${MAX_ENTRIES} documents match; narrow the query by type or time`, detail);
}

function queryOf(where: readonly Criterion[], beside: Pick<SearchQuery, 'include' | 'revinclude'>): SearchQuery {
  return { type: 'DocumentReference', where, count: MAX_ENTRIES, total: 'none', ...beside };
}
