/** DICOMweb under `/dicom-web`: what is served, and what is known and not served yet. @see DICOM PS3.18 section 10 */
import { Router } from '@koa/router';
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import { answerFaults } from '../http/outcome.ts';
import { answerPrivately } from '../http/private-answer.ts';
import { retrieveBulkData, retrieveFrames, type RetrieveBulkDeps } from './retrieve-bulk.ts';
import { retrieveInstances, type RetrieveInstancesDeps } from './retrieve-instances.ts';
import { retrieveMetadata } from './retrieve-metadata.ts';
import { searchInstances, searchSeries, type SearchPartsDeps } from './search-parts.ts';
import { searchStudies, type SearchStudiesDeps } from './search-studies.ts';
import { storeInstances, type StoreInstancesDeps } from './store-instances.ts';

/** What the door needs. */
export type DicomwebDeps = RetrieveInstancesDeps & RetrieveBulkDeps & SearchPartsDeps & SearchStudiesDeps & StoreInstancesDeps;

const STUDY = '/studies/:study';
const SERIES = `${STUDY}/series/:series`;
const INSTANCE = `${SERIES}/instances/:instance`;

/** Resources of the standard that are not served. */
const UNSERVED_SEARCHES = ['/series', '/instances'];
const UNSERVED_VIEWS = [STUDY, SERIES, INSTANCE, `${INSTANCE}/frames/:frames`].flatMap((path) => [`${path}/rendered`, `${path}/thumbnail`]);
/**
 * BulkDataURI is kept as `instances/{instance}/bulkdata/{path}`, relative to the series. Relative to the metadata of a
 * study or instance it leads to the other two.
 */
const BULK_DATA = [INSTANCE, `${STUDY}/instances/:instance`, `${SERIES}/instances/:same/instances/:instance`].map((path) => `${path}/bulkdata/*path`);

/** Makes the router. */
export function dicomwebRouter(deps: DicomwebDeps): Router {
  const router = new Router({ prefix: '/dicom-web' });
  router.use(answerFaults, answerPrivately);
  router.get('/studies', searchStudies(deps));
  router.get(`${STUDY}/series`, searchSeries(deps));
  router.get([`${STUDY}/instances`, `${SERIES}/instances`], searchInstances(deps));
  for (const path of [STUDY, SERIES, INSTANCE]) {
    router.get(path, retrieveInstances(deps));
    router.get(`${path}/metadata`, retrieveMetadata(deps));
  }
  router.get(`${INSTANCE}/frames/:frames`, retrieveFrames(deps));
  for (const path of BULK_DATA) router.get(path, retrieveBulkData(deps));
  router.get(UNSERVED_SEARCHES, refuse('Series and instances are searched within a study: /studies/{study}/series, /studies/{study}/instances'));
  router.get(UNSERVED_VIEWS, refuse('Rendered images and thumbnails are not supported'));
  router.post(['/studies', STUDY], storeInstances(deps));
  return router;
}

function refuse(message: string): (ctx: Context) => never {
  return () => {
    throw new Fault('not-supported', message);
  };
}
