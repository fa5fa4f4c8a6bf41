/** The parameters by which stored queries name documents. @see ITI TF-2 3.18.4.1.2.3.7.5 */
import { alternatives, missingParameter, wrongNumber, type QueryParameters } from './parameters.ts';
import type { NamedDocuments } from './query.ts';

const ENTRY_UUID = '$XDSDocumentEntryEntryUUID';
const UNIQUE_ID = '$XDSDocumentEntryUniqueId';

/**
 * Reads the documents that a query names.
 * @throws {Fault} required (XDSStoredQueryMissingParam) - it names none
 * @throws {Fault} invalid (XDSStoredQueryParamNumber) - it names them in both ways
 */
export function readNamedDocuments(parameters: QueryParameters): NamedDocuments {
  const entryUUIDs = alternatives(parameters, ENTRY_UUID);
  const uniqueIds = alternatives(parameters, UNIQUE_ID);
  if (entryUUIDs.length > 0 && uniqueIds.length > 0) throw wrongNumber(UNIQUE_ID, `excludes ${ENTRY_UUID}`);
  if (entryUUIDs.length > 0) return { entryUUIDs };
  if (uniqueIds.length > 0) return { uniqueIds };
  throw missingParameter(ENTRY_UUID);
}

/**
 * Requires that one document is named.
 * @throws {Fault} invalid (XDSStoredQueryParamNumber) - there are several
 */
export function onlyDocument(named: NamedDocuments): NamedDocuments {
  const [name, values] =
    'entryUUIDs' in named ? ([ENTRY_UUID, named.entryUUIDs] as const) : ([UNIQUE_ID, named.uniqueIds] as const);
  if (values.length > 1) throw wrongNumber(name, 'accepts one value');
  return named;
}
