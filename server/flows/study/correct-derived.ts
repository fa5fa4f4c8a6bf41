/**
 * After the source of an identity has corrected what it says of her: what was derived under the identity says so, too.
 * Exams and their manifests are brought up to date by their own jobs, documents of reports here, as many of them are of
 * no exam. It compares what stands with what should, so it may run at any time.
 */
import type { DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import { knownPatient } from '../identity/persons.ts';
import { findById, pagesOfAll } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';
import { reportDocumentUpkeep } from './report-upkeep.ts';

type Deps = Parameters<typeof reportDocumentUpkeep>[0] & { readonly clock: Clock };

/** Corrects what was derived under an identity, by its id. */
export function correctDerived(deps: Deps) {
  return async (identity: string, run?: JobRun): Promise<void> => {
    const { records, clock } = deps;
    const subject = `Patient/${identity}`;
    const reading = systemReading('maintain-study', clock.now());
    const known = await knownPatient(records, reading, subject);
    if (known === undefined) return;
    const hers = reading({ person: known.person });
    for await (const page of pagesOfAll<ImagingStudy>(records, hers, 'ImagingStudy')) {
      await refresh(
        deps,
        page.filter(({ row }) => row.subject === subject).map(({ resource }) => studyInstanceUIDIn(resource)),
      );
      await run?.goOn();
    }
    for await (const page of pagesOfAll<DiagnosticReport>(records, hers, 'DiagnosticReport'))
      for (const { row } of page.filter((found) => found.row.subject === subject)) {
        await correctReport(deps, row.id, subject);
        await run?.goOn();
      }
  };
}

async function refresh({ records, clock }: Deps, studies: readonly string[]): Promise<void> {
  if (studies.length === 0) return;
  const jobs = studies.map((study) => jobOf('refresh-study', study, clock.now()));
  await records.commit(systemWarrant('ask-for-work', 'refresh-study'), joinParts({ jobs }));
}

async function correctReport(deps: Deps, id: string, subject: string): Promise<void> {
  await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const reading = systemReading('maintain-study', now);
    const known = await knownPatient(deps.records, reading, subject);
    const report = await findById<DiagnosticReport>(deps.records, reading, 'DiagnosticReport', id);
    // Whoever moved it meanwhile has asked for the same of whom it is now.
    const isHers = known !== undefined && report?.row.person === known.person && report.row.subject === subject;
    const parts: PlanParts = isHers ? await reportDocumentUpkeep(deps, reading, report, known, now) : {};
    const persons = known === undefined ? [] : [known.person];
    return { warrant: systemWarrant('correct-documents', ...persons), plan: joinParts(parts), result: undefined };
  });
}
