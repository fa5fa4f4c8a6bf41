/** The stored exams that a report counts for: of the same person, by an establishment that reads them. */
import type { DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { covers, labelOf } from '../../../profiles/confidentiality.ts';
import {
  accessionsOf,
  namesStudy,
  studyNamesOf,
  type NamedStudy,
  type Numbered,
} from '../../../profiles/documents/report-links.ts';
import { studyInstanceUIDOf } from '../../../profiles/imaging/identifiers.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { itemIn, referenceOf } from '../../access/right.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { claimOf, findAll, findById } from '../internal-reads.ts';

/** What is known of an exam already: its resource, and the establishments (`Organization/id`) whose it is. */
export type KnownStudy = { readonly imagingStudy: ImagingStudy; readonly sources: readonly string[] };

/** A report, the person that it is about, and the establishment (`Organization/id`) that sent it. */
export type SentReport = {
  readonly resource: DiagnosticReport;
  readonly person: PersonKey;
  readonly organization: string;
};

/** An exam that a report counts for. */
export type LinkedStudy = NamedStudy & { readonly imagingStudy: ImagingStudy };

type Deps = { readonly records: RecordStore; readonly region: Pick<RegionIndex, 'readersFor'> };

/**
 * Finds the exams that a report counts for, those that are at hand and those that stand. One that is more confidential
 * than the report is not shown by it: whoever reads the report may not see the exam.
 */
export async function linkedStudies(
  deps: Deps,
  reading: NarrowReading,
  report: SentReport,
  known: readonly KnownStudy[] = [],
): Promise<LinkedStudy[]> {
  const names = studyNamesOf(report.resource);
  const atHand = new Map(known.map((study) => [study.imagingStudy.id ?? '', study]));
  const found = new Set<string>();
  for (const { imagingStudy } of known) if (isNamedBy(names, imagingStudy)) found.add(imagingStudy.id ?? '');
  for (const uid of names.uids) {
    const id = await claimOf(deps.records, reading, claimKey.imagingStudy(uid));
    if (id !== undefined) found.add(id);
  }
  for (const id of names.ids) found.add(id);
  for (const id of await numberedIds(deps.records, reading, report.person, names.accessions)) found.add(id);
  const studies: LinkedStudy[] = [];
  for (const id of found) {
    const study = atHand.get(id) ?? (await standingStudy(deps.records, reading, report.person, id));
    const linked = study === undefined ? undefined : linkOf(deps, report, study);
    if (linked !== undefined) studies.push(linked);
  }
  return studies;
}

/** Whether an establishment reads an exam of others, or of its own: what it reports on it then counts. */
export function mayReport(region: Deps['region'], organization: string, sources: readonly string[]): boolean {
  return sources.some((source) => region.readersFor(source).includes(organization));
}

/** The authors of a row (`Type/id`) of a person: establishments that filed it, professionals who signed it. */
export async function authorsOf(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  item: string,
): Promise<readonly string[]> {
  const rights = await records.rightsOf(reading({ person }), person, item);
  const own = rights.filter(({ relation, scope }) => relation === 'author' && itemIn(scope) === item);
  return own.map(({ principal }) => referenceOf(principal));
}

/** The establishments (`Organization/id`) that filed a row of a person (`Type/id`). */
export async function establishmentsOf(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  item: string,
): Promise<readonly string[]> {
  const authors = await authorsOf(records, reading, person, item);
  return authors.filter((author) => author.startsWith('Organization/'));
}

/** Exams that bear a number, whoever gave it: whose they are is looked at afterwards. */
async function numberedIds(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  accessions: readonly Numbered[],
): Promise<readonly string[]> {
  if (accessions.length === 0) return [];
  const values = accessions.map(({ system, value }) => ({ system, code: value }));
  const numbered = { kind: 'token', param: 'basedon:identifier', values } as const;
  const found = await findAll<ImagingStudy>(records, reading({ person }), 'ImagingStudy', [numbered]);
  return found.map(({ row }) => row.id);
}

/** Only an exam of the same person: of any other nothing is known here. */
async function standingStudy(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  id: string,
): Promise<KnownStudy | undefined> {
  const study = await findById<ImagingStudy>(records, reading, 'ImagingStudy', id);
  if (study?.row.person !== person) return undefined;
  const sources = await establishmentsOf(records, reading, person, `ImagingStudy/${id}`);
  return { imagingStudy: study.resource, sources };
}

function linkOf(
  { region }: Deps,
  { resource, organization }: SentReport,
  { imagingStudy, sources }: KnownStudy,
): LinkedStudy | undefined {
  const studyInstanceUID = uidOf(imagingStudy);
  if (studyInstanceUID === undefined || !mayReport(region, organization, sources)) return undefined;
  const isShown = covers(labelOf(resource.meta), labelOf(imagingStudy.meta));
  return { id: imagingStudy.id ?? '', studyInstanceUID, isShown, imagingStudy };
}

function isNamedBy(names: ReturnType<typeof studyNamesOf>, study: ImagingStudy): boolean {
  const studyInstanceUID = uidOf(study);
  if (studyInstanceUID === undefined) return false;
  return namesStudy(names, { id: study.id ?? '', studyInstanceUID }, accessionsOf(study));
}

function uidOf({ identifier = [] }: ImagingStudy): string | undefined {
  return identifier.map(studyInstanceUIDOf).find((uid) => uid !== undefined);
}
