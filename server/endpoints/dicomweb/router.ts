/** DICOMweb under `/dicom-web`: what is served. @see DICOM PS3.18 section 10 */
import { Router } from '@koa/router';
import type { Context, Next } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import { answerFaults } from '../http/outcome.ts';
import { answerPrivately } from '../http/private-answer.ts';
import { answerBulkData, answerFrames, type RetrieveBulkDeps } from './retrieve/retrieve-bulk.ts';
import { answerInstances, type RetrieveInstancesDeps } from './retrieve/retrieve-instances.ts';
import { answerMetadata, type RetrieveMetadataDeps } from './retrieve/retrieve-metadata.ts';
import {
  answerRendered,
  answerRenderedInstance,
  answerThumbnail,
  type RetrieveRenderedDeps,
} from './retrieve/retrieve-rendered.ts';
import { answerInstanceSearch, answerSeriesSearch, type SearchPartsDeps } from './query/part-search.ts';
import { answerStudySearch, type SearchStudiesDeps } from './query/study-search.ts';
import { answerStore, type StoreInstancesDeps } from './store/store-instances.ts';

/** What the door needs. */
export type DicomwebDeps = RetrieveInstancesDeps &
  RetrieveMetadataDeps &
  RetrieveRenderedDeps &
  RetrieveBulkDeps &
  SearchPartsDeps &
  SearchStudiesDeps &
  StoreInstancesDeps;

const STUDY = '/studies/:study';
const SERIES = `${STUDY}/series/:series`;
const INSTANCE = `${SERIES}/instances/:instance`;

/** What is shown as pictures; an instance may be a document, too. */
const SHOWN = [STUDY, SERIES, INSTANCE, `${INSTANCE}/frames/:frames`];
/**
 * BulkDataURI is kept as `instances/{instance}/bulkdata/{path}`, relative to the series. Relative to the metadata of a
 * study or instance it leads to the other two.
 */
const BULK_DATA = [INSTANCE, `${STUDY}/instances/:instance`, `${SERIES}/instances/:same/instances/:instance`].map(
  (path) => `${path}/bulkdata/*path`,
);

/** Makes the router. */
export function dicomwebRouter(deps: DicomwebDeps): Router {
  const router = new Router({ prefix: '/dicom-web' });
  router.use(answerFaults, answerPrivately, answerTooBroad);
  router.get('/series', answerSeriesSearch(deps));
  router.get('/instances', answerInstanceSearch(deps));
  addStudyReads(router, deps);
  router.post(['/studies', STUDY], answerStore(deps));
  return router;
}

/** What is read of studies: the search for them, and all below one. */
export type StudyReadsDeps = Omit<DicomwebDeps, 'receiveStowRequest'>;

/** Adds the reads to a router; `:study` is the study of a path. */
export function addStudyReads(router: Router, deps: StudyReadsDeps): void {
  router.get('/studies', answerStudySearch(deps));
  router.get(`${STUDY}/series`, answerSeriesSearch(deps));
  router.get([`${STUDY}/instances`, `${SERIES}/instances`], answerInstanceSearch(deps));
  for (const path of [STUDY, SERIES, INSTANCE]) {
    router.get(path, answerInstances(deps));
    router.get(`${path}/metadata`, answerMetadata(deps));
    router.get(`${path}/pixeldata`, refuse('Pixel data are sent frame by frame'));
  }
  router.get(`${INSTANCE}/frames/:frames`, answerFrames(deps));
  for (const path of BULK_DATA) router.get(path, answerBulkData(deps));
  for (const path of SHOWN) {
    router.get(`${path}/rendered`, path === INSTANCE ? answerRenderedInstance(deps) : answerRendered(deps));
    router.get(`${path}/thumbnail`, answerThumbnail(deps));
  }
}

/** What would cost too much is too broad, which DICOMweb answers by 413. @see DICOM PS3.18 table 8.5-1 */
export async function answerTooBroad(_ctx: Context, next: Next): Promise<void> {
  try {
    await next();
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'too-costly') throw error;
    throw new Fault('too-long', error.message, { cause: error });
  }
}

function refuse(message: string): (ctx: Context) => never {
  return () => {
    throw new Fault('not-supported', message);
  };
}
