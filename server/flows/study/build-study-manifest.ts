/** The manifest of a stored study: what the images say, cleaned to what a manifest may hold. */
import { TAG } from '../../../profiles/dicom/attributes.ts';
import { issuerSystemOf } from '../../../profiles/dicom/issuer.ts';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import { oidOf } from '../../../profiles/codes.ts';
import { buildManifest, type ManifestPatient } from '../../../ihe/kos/manifest.ts';
import { derivedUid } from '../../../ihe/kos/uid.ts';
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

/** A manifest: its UID follows from the instances it lists, so the same study gives the same manifest. */
export type BuiltManifest = { readonly sopInstanceUID: string; readonly bytes: Uint8Array };

/** The UID that the manifest of a study has as it stands. */
export function manifestUid(study: StoredStudy): string {
  const listed = study.series
    .flatMap((series) => series.instances.map(({ sopInstanceUID }) => sopInstanceUID))
    .toSorted();
  return derivedUid(`manifest|${study.studyInstanceUID}|${listed.join('|')}`);
}

/** Builds the manifest of a study, dated by a moment. */
export function buildStudyManifest(study: StoredStudy, place: ManifestPlace, now: Date): BuiltManifest {
  const json = study.series[0].attributes;
  const sopInstanceUID = manifestUid(study);
  const accessionNumber = cleanText(textOf(json, '00080050'), 16);
  const accessionIssuerOid = oidOf(issuerSystemOf(json, TAG.IssuerOfAccessionNumberSequence) ?? place.accessionSystem);
  const stamp = now.toISOString();
  const bytes = buildManifest({
    sopInstanceUID,
    seriesInstanceUID: derivedUid(`manifest-series|${study.studyInstanceUID}`),
    studyInstanceUID: study.studyInstanceUID,
    patient: patientOf(json),
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
  return { sopInstanceUID, bytes };
}

function patientOf(json: DicomJson): ManifestPatient {
  const oid = issuerOf(json);
  return {
    name: cleanText(textOf(json, '00100010'), 64) ?? '',
    id: cleanText(textOf(json, '00100020'), 64) ?? '',
    ...(oid === undefined ? {} : { issuer: { oid } }),
    ...present('birthDate', matching(textOf(json, '00100030'), /^\d{8}$/)),
    ...present('sex', matching(textOf(json, '00100040'), /^[MFO]$/)),
  };
}

function issuerOf(json: DicomJson): string | undefined {
  const item = json['00100024']?.Value?.[0];
  const oid = typeof item === 'object' && item !== null ? textOf(item as DicomJson, '00400032') : undefined;
  return matching(oid, /^[0-2](\.\d+)+$/);
}

function textOf(json: DicomJson, tag: string): string | undefined {
  const value = json[tag]?.Value?.[0];
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null && 'Alphabetic' in value
    ? (value.Alphabetic as string | undefined)
    : undefined;
}

/** Text that a short string may hold: no backslash, no control characters, no longer than its VR allows. */
function cleanText(text: string | undefined, length: number): string | undefined {
  // eslint-disable-next-line no-control-regex
  const plain = text?.replaceAll(/[\\\u0000-\u001F\u007F]/g, ' ');
  const clean = plain?.trim().slice(0, length);
  return clean === undefined || clean === '' ? undefined : clean;
}

function matching(text: string | undefined, pattern: RegExp): string | undefined {
  return text !== undefined && pattern.test(text) ? text : undefined;
}

function present<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
