/** What stands of one study: its instances by series, its patient, its reports, its manifests. */
import type { DiagnosticReport, DocumentReference, Organization } from '@medplum/fhirtypes';
import { CODE_SYSTEM, DICOM_UID, IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import { describeInstance, isDescribed, type InstanceDescription } from '../../../profiles/imaging/instance.ts';
import { studyInstanceUIDValues } from '../../../profiles/imaging/identifiers.ts';
import { instancesInOrder } from '../../../profiles/imaging/series.ts';
import { namesStudy, studyNamesOf, type Numbered } from '../../../profiles/documents/report-links.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { Reading, SystemGrant, ItemReading } from '../../access/grant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { FurtherSource, InstanceRow } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf, findAll, findById, type Found } from '../internal-reads.ts';
import { knownPatient, type KnownPatient } from '../identity/persons.ts';
import { readOf } from './unreadable-instance.ts';

/** An instance as stored, and what it says of itself where its class does. */
export type StoredInstance = InstanceRow & InstanceDescription;

/** One series, its instances in canonical order, and the metadata of the first of them. */
export type StoredSeries = {
  readonly seriesInstanceUID: string;
  readonly attributes: DicomJson;
  readonly instances: readonly StoredInstance[];
};

/** A study as stored: what is of its person. `sources` are the establishments that sent it, first one first. */
export type StoredStudy = {
  readonly studyInstanceUID: string;
  readonly patient: KnownPatient;
  readonly series: readonly [StoredSeries, ...StoredSeries[]];
  readonly sources: readonly [string, ...string[]];
};

/** Binds a read to a study, or to one item. */
export type StudyReading = Reading<{ readonly study: string } | { readonly item: string }>;

/** Instances of one series that are described each, and the longest metadata that is read for it, in characters. */
const MOST_DESCRIBED = 100;
const MAX_DESCRIBED_METADATA = 1024 * 1024;

/** Instances that are read at a time. */
const MANY = 1_000;

/**
 * Loads a study; undefined when no instance of it is stored that is of its person.
 * @throws {UnreadableInstance} the header of one cannot be read
 */
export async function loadStudy(
  records: RecordStore,
  reading: StudyReading,
  studyInstanceUID: string,
): Promise<StoredStudy | undefined> {
  const reference = await claimOf(records, reading, claimKey.study(studyInstanceUID));
  const patient = reference === undefined ? undefined : await knownPatient(records, reading, reference);
  if (patient === undefined) return undefined;
  const grant = reading({ study: studyInstanceUID });
  const all = await allInstances(records, grant, studyInstanceUID);
  // Those of others are about to leave it.
  const rows = all.filter(({ person }) => person === patient.person);
  const [first, ...others] = await withAttributes(records, grant, rows);
  const [source, ...sources] = await sourcesOf(records, reading, studyInstanceUID, rows);
  if (first === undefined || source === undefined) return undefined;
  return { studyInstanceUID, patient, series: [first, ...others], sources: [source, ...sources] };
}

/** Who sent instances that stand: the one that began the study first. */
async function sourcesOf(
  records: RecordStore,
  reading: ItemReading,
  studyInstanceUID: string,
  rows: readonly InstanceRow[],
): Promise<readonly string[]> {
  const all = new Set(rows.flatMap((row) => [row, ...(row.furtherSources ?? [])]).map(({ source }) => source));
  const first = await claimOf(records, reading, claimKey.studySource(studyInstanceUID));
  return first !== undefined && all.has(first) ? [first, ...[...all].filter((one) => one !== first)] : [...all];
}

/**
 * Who sent instances, and under which identity (`Patient/id`) each of them knows the patient: that of the exam where it
 * is one of those, else any one, the same each time. A sender whose identity is not known has that of the exam.
 */
export function filersOf(rows: readonly InstanceRow[], exam: string): ReadonlyMap<string, string> {
  const sent = rows.flatMap((row): readonly FurtherSource[] => [row, ...(row.furtherSources ?? [])]);
  const filers = new Map<string, string>();
  for (const { source, subject = exam } of sent) {
    const former = filers.get(source);
    const isBetter = former === undefined || subject === exam || (former !== exam && subject < former);
    if (isBetter) filers.set(source, subject);
  }
  return filers;
}

/** The instances of a study, without their metadata. */
export async function allInstances(
  records: RecordStore,
  grant: SystemGrant,
  studyInstanceUID: string,
): Promise<InstanceRow[]> {
  const rows: InstanceRow[] = [];
  for (;;) {
    const question = {
      kind: 'instances',
      studyInstanceUID,
      omitMetadata: true,
      offset: rows.length,
      limit: MANY,
    } as const;
    const { instances } = await records.peek(grant, question);
    rows.push(...instances);
    if (instances.length < MANY) return rows;
  }
}

async function withAttributes(
  records: RecordStore,
  grant: SystemGrant,
  rows: readonly InstanceRow[],
): Promise<StoredSeries[]> {
  const bySeries = Map.groupBy(rows, (row) => row.seriesInstanceUID);
  const series: StoredSeries[] = [];
  for (const [seriesInstanceUID, unordered] of bySeries) {
    const [first, ...others] = instancesInOrder(unordered);
    if (first === undefined) continue;
    const metadata = await metadataOf(records, grant, first);
    const attributes = readOf(first, () => JSON.parse(metadata) as DicomJson);
    const instances: StoredInstance[] = [isDescribed(first.sopClassUID) ? describedBy(first, attributes) : first];
    for (const one of others) instances.push(await described(records, grant, one, instances.length));
    series.push({ seriesInstanceUID, attributes, instances });
  }
  return series;
}

/** One header at a time: what is held of them all is a title. */
async function described(
  records: RecordStore,
  grant: SystemGrant,
  row: InstanceRow,
  at: number,
): Promise<StoredInstance> {
  if (at >= MOST_DESCRIBED || !isDescribed(row.sopClassUID)) return row;
  const metadata = await metadataOf(records, grant, row);
  if (metadata.length > MAX_DESCRIBED_METADATA) return row;
  return describedBy(
    row,
    readOf(row, () => JSON.parse(metadata) as DicomJson),
  );
}

function describedBy(row: InstanceRow, header: DicomJson): StoredInstance {
  return { ...row, ...readOf(row, () => describeInstance(header)) };
}

async function metadataOf(
  records: RecordStore,
  grant: SystemGrant,
  { studyInstanceUID, sopInstanceUID }: InstanceRow,
): Promise<string> {
  const question = {
    kind: 'instances',
    studyInstanceUID,
    sopInstanceUIDs: [sopInstanceUID],
    offset: 0,
    limit: 1,
  } as const;
  const { instances } = await records.peek(grant, question);
  return instances[0]?.metadata ?? '{}';
}

/** The identifier of a study as FHIR writes it. */
export function studyIdentifier(studyInstanceUID: string): { readonly system: string; readonly value: string } {
  return { system: IDENTIFIER_SYSTEM.dicomUid, value: `urn:oid:${studyInstanceUID}` };
}

/** A study as reports may name it. */
export type NameableStudy = {
  readonly id: string;
  readonly studyInstanceUID: string;
  readonly accessions: readonly Numbered[];
};

/**
 * Reports that name a study: those of the person that the grant is bound to, or of all. What was an error is found by
 * no exam.
 */
export async function reportsOf(
  records: RecordStore,
  grant: SystemGrant,
  study: NameableStudy,
): Promise<Found<DiagnosticReport>[]> {
  const { system } = studyIdentifier(study.studyInstanceUID);
  const uids = studyInstanceUIDValues(study.studyInstanceUID).map((code) => ({ system, code }));
  const numbers = study.accessions.map((number) => ({ system: number.system, code: number.value }));
  const named: readonly Criterion[] = [
    { kind: 'token', param: 'imaging-study:identifier', values: [...uids, ...numbers] },
    { kind: 'reference', param: 'imaging-study', values: [`ImagingStudy/${study.id}`] },
    ...(numbers.length === 0 ? [] : [{ kind: 'token', param: 'based-on:identifier', values: numbers } as const]),
  ];
  const found = new Map<string, Found<DiagnosticReport>>();
  for (const criterion of named)
    for (const one of await findAll<DiagnosticReport>(records, grant, 'DiagnosticReport', [criterion]))
      if (namesStudy(studyNamesOf(one.resource), study, study.accessions)) found.set(one.row.id, one);
  return [...found.values()];
}

/**
 * Manifests of a study by the id of its ImagingStudy, to which each refers: the current ones, or superseded ones too.
 * Numbers that documents bear are what senders say, and lead nowhere.
 */
export async function manifestsOf(
  records: RecordStore,
  grant: SystemGrant,
  imagingStudy: string,
  which: 'current' | 'all',
): Promise<Found<DocumentReference>[]> {
  const current: Criterion = { kind: 'token', param: 'status', values: [{ code: 'current' }] };
  return await findAll<DocumentReference>(records, grant, 'DocumentReference', [
    { kind: 'reference', param: 'related', values: [`ImagingStudy/${imagingStudy}`] },
    { kind: 'token', param: 'format', values: [{ system: CODE_SYSTEM.dicomUids, code: DICOM_UID.keyObjectSelection }] },
    ...(which === 'current' ? [current] : []),
  ]);
}

/** An organization of the directory. */
export async function organizationOf(
  records: RecordStore,
  reading: ItemReading,
  reference: string,
): Promise<Organization> {
  const found = await findById<Organization>(
    records,
    reading,
    'Organization',
    reference.replace(/^Organization\//, ''),
  );
  if (found === undefined) throw new Error(`The directory lacks ${reference}`);
  return found.resource;
}
