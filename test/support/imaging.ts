/** Studies of the fixtures as the builders of profiles/ take them. */
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import type { DicomHeader } from '../../profiles/dicom/data-element.ts';
import { scanHeader } from '../../profiles/dicom/dataset.ts';
import { parseFileMeta } from '../../profiles/dicom/file-meta.ts';
import { toDicomJson } from '../../profiles/dicom/json.ts';
import type { DicomJson, JsonAttribute } from '../../profiles/dicom/json.ts';
import { TAG } from '../../profiles/dicom/attributes.ts';
import { formatTag } from '../../profiles/dicom/data-element.ts';
import type { StudySeries } from '../../profiles/imaging-study-series.ts';

/** Reads the header of a Part 10 file. */
export function headerOf(bytes: Uint8Array): DicomHeader {
  const { dataSetOffset, transferSyntaxUID = '' } = parseFileMeta(bytes);
  const header = scanHeader(bytes.subarray(dataSetOffset), transferSyntaxUID, { isWhole: true });
  if (header === 'incomplete') throw new Error('The file is not whole');
  return header;
}

/** The series of a study, each with the header of its first instance. */
export function seriesOf(study: DemoStudy): StudySeries[] {
  const series = new Map<string, StudySeries & { instances: StudySeries['instances'][number][] }>();
  for (const { bytes, seriesInstanceUID, sopInstanceUID, sopClassUID } of study.instances()) {
    const fresh = { seriesInstanceUID, attributes: toDicomJson(headerOf(bytes)), instances: [] };
    const one = series.get(seriesInstanceUID) ?? fresh;
    one.instances.push({ sopInstanceUID, sopClassUID, instanceNumber: one.instances.length + 1 });
    series.set(seriesInstanceUID, one);
  }
  return [...series.values()];
}

/** The header of the first instance of a study. */
export function firstHeader(study: DemoStudy): DicomJson {
  const [first] = seriesOf(study);
  if (first === undefined) throw new Error('The study has no series');
  return first.attributes;
}

/** A header with attributes replaced (undefined takes one away). */
export function withAttributes(json: DicomJson, changes: Partial<Record<keyof typeof TAG, JsonAttribute | undefined>>): DicomJson {
  const changed = Object.entries(changes).map(([keyword, attribute]) => [formatTag(TAG[keyword as keyof typeof TAG]), attribute]);
  const merged: Record<string, JsonAttribute | undefined> = { ...json, ...Object.fromEntries(changed) };
  return Object.fromEntries(Object.entries(merged).filter((entry): entry is [string, JsonAttribute] => entry[1] !== undefined));
}
