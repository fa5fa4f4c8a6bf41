/**
 * An exam or a report under another label, with all that shows it: documents bear its label, and reports that may not
 * tell of an exam do so no more. All is in one plan, so that nothing shows what the label hides.
 */
import type { DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { labelOf } from '../../../profiles/confidentiality.ts';
import { linkedTo } from '../../../profiles/documents/report-links.ts';
import { Fault } from '../../../profiles/fault.ts';
import { studyInstanceUIDOf } from '../../../profiles/imaging/identifiers.ts';
import {
  codingsSaid,
  masksOfReports,
  withLabel,
  withMasksOfReports,
  type LabelSayer,
} from '../../../profiles/said-label.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { knownPatient } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findById, type Found } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { changed } from '../write/changed-put.ts';
import { joinParts, shownOf, type PlanParts } from '../write/plan-parts.ts';
import { isHidden } from './hidden-manifest.ts';
import { establishmentsOf, type LinkedStudy } from './linked-studies.ts';
import { reportDocumentParts } from './report-document-parts.ts';
import {
  reportsOfStudy,
  reportUpkeep,
  standingReport,
  type NamingReport,
  type StudyAtUpkeep,
} from './report-upkeep.ts';
import { manifestsOf } from './study-content.ts';

type Deps = { readonly records: RecordStore; readonly indexer: Indexer; readonly region: RegionIndex };

/**
 * The parts for exams (`row`) that are to be as `resource` says. A report that tells of several of them is written
 * once, and one that the same plan writes not at all.
 */
export async function relabelledStudiesParts(
  deps: Deps,
  reading: NarrowReading,
  found: readonly Found<ImagingStudy>[],
  now: number,
  writtenReport?: string,
): Promise<readonly PlanParts[]> {
  const parts: PlanParts[] = [];
  const studies: StudyAtUpkeep[] = [];
  const reports = new Map<string, NamingReport>();
  for (const one of found) {
    const relabelled = await relabelledStudy(deps, reading, one, now);
    parts.push(relabelled.parts);
    studies.push(relabelled.study);
    for (const report of await reportsOfStudy(deps, reading, relabelled.study, one.resource, now))
      if (report.person === relabelled.study.person && report.row.id !== writtenReport)
        reports.set(report.row.id, report);
  }
  return [...parts, ...(await reportUpkeep(deps, reading, [...reports.values()], studies, now))];
}

/** An exam and its manifests under its label; reports are left to the caller. */
async function relabelledStudy(
  deps: Deps,
  reading: NarrowReading,
  { row, resource }: Found<ImagingStudy>,
  now: number,
): Promise<{ readonly parts: PlanParts; readonly study: StudyAtUpkeep }> {
  const { person, subject, released } = row;
  const studyInstanceUID = resource.identifier?.map(studyInstanceUIDOf).find((uid) => uid !== undefined);
  if (person === undefined || subject === undefined || studyInstanceUID === undefined)
    throw new Error('An exam is somebody’s and has a UID');
  const sources = await establishmentsOf(deps.records, reading, person, `ImagingStudy/${row.id}`);
  const manifests = (await manifestsOf(deps.records, reading({ person }), row.id, 'all')).filter(
    (found) => found.row.person === person && !isHidden(found),
  );
  const label = labelOf(resource.meta);
  const origin = shownOf(deps.region, resource, ...sources);
  const relabelled = manifests.map((found) => {
    const facts = { person, subject: found.row.subject ?? subject, released: found.row.released, origin };
    return changed(deps.indexer, found.row, withLabel(found.resource, label), now, facts);
  });
  const standing = manifests.filter((found) => found.resource.status === 'current');
  const current = standing.map((found) => `DocumentReference/${found.row.id}`);
  return {
    parts: joinParts(changed(deps.indexer, row, resource, now, { person, subject, released }), ...relabelled),
    study: { studyInstanceUID, person, imagingStudy: resource, sources, manifests: current },
  };
}

/** Exams that one report masks at most: all are written in its own plan. */
const MOST_MASKED = 50;

/**
 * The exams that a report counts for are masked in its own plan as it is. What it masks no more is found out when they
 * are looked at again: other reports may mask them, too.
 * @throws {Fault} too-costly - it masks more than {@link MOST_MASKED}
 */
export async function maskedStudiesParts(
  deps: Deps,
  reading: NarrowReading,
  report: DiagnosticReport,
  studies: readonly LinkedStudy[],
  now: number,
): Promise<readonly PlanParts[]> {
  const masks = masksOfReports([report]);
  const masked: Found<ImagingStudy>[] = [];
  for (const { id, imagingStudy } of masks.length === 0 ? [] : studies) {
    const standing = labelOf({ security: [...codingsSaid(imagingStudy.meta, 'report')] }).masks;
    const further = masks.filter((mask) => !standing.includes(mask));
    const found =
      further.length === 0 ? undefined : await findById<ImagingStudy>(deps.records, reading, 'ImagingStudy', id);
    if (found === undefined) continue;
    masked.push({ row: found.row, resource: withMasksOfReports(found.resource, [...standing, ...further]) });
    if (masked.length > MOST_MASKED)
      throw new Fault('too-costly', `A report masks ${MOST_MASKED} exams at most: send it as several`);
  }
  return await relabelledStudiesParts(deps, reading, masked, now, report.id);
}

/**
 * The parts for a report that is to be as `resource` says, as one sayer of its label changed it; undefined where it is
 * nobody's, or no establishment sent it.
 */
export async function relabelledReportParts(
  deps: Deps,
  reading: NarrowReading,
  found: Found<DiagnosticReport>,
  sayer: LabelSayer,
  now: number,
): Promise<PlanParts | undefined> {
  const { row, resource } = found;
  const patient = await knownPatient(deps.records, reading, row.subject ?? '');
  const hand = patient && (await standingReport(deps, reading, found, patient));
  if (hand === undefined) return undefined;
  const { person, subject, released, studies } = hand;
  const linked = linkedTo(resource, studies);
  // What the source masks no more is found out of each exam by itself.
  const jobs = sayer === 'source' ? studies.map((study) => jobOf('refresh-study', study.studyInstanceUID, now)) : [];
  return joinParts(
    changed(deps.indexer, row, linked, now, { person, subject, released }),
    await reportDocumentParts(deps, reading, { ...hand, resource: linked }, new Map(), now),
    ...(await maskedStudiesParts(deps, reading, linked, studies, now)),
    { jobs },
  );
}
