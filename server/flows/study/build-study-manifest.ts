/**
 * The manifest of a stored study: of the study what its images say, of the patient what her source says at present,
 * cleaned to what a manifest may hold.
 */
import { TAG } from '../../../profiles/dicom/attributes.ts';
import { issuerSystemOf } from '../../../profiles/dicom/issuer.ts';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import { oidOf } from '../../../profiles/codes.ts';
import { buildManifest } from '../../../ihe/kos/manifest.ts';
import { derivedUid } from '../../../ihe/kos/uid.ts';
import { cleanText } from './clean-text.ts';
import { manifestPatientOf } from './manifest-patient.ts';
import type { StoredStudy } from './study-content.ts';

/** Where the manifest's readers find the images. */
export type ManifestPlace = {
  readonly repositoryUniqueId: string;
  readonly retrieveAETitle: string;
  /** Base of DICOMweb, without a final slash. */
  readonly dicomWeb: string;
  /** System (URI) of accession numbers whose issuer the image does not name. */
  readonly accessionSystem: string;
};

/**
 * The UIDs of manifests that list what stands of a study: that of the first, of the second that lists the same, and so
 * on without end. They follow from the instances, so whoever makes one twice makes the same.
 */
export function* manifestUids(study: StoredStudy): Generator<string, never> {
  const listed = study.series
    .flatMap((series) => series.instances.map(({ sopInstanceUID }) => sopInstanceUID))
    .toSorted();
  const first = derivedUid(`manifest|${study.studyInstanceUID}|${listed.join('|')}`);
  yield first;
  for (let at = 1; ; at += 1) yield derivedUid(`manifest|${first}|${at}`);
}

/** Builds the manifest of a study under a UID, dated by a moment. */
export function buildStudyManifest(
  study: StoredStudy,
  sopInstanceUID: string,
  place: ManifestPlace,
  now: Date,
): Uint8Array {
  const json = study.series[0].attributes;
  const accessionNumber = cleanText(textOf(json, '00080050'), 16);
  const accessionIssuerOid = oidOf(issuerSystemOf(json, TAG.IssuerOfAccessionNumberSequence) ?? place.accessionSystem);
  const stamp = now.toISOString();
  return buildManifest({
    sopInstanceUID,
    seriesInstanceUID: derivedUid(`manifest-series|${study.studyInstanceUID}`),
    studyInstanceUID: study.studyInstanceUID,
    patient: manifestPatientOf(study.patient),
    manufacturer: 'Passerelle',
    contentDate: stamp.slice(0, 10).replaceAll('-', ''),
    contentTime: stamp.slice(11, 19).replaceAll(':', ''),
    timezoneOffset: '+0000',
    repositoryUniqueId: place.repositoryUniqueId,
    retrieveAETitle: place.retrieveAETitle,
    ...present('accessionNumber', accessionNumber),
    ...(accessionNumber === undefined ? {} : present('accessionIssuerOid', accessionIssuerOid)),
    ...present('studyDate', matching(textOf(json, '00080020'), /^\d{8}$/)),
    ...present('studyTime', matching(textOf(json, '00080030'), /^\d{6}(\.\d{1,6})?$/)),
    ...present('studyId', cleanText(textOf(json, '00200010'), 16)),
    ...present('institutionName', cleanText(textOf(json, '00080080'), 64)),
    series: study.series.map((series) => ({
      seriesInstanceUID: series.seriesInstanceUID,
      retrieveURL: `${place.dicomWeb}/studies/${study.studyInstanceUID}/series/${series.seriesInstanceUID}`,
      instances: series.instances,
    })),
  });
}

function textOf(json: DicomJson, tag: string): string | undefined {
  const value = json[tag]?.Value?.[0];
  return typeof value === 'string' ? value : undefined;
}

function matching(text: string | undefined, pattern: RegExp): string | undefined {
  return text !== undefined && pattern.test(text) ? text : undefined;
}

function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
