/** The XDS.b and XDS-I.b doors under `/xds`: SOAP 1.2, one transaction an address. */
import { Router } from '@koa/router';
import { answerPrivately } from '../http/private-answer.ts';
import { retrieveImagingDocumentSet, type ImagingSourceDeps } from './imaging-source.ts';
import { registryStoredQuery, type RegistryDeps } from './registry.ts';
import { retrieveDocumentSet, type RepositoryDeps } from './repository.ts';
import { soapEndpoint, type SoapEndpointDeps } from './soap-endpoint.ts';

/** What the doors need. */
export type XdsDeps = SoapEndpointDeps & RegistryDeps & RepositoryDeps & ImagingSourceDeps;

/** Makes the router. */
export function xdsRouter(deps: XdsDeps): Router {
  const router = new Router({ prefix: '/xds' });
  router.use(answerPrivately);
  router.post('/registry', soapEndpoint(deps, registryStoredQuery(deps)));
  router.post('/repository', soapEndpoint(deps, retrieveDocumentSet(deps)));
  router.post('/imaging-source', soapEndpoint(deps, retrieveImagingDocumentSet(deps)));
  return router;
}
