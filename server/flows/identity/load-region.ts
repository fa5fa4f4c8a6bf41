/**
 * The region file is the directory: what it adds, changes, ends or does not hold any more counts from the commit on, at
 * each start and each reload.
 */
import type { Endpoint, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { buildWadoEndpoint } from '../../../profiles/imaging/wado-endpoint.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { storedType } from '../../../profiles/types/visibility.ts';
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Region } from '../../config/region-model.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { reasonsToConfirm, requireConfirmed } from '../directory/confirmed.ts';
import { compareDirectory, resourcesOf, type DirectoryChange } from '../directory/directory-changes.ts';
import { readDirectory } from '../directory/read-directory.ts';
import {
  isSameFile,
  markOf,
  readMark,
  refuseFormer,
  setMark,
  stillMarked,
  type RegionMark,
} from '../directory/region-mark.ts';
import { findById } from '../internal-reads.ts';
import { changed } from '../write/changed-put.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';

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
/** Resources that an event names. */
const MAX_NAMED = 100;
/** Processes that start together follow one another. */
const TRIES = 4;

/** What a region file would change in the directory of the store, and what a person has to confirm. */
export type RegionForecast = {
  readonly mark: RegionMark;
  /** The mark of the store. */
  readonly standing: RegionMark | undefined;
  readonly directory: readonly Resource[];
  readonly changes: readonly DirectoryChange[];
  readonly reasons: readonly string[];
};

/**
 * Tells it, and writes nothing.
 * @throws {Fault} conflict - the file is older than what the store holds, or changed under the same serial
 */
export function forecastRegion({ records, clock }: Pick<LoadRegionDeps, 'records' | 'clock'>) {
  return async (region: Region): Promise<RegionForecast> => {
    const now = clock.now();
    const mark = markOf(region, 'writing');
    const standing = await readMark(records, now);
    refuseFormer(standing, mark);
    const directory = await readDirectory(records, now);
    const changes = compareDirectory(directory, resourcesOf(region), [IMAGE_ENDPOINT.reference]);
    return { mark, standing, directory, changes, reasons: await reasonsToConfirm(records, directory, changes, now) };
  };
}

/**
 * Makes the directory of the store that of a file, and tells what it changed. `confirmed` is the serial of which
 * somebody has confirmed what it takes away. Broken off, it goes on at the next start.
 * @throws {Fault} conflict - as {@link forecastRegion}; what it takes away is not confirmed; another process loads
 */
export function loadRegion(deps: LoadRegionDeps) {
  const forecast = forecastRegion(deps);
  return async (region: Region, confirmed?: number): Promise<readonly DirectoryChange[]> => {
    for (let attempt = 1; ; attempt += 1) {
      const foreseen = await forecast(region);
      const { mark, changes, reasons } = foreseen;
      requireConfirmed(reasons, mark.serial, confirmed);
      try {
        await write(deps, foreseen);
        return changes;
      } catch (error) {
        const lost = error instanceof Fault && (error.kind === 'conflict' || error.kind === 'version-conflict');
        if (!lost || attempt >= TRIES) throw error;
      }
    }
  };
}

async function write(deps: LoadRegionDeps, { mark, standing, changes, reasons }: RegionForecast): Promise<void> {
  const written: RegionMark = { ...mark, state: 'written' };
  if (changes.length === 0 && standing !== undefined && isSameFile(standing, mark) && standing.state === 'written')
    return;
  if (standing === undefined || !isSameFile(standing, mark) || standing.state === 'written')
    await setMark(deps.records, standing, mark);
  for (let at = 0; at < changes.length; at += BATCH) await putChanges(deps, mark, changes.slice(at, at + BATCH));
  // A store that bears no mark has had no region yet, or that of an earlier server.
  const audit = standing === undefined ? [] : [loadedRecord(deps.clock, mark, changes, reasons)];
  await setMark(deps.records, mark, written, audit);
}

/** Tells that another file was loaded: how much it changed, what of access it ended, and what somebody confirmed. */
function loadedRecord(
  clock: Clock,
  { serial, digest }: RegionMark,
  changes: readonly DirectoryChange[],
  reasons: readonly string[],
): AuditRecord {
  const ended = changes.filter(({ kind }) => kind === 'ended').map(({ reference }) => reference);
  const detail = {
    serial: String(serial),
    digest,
    changes: String(changes.length),
    ended: ended.slice(0, MAX_NAMED).join(', '),
    confirmed: reasons.join('; '),
  };
  const told = Object.entries(detail).filter(([, text]) => text !== '');
  const entities = [{ role: '13', detail: Object.fromEntries(told) }];
  return recordOf(clock, ownOccasion('operator'), 'load-region', { entities });
}

async function putChanges(deps: LoadRegionDeps, mark: RegionMark, changes: readonly DirectoryChange[]): Promise<void> {
  const now = deps.clock.now();
  const reading = systemReading('load-region', now);
  const parts = [];
  for (const { resource } of changes) {
    const standing = await findById(deps.records, reading, storedType(resource.resourceType), resource.id ?? '');
    parts.push(changed(deps.indexer, standing?.row, resource, now, {}));
  }
  const plan = joinParts({ preconditions: [stillMarked(mark)] }, ...parts);
  await deps.records.commit(systemWarrant('load-region', 'region file'), plan);
}

/** The server's own entry of the directory: its address follows the public URL. */
export function announceImages(deps: LoadRegionDeps) {
  return async (region: Region): Promise<void> => {
    await commitFresh(deps.records, async () => {
      const now = deps.clock.now();
      const [owner] = region.imagingServices;
      const endpoint: Endpoint = buildWadoEndpoint({
        id: IMAGE_ENDPOINT.id,
        organization: owner?.establishment ?? '',
        address: `${deps.publicUrl()}/dicom-web`,
        retrieveLocationUID: deps.repositoryUniqueId,
      });
      const reading = systemReading('load-region', now);
      const standing = await findById<Endpoint>(deps.records, reading, 'Endpoint', IMAGE_ENDPOINT.id);
      const plan = joinParts(changed(deps.indexer, standing?.row, endpoint, now, {}));
      return { warrant: systemWarrant('load-region', 'region file'), plan, result: undefined };
    });
  };
}
