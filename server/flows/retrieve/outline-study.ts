/** A requester opens a study in a viewer: what there is to look at, series by series. */
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import { StudyOutline, type SeriesOutline } from '../../../profiles/imaging/study-outline.ts';
import type { GuardDeps, Visit } from '../guard.ts';
import { retrieveMetadata } from './retrieve-metadata.ts';

/** Instances that a viewer lists; what a study holds beyond is not looked at there. */
const MOST_INSTANCES = 20_000;

/**
 * Makes the outline. It is audited as the reading of metadata that it is.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such study, or none that the requester may see
 */
export function outlineStudy(deps: GuardDeps) {
  const retrieve = retrieveMetadata(deps);
  return async (visit: Visit, studyInstanceUID: string): Promise<readonly SeriesOutline[]> => {
    const { pages } = await retrieve(visit, { studyInstanceUID });
    const outline = new StudyOutline();
    let count = 0;
    for await (const page of pages()) {
      for (const metadata of page) outline.add(JSON.parse(Buffer.from(metadata).toString('utf8')) as DicomJson);
      count += page.length;
      if (count >= MOST_INSTANCES) break;
    }
    return outline.series;
  };
}
