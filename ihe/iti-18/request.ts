/** ITI-18 Registry Stored Query, request: AdhocQueryRequest to a query as plain data. @see ITI TF-2 3.18.4.1 */
import type { XmlElement } from 'libxml2-wasm';
import { Fault } from '../../profiles/fault.ts';
import { STORED_QUERY, XDS_ERROR } from '../codes.ts';
import { parseCx } from '../ebxml/hl7-types.ts';
import { checkBody } from '../soap/envelope.ts';
import { toHomeCommunityId } from '../ebxml/home-community-id.ts';
import { attributeOf, childrenNamed } from '../xml/select.ts';
import { objectTypesOf, readFindDocuments } from './document-filters.ts';
import { onlyDocument, readNamedDocuments } from './named-documents.ts';
import {
  alternativeGroups,
  alternatives,
  missingParameter,
  readQueryParameters,
  refusedValue,
  typedValue,
} from './parameters.ts';
import type { QueryParameters } from './parameters.ts';
import type {
  AdhocQueryRequest,
  FindDocumentsByReferenceIdQuery,
  GetAssociationsQuery,
  GetRelatedDocumentsQuery,
  ReturnType,
  StoredQuery,
} from './query.ts';

const REFERENCE_ID_LIST = '$XDSDocumentEntryReferenceIdList';
const UUID = '$uuid';
const ASSOCIATION_TYPES = '$AssociationTypes';

const READERS: Readonly<Record<string, (parameters: QueryParameters) => StoredQuery>> = {
  [STORED_QUERY.findDocuments]: (parameters) => ({ kind: 'FindDocuments', ...readFindDocuments(parameters) }),
  [STORED_QUERY.findDocumentsByReferenceId]: (parameters) => ({
    kind: 'FindDocumentsByReferenceId',
    ...readFindDocuments(parameters),
    referenceIdList: referencesOf(parameters),
  }),
  [STORED_QUERY.getDocuments]: (parameters) => ({ kind: 'GetDocuments', ...readNamedDocuments(parameters) }),
  [STORED_QUERY.getAssociations]: readGetAssociations,
  [STORED_QUERY.getDocumentsAndAssociations]: (parameters) => ({
    kind: 'GetDocumentsAndAssociations',
    ...readNamedDocuments(parameters),
  }),
  [STORED_QUERY.getRelatedDocuments]: readGetRelatedDocuments,
};

/**
 * Reads the body of an ITI-18 request.
 * @throws {Fault} invalid - the body is another element (a SOAP fault), or has no AdhocQuery or ResponseOption
 * @throws {Fault} not-supported - a stored query (XDSUnknownStoredQuery) or returnType that is not answered here
 * @throws {Fault} required, invalid, too-costly - see the parameters
 */
export function parseAdhocQueryRequest(body: XmlElement): AdhocQueryRequest {
  checkBody(body, 'query', 'AdhocQueryRequest');
  const returnType = returnTypeOf(childrenNamed(body, 'query', 'ResponseOption')[0]);
  const adhocQuery = childrenNamed(body, 'rim', 'AdhocQuery')[0];
  if (adhocQuery === undefined) throw new Fault('invalid', 'The AdhocQueryRequest holds no AdhocQuery');
  const homeCommunityId = toHomeCommunityId(attributeOf(adhocQuery, 'home'));
  return {
    returnType,
    ...(homeCommunityId === undefined ? {} : { homeCommunityId }),
    query: readerOf(adhocQuery)(readQueryParameters(adhocQuery)),
  };
}

function returnTypeOf(option: XmlElement | undefined): ReturnType {
  const returnType = option === undefined ? undefined : attributeOf(option, 'returnType');
  if (returnType === 'LeafClass' || returnType === 'ObjectRef') return returnType;
  throw new Fault('not-supported', 'The returnType must be LeafClass or ObjectRef', { expression: 'returnType' });
}

function readerOf(adhocQuery: XmlElement): (parameters: QueryParameters) => StoredQuery {
  const id = attributeOf(adhocQuery, 'id')?.toLowerCase() ?? '';
  const reader = Object.hasOwn(READERS, id) ? READERS[id] : undefined;
  if (reader !== undefined) return reader;
  throw new Fault('not-supported', 'The stored query is not one that this registry answers', {
    expression: 'AdhocQuery/@id',
    protocolCode: XDS_ERROR.unknownStoredQuery,
  });
}

function referencesOf(parameters: QueryParameters): FindDocumentsByReferenceIdQuery['referenceIdList'] {
  const groups = alternativeGroups(parameters, REFERENCE_ID_LIST);
  if (groups.length === 0) throw missingParameter(REFERENCE_ID_LIST);
  return groups.map((group) => group.map((text) => typedValue(REFERENCE_ID_LIST, text, parseCx)));
}

function readGetAssociations(parameters: QueryParameters): GetAssociationsQuery {
  const entryUUIDs = alternatives(parameters, UUID);
  if (entryUUIDs.length === 0) throw missingParameter(UUID);
  return { kind: 'GetAssociations', entryUUIDs };
}

/** @see ITI TF-2 3.18.4.1.2.3.7.13 */
function readGetRelatedDocuments(parameters: QueryParameters): GetRelatedDocumentsQuery {
  const named = onlyDocument(readNamedDocuments(parameters));
  const associationTypes = alternatives(parameters, ASSOCIATION_TYPES);
  if (associationTypes.length === 0) throw missingParameter(ASSOCIATION_TYPES);
  if (!associationTypes.every((type) => type.startsWith('urn:')))
    throw refusedValue(ASSOCIATION_TYPES, 'must be the URN of an association type');
  return { kind: 'GetRelatedDocuments', associationTypes, objectType: objectTypesOf(parameters), ...named };
}
