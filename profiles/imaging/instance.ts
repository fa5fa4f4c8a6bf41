/**
 * What one instance says of itself beside the other instances of its series. Slices of a volume say nothing of the
 * kind, so only headers of objects that can need be read.
 *
 * DICOM                                     | of the instance
 * DocumentTitle (0042,0010)                 | title
 * ConceptNameCodeSequence (0040,A043), its meaning | title of a structured report or key object selection
 * ContentLabel (0070,0080)                  | title of a presentation state, segmentation and the like
 * ImageLaterality (0020,0062)               | side: L, R or B
 *
 * R4 also maps ImageType to title; its values are codes that most images of a series share, and no title to a reader.
 * @see FHIR R4 ImagingStudy.series.instance.title, DICOM mapping; DICOM PS3.3 C.24.2, C.17.3, C.10.9, C.8.11.7
 */
import { DICOM_UID } from '../codes.ts';
import { TAG } from '../dicom/attributes.ts';
import { conceptsOf } from '../dicom/coded-entry.ts';
import type { DicomJson } from '../dicom/json/json.ts';
import { jsonText } from '../dicom/json/values.ts';

/** A side as Laterality writes it. */
export type Side = 'L' | 'R' | 'B';

/** What an instance says of itself; empty for most. */
export type InstanceDescription = { readonly title?: string; readonly side?: Side };

/**
 * Classes below the usual root whose objects say either: digital X-ray, mammography and intra-oral (1.), presentation
 * states (11.), breast tomosynthesis, parametric map, segmentation and registration (66), ophthalmic images (77.1.5.),
 * structured reports and key objects (88.), content assessment, annotations, encapsulated documents (104.).
 */
const DESCRIBED = ['1.', '11.', '13.1.3', '30', '66', '77.1.5.', '88.', '90.', '91.', '104.'].map(
  (end) => DICOM_UID.storageClassPrefix + end,
);

/** Whether objects of a class may say of themselves what the header of another instance does not. */
export function isDescribed(sopClassUID: string): boolean {
  return DESCRIBED.some((prefix) => sopClassUID.startsWith(prefix));
}

/** Describes an instance by its header. */
export function describeInstance(header: DicomJson): InstanceDescription {
  const title =
    jsonText(header, TAG.DocumentTitle) ??
    conceptsOf(header, TAG.ConceptNameCodeSequence)[0]?.text ??
    jsonText(header, TAG.ContentLabel);
  const side = toSide(jsonText(header, TAG.ImageLaterality));
  return { ...(title !== undefined && { title }), ...(side !== undefined && { side }) };
}

/** Returns the side that instances are of: that which all of them name, or both; undefined when they name none. */
export function sideOf(instances: readonly InstanceDescription[]): Side | undefined {
  const sides = new Set(instances.map(({ side }) => side).filter((side) => side !== undefined));
  const [side] = sides;
  return sides.size > 1 ? 'B' : side;
}

function toSide(value: string | undefined): Side | undefined {
  return value === 'L' || value === 'R' || value === 'B' ? value : undefined;
}
