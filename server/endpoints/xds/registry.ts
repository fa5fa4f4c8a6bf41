/** ITI-18 Registry Stored Query. @see ITI TF-2 3.18 */
import { ACTION } from '../../../ihe/codes.ts';
import { toRegistryError } from '../../../ihe/ebxml/registry-error.ts';
import type { AdhocQueryRequest } from '../../../ihe/iti-18/query.ts';
import { parseAdhocQueryRequest } from '../../../ihe/iti-18/request.ts';
import { formatAdhocQueryResponse } from '../../../ihe/iti-18/response.ts';
import type { queryRegistry } from '../../flows/read/query-registry.ts';
import type { SoapTransaction } from './soap-endpoint.ts';

/** What the transaction needs. */
export type RegistryDeps = { readonly queryRegistry: ReturnType<typeof queryRegistry> };

/** Makes the transaction. An unknown patient has no documents: that is a Success. */
export function registryStoredQuery(deps: RegistryDeps): SoapTransaction<AdhocQueryRequest> {
  return {
    name: 'ITI-18',
    scope: { type: 'DocumentReference', action: 's' },
    action: ACTION.registryStoredQuery,
    responseAction: ACTION.registryStoredQueryResponse,
    parse: parseAdhocQueryRequest,
    run: async (visit, request) => ({
      body: formatAdhocQueryResponse({ returnType: request.returnType, ...(await deps.queryRegistry(visit, request)) }),
    }),
    fail: (fault) => ({
      body: formatAdhocQueryResponse({
        returnType: 'LeafClass',
        documents: [],
        errors: [toRegistryError(fault, 'registry')],
      }),
    }),
  };
}
