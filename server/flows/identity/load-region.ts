/** Loads the directory of the region file at first start; what stands already is left as it is. */
import type { Endpoint, Resource } from '@medplum/fhirtypes';
import { buildWadoEndpoint } from '../../../profiles/imaging/wado-endpoint.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { storedType } from '../../../profiles/types/visibility.ts';
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Region } from '../../config/region-model.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { changed } from '../write/changed-put.ts';
import { commitFresh, joinParts, putOf } from '../write/plan-parts.ts';
import { findById } from '../internal-reads.ts';

/** What the flow needs. */
export type LoadRegionDeps = {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly publicUrl: () => string;
  /** The repository that manifests and RAD-69 name. */
  readonly repositoryUniqueId: string;
};

/** The Endpoint by which the images of this server are retrieved. */
export const IMAGE_ENDPOINT = { id: 'passerelle-dicom-web', reference: 'Endpoint/passerelle-dicom-web' } as const;

/** Resources written at a time. */
const BATCH = 200;

/** Puts the region's directory resources that are not there yet, and the server's own Endpoint. */
export function loadRegion(deps: LoadRegionDeps) {
  return async (region: Region): Promise<void> => {
    const resources = (region.bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
    for (let at = 0; at < resources.length; at += BATCH) await putAbsent(deps, resources.slice(at, at + BATCH));
    await putEndpoint(deps, region);
  };
}

async function putAbsent(deps: LoadRegionDeps, resources: readonly Resource[]): Promise<void> {
  await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const reading = systemReading('load-region', now);
    const warrant = systemWarrant('load-region', 'region file');
    const puts = [];
    for (const resource of resources) {
      const standing = await findById(deps.records, reading, storedType(resource.resourceType), resource.id ?? '');
      if (standing === undefined) puts.push(putOf(deps.indexer, resource, now));
    }
    return { warrant, plan: joinParts({ puts }), result: undefined };
  });
}

/** The address follows the server's public URL. */
async function putEndpoint(deps: LoadRegionDeps, region: Region): Promise<void> {
  await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const [owner] = region.imagingServices;
    const endpoint: Endpoint = buildWadoEndpoint({
      id: IMAGE_ENDPOINT.id,
      organization: owner?.establishment ?? '',
      address: `${deps.publicUrl()}/dicom-web`,
      retrieveLocationUID: deps.repositoryUniqueId,
    });
    const standing = await findById<Endpoint>(
      deps.records,
      systemReading('load-region', now),
      'Endpoint',
      IMAGE_ENDPOINT.id,
    );
    const plan = joinParts(changed(deps.indexer, standing?.row, endpoint, now, {}));
    return { warrant: systemWarrant('load-region', 'region file'), plan, result: undefined };
  });
}
