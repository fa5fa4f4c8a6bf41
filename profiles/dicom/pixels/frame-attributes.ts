/** What holds for one frame: its own functional groups, then those of all frames, then the instance's attributes. */
import { itemsOf, TAG } from '../attributes.ts';
import type { DicomDataSet } from '../data-element.ts';

/**
 * Lists where an attribute of a frame (from 0) is looked for, the first that has it counts: the item of a functional
 * group in the frame's own groups, in the shared groups, then the data set. @see DICOM PS3.3 C.7.6.16
 */
export function placesOfFrame(dataSet: DicomDataSet, frame: number, functionalGroup: number): readonly DicomDataSet[] {
  const own = itemsOf(dataSet, TAG.PerFrameFunctionalGroupsSequence)[frame];
  const shared = itemsOf(dataSet, TAG.SharedFunctionalGroupsSequence)[0];
  const groups = [own, shared].flatMap((groups) => (groups === undefined ? [] : itemsOf(groups, functionalGroup)));
  return [...groups, dataSet];
}
