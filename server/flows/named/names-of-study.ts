/**
 * Whom the images of a study name as correspondents, where the establishment that sent them attests that these are
 * whom the patient declared there. Names of any other mean nothing.
 * @see access.md R-16
 */
import { createHash } from 'node:crypto';
import type { Practitioner, Reference } from '@medplum/fhirtypes';
import { canonicalText } from '../../../profiles/canonical-text.ts';
import { TAG } from '../../../profiles/dicom/attributes.ts';
import { jsonText } from '../../../profiles/dicom/json/values.ts';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import { correspondentsOf } from '../../../profiles/imaging/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import type { StoredStudy } from '../study/study-content.ts';

/** One name: `source` (`Organization/id`) attests it; `key` is the same for the same name by the same source. */
export type NamedCorrespondent = {
  readonly source: string;
  readonly actor: Reference<Practitioner>;
  readonly key: string;
};

/** Names of one study that are looked at. */
const MOST_NAMED = 20;

/**
 * Finds them, each once, in the first image of each series, of whoever sent that first: who sends it alike after that
 * passes on what was said elsewhere.
 */
export function namesOfStudy(
  region: Pick<RegionIndex, 'recordsWord'>,
  { series }: Pick<StoredStudy, 'series'>,
): readonly NamedCorrespondent[] {
  const all = series.flatMap(({ attributes, instances: [first] }) => {
    const day = dayOf(attributes);
    if (first === undefined || day === undefined || !region.recordsWord(first.source, day)) return [];
    const { source } = first;
    return correspondentsOf(attributes).map((actor) => ({ source, actor, key: keyOf(source, actor) }));
  });
  return [...new Map(all.map((one) => [one.key, one])).values()].slice(0, MOST_NAMED);
}

/** The day of the exam (YYYY-MM-DD): a name without one is from no time. */
function dayOf(header: DicomJson): string | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(jsonText(header, TAG.StudyDate) ?? '');
  return match === null ? undefined : match.slice(1).join('-');
}

/** A number names somebody however the name is written beside it. */
function keyOf(source: string, { identifier, display }: Reference): string {
  const { system, value } = identifier ?? {};
  const name = system === undefined || value === undefined ? [display, value] : { system, value };
  return createHash('sha256')
    .update(canonicalText([source, name]))
    .digest('base64url');
}
