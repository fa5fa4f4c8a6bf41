/** The reports of a study: which count for it, and what is brought up to date of them when it changes. */
import type { DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { studiesOf } from '../../../profiles/documents/diagnostic-report.ts';
import { accessionsOf, linkedTo } from '../../../profiles/documents/report-links.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemGrant, type NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { knownPatient, type KnownPatient } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findAll, type Found } from '../internal-reads.ts';
import { changed } from '../write/changed-put.ts';
import { joinParts, shownOf, type PlanParts } from '../write/plan-parts.ts';
import { authorsOf, linkedStudies, mayReport, type KnownStudy } from './linked-studies.ts';
import { reportDocumentParts } from './report-document-parts.ts';
import { reportsOf } from './study-content.ts';

type Deps = { readonly records: RecordStore; readonly indexer: Indexer; readonly region: RegionIndex };

/** A report, the person that it is about, and the establishment (`Organization/id`) that sent it. */
export type NamingReport = Found<DiagnosticReport> & {
  readonly person: PersonKey;
  readonly organization: string;
  /** That establishment, and the professionals who signed. */
  readonly authors: readonly string[];
  /** It comes from an establishment that made the study or reads for one that did. */
  readonly counts: boolean;
};

/**
 * Finds the reports of a study's person that name it, and those that are linked to it although it is another person's
 * now: what is said of another person's study is no part of it.
 */
export async function reportsOfStudy(
  { records, region }: Deps,
  reading: NarrowReading,
  { studyInstanceUID, person: owner, sources }: Omit<StudyAtUpkeep, 'imagingStudy' | 'manifests'>,
  imagingStudy: ImagingStudy,
  now: number,
): Promise<NamingReport[]> {
  const id = imagingStudy.id ?? '';
  const named = { id, studyInstanceUID, accessions: accessionsOf(imagingStudy) };
  const own = await reportsOf(records, reading({ person: owner }), named);
  const linked = await findAll<DiagnosticReport>(
    records,
    systemGrant('unlink-reports', 'whole', now),
    'DiagnosticReport',
    [{ kind: 'reference', param: 'imaging-study', values: [`ImagingStudy/${id}`] }],
  );
  const naming: NamingReport[] = [];
  for (const report of [...own, ...linked.filter(({ row }) => row.person !== owner)]) {
    const { person } = report.row;
    if (person === undefined) continue;
    const authors = await authorsOf(records, reading, person, `DiagnosticReport/${report.row.id}`);
    const organization = authors.find((author) => author.startsWith('Organization/'));
    const counts = person === owner && mayReport(region, organization ?? '', sources);
    if (organization !== undefined) naming.push({ ...report, person, organization, authors, counts });
  }
  return naming;
}

/** A report that stands, with what its documents are made of; undefined where no establishment sent it. */
export async function standingReport(
  deps: Deps,
  reading: NarrowReading,
  { row, resource }: Found<DiagnosticReport>,
  patient: KnownPatient,
) {
  const { person } = patient;
  const authors = await authorsOf(deps.records, reading, person, `DiagnosticReport/${row.id}`);
  const organization = authors.find((author) => author.startsWith('Organization/'));
  if (organization === undefined) return undefined;
  const studies = await linkedStudies(deps, reading, { resource, person, organization });
  const facts = {
    person,
    subject: patient.patient,
    released: row.released,
    origin: shownOf(deps.region, resource, ...authors),
  };
  return { resource, ...facts, patient, organization, studies };
}

/** The documents of a report as they are to be, of a patient as she is said at present. */
export async function reportDocumentUpkeep(
  deps: Deps,
  reading: NarrowReading,
  found: Found<DiagnosticReport>,
  patient: KnownPatient,
  now: number,
): Promise<PlanParts> {
  const { row } = found;
  const hand = await standingReport(deps, reading, found, patient);
  if (hand === undefined) return {};
  return joinParts(
    { preconditions: [{ kind: 'version', type: 'DiagnosticReport', id: row.id, version: row.version }] },
    await reportDocumentParts(deps, reading, hand, new Map(), now),
  );
}

/** A study as it will stand, and whose it is; `manifests` (`DocumentReference/id`) are its current ones. */
export type StudyAtUpkeep = KnownStudy & {
  readonly studyInstanceUID: string;
  readonly person: PersonKey;
  readonly manifests: readonly string[];
};

/** Links reports, each of them once, to studies as they are now, and brings their documents up to date. */
export async function reportUpkeep(
  deps: Deps,
  reading: NarrowReading,
  reports: readonly NamingReport[],
  changing: readonly StudyAtUpkeep[],
  now: number,
): Promise<PlanParts[]> {
  const atHand = new Map(changing.map(({ imagingStudy, manifests }) => [imagingStudy.id ?? '', manifests]));
  const parts: PlanParts[] = [];
  for (const { row, resource: standing, person, organization, authors } of reports) {
    const { subject, released } = row;
    if (subject === undefined) continue;
    const hers = changing.filter((study) => study.person === person);
    const others = new Set(changing.flatMap((study) => (study.person === person ? [] : [study.imagingStudy.id])));
    const named = await linkedStudies(deps, reading, { resource: standing, person, organization }, hers);
    const studies = named.filter(({ id }) => !others.has(id));
    const resource = linkedTo(standing, studies);
    // What neither told of the study nor is to tell of it is as it was.
    const told = new Set([standing, resource].flatMap(studiesOf));
    if (!changing.some(({ studyInstanceUID }) => told.has(studyInstanceUID))) continue;
    // It may be of the same person under another Patient than the study's.
    const patient = await knownPatient(deps.records, reading, subject);
    const origin = shownOf(deps.region, resource, ...authors);
    const hand = { resource, person, subject, organization, released, studies, origin };
    parts.push(
      joinParts(
        // Its next version may bring documents of its own.
        { preconditions: [{ kind: 'version', type: 'DiagnosticReport', id: row.id, version: row.version }] },
        changed(deps.indexer, row, resource, now, { person, subject, released }),
        patient === undefined ? {} : await reportDocumentParts(deps, reading, { ...hand, patient }, atHand, now),
      ),
    );
  }
  return parts;
}
