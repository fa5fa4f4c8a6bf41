/** WADO-RS Retrieve Metadata: the DICOM JSON of each instance, as it was made on reception. @see DICOM PS3.18 10.4.1.1.2 */
import { Readable } from 'node:stream';
import type { RouterContext } from '@koa/router';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import type { retrieveInstances } from '../../flows/retrieve-instances.ts';
import type { InstanceRow } from '../../ports/commit-plan.ts';
import type { Identify } from '../http/visit.ts';
import { acceptedBy, requireDicomJson } from './accept.ts';
import { requestedInstances } from './requested-instances.ts';

/** What the endpoint needs. */
export type RetrieveMetadataDeps = {
  readonly identify: Identify;
  readonly retrieveInstances: ReturnType<typeof retrieveInstances>;
  readonly baseUrl: () => string;
};

/** Answers the metadata of a study, series or instance as one JSON array. */
export function retrieveMetadata(deps: RetrieveMetadataDeps) {
  return async (ctx: RouterContext): Promise<void> => {
    const visit = await deps.identify(ctx, deps.baseUrl());
    requireDicomJson(acceptedBy(ctx));
    const rows = await deps.retrieveInstances(visit, { ...requestedInstances(ctx.params), passage: 'wado-metadata' });
    ctx.set('Content-Type', MEDIA_TYPE.dicomJson);
    ctx.body = Readable.from(formatMetadata(rows), { objectMode: false });
  };
}

async function* formatMetadata(rows: AsyncIterable<InstanceRow>): AsyncGenerator<string> {
  let before = '[';
  for await (const { metadata } of rows) {
    yield before + metadata;
    before = ',';
  }
  yield ']';
}
