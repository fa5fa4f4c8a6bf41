/** Which instances a WADO-RS path names. @see DICOM PS3.18 section 10.4.1 */
import { isUID } from '../../../../profiles/dicom/uid.ts';
import { Fault } from '../../../../profiles/fault.ts';
import type { WhichInstances } from '../../../flows/retrieve/study-pages.ts';

/**
 * Reads the UIDs of a path. What is no UID names nothing.
 * @throws {Fault} not-found - one of them is not a UID
 */
export function requestedInstances(params: Readonly<Record<string, string | undefined>>): WhichInstances {
  const { study = '', series, instance } = params;
  if (![study, series ?? study, instance ?? study].every(isUID))
    throw new Fault('not-found', 'No such study, series or instance');
  return {
    studyInstanceUID: study,
    ...(series === undefined ? {} : { seriesInstanceUID: series }),
    ...(instance === undefined ? {} : { sopInstanceUIDs: [instance] }),
  };
}
