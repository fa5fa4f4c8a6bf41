/**
 * Earlier servers published every report, whatever its status. Documents of those that nobody has validated are
 * withdrawn here, those of cancelled ones superseded, and bytes of errors kept for whom they are.
 */
import type { DiagnosticReport } from '@medplum/fhirtypes';
import { isValidated } from '../../../profiles/documents/diagnostic-report.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { knownPatient } from '../identity/persons.ts';
import { findById, rowById, type Found } from '../internal-reads.ts';
import type { UpgradeStep } from '../upgrade/upgrade-step.ts';
import { changed } from '../write/changed-put.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';
import { formBinary, formsOfVersions } from '../write/report-forms.ts';
import { reportDocumentUpkeep } from './report-upkeep.ts';

type Deps = Parameters<typeof reportDocumentUpkeep>[0] & { readonly clock: Clock };

/** The statuses of a report that is not validated, or not any more. */
const STATUSES = ['registered', 'partial', 'preliminary', 'unknown', 'cancelled', 'entered-in-error'] as const;

/** Brings what was published of reports that are not validated to what may be known of them. Persons are placed. */
export function adoptReports(deps: Deps): UpgradeStep {
  const values = STATUSES.map((code) => ({ code }));
  return {
    name: 'reports',
    reason: 'adopt-reports',
    type: 'DiagnosticReport',
    where: [{ kind: 'token', param: 'status', values }],
    work: async (row) => await adoptReport(deps, row),
  };
}

/** Nothing of it is for desks. */
async function adoptReport(deps: Deps, { id }: InternalRow): Promise<number> {
  await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const reading = systemReading('adopt-reports', now);
    const report = await findById<DiagnosticReport>(deps.records, reading, 'DiagnosticReport', id);
    const patient = await knownPatient(deps.records, reading, report?.row.subject ?? '');
    if (report === undefined || patient === undefined || isValidated(report.resource))
      return { warrant: systemWarrant('adopt-reports'), plan: joinParts(), result: undefined };
    const documents = await reportDocumentUpkeep(deps, reading, report, patient, now);
    const plan = joinParts(documents, ...(await bytesParts(deps, reading, report, now)));
    return { warrant: systemWarrant('adopt-reports', patient.person), plan, result: undefined };
  });
  return 0;
}

/** An error takes the bytes of every version. */
async function bytesParts(
  { records, indexer }: Deps,
  reading: NarrowReading,
  { row, resource }: Found<DiagnosticReport>,
  now: number,
): Promise<readonly PlanParts[]> {
  const { person, subject, released } = row;
  if (person === undefined || subject === undefined) return [];
  const isError = resource.status === 'entered-in-error';
  const forms = isError ? await formsOfVersions(records, reading, row) : (resource.presentedForm ?? []);
  const parts: PlanParts[] = [];
  for (const form of forms) {
    const binary = formBinary(resource, form);
    const standing = await rowById(records, reading, 'Binary', binary.id);
    if (standing?.blob === undefined) continue;
    const blob = { name: standing.blob.name, size: form.size ?? 0 };
    const facts = { person, subject, released, parent: `DiagnosticReport/${row.id}`, blob };
    parts.push(changed(indexer, standing, binary, now, facts));
  }
  return parts;
}
