/** What was filed of a person beside her exams, erased with every version: reports, their documents, visits, orders. */
import type { DiagnosticReport } from '@medplum/fhirtypes';
import { TEAM_TYPES } from '../../../profiles/consent/actors.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { systemReading, type Reading, type SystemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { ERASED_TYPES, systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { findById, pagesOfAll } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts, oneOf } from '../write/plan-parts.ts';
import { blobsOf, type EraseStudyDeps } from './erase-study.ts';
import { eraseWithBytes, removeErasedBytes } from './erased-bytes.ts';
import { eraseNamed, namedParts } from './erased-names.ts';
import { goneReport, itemOf, type Gone } from './erased-parts.ts';
import { countingParts, countRows, type Taking } from './taken.ts';

/** Rows of one plan. */
const AT_ONCE = 200;

/**
 * Erases what is filed under some of her identities, and lets the store forget it; one event says how much went. What
 * the trail tells of it goes last, that of who asked meanwhile, too.
 */
export async function eraseItems(deps: EraseStudyDeps, taking: Taking, run: JobRun): Promise<void> {
  const { records, clock } = deps;
  const { person, identities, still } = taking;
  const reading = systemReading('erase-study', clock.now());
  await still?.();
  const { reports, rows } = await goneItems(deps, reading, person, identities);
  await removeErasedBytes(deps, person);
  let erased = 0;
  for (const report of reports) {
    erased += await erase(deps, reading, taking, report);
    await run.goOn();
  }
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const some = rows.slice(at, at + AT_ONCE);
    const claims = some.flatMap(({ type, id }) => (TEAM_TYPES.includes(type) ? [claimKey.team(id)] : []));
    erased += await erase(deps, reading, taking, { rows: some, claims, names: some.map(itemOf) });
    await run.goOn();
  }
  await removeErasedBytes(deps, person);
  await eraseNamed(deps, taking, run);
  if (erased > 0) await told(deps, taking, erased);
  await records.forget();
}

/** Reports, with what is derived from them; and all other rows, deleted ones too. */
async function goneItems(
  deps: EraseStudyDeps,
  reading: Reading,
  person: PersonKey,
  identities: ReadonlySet<string>,
): Promise<{ readonly reports: readonly Gone[]; readonly rows: Gone['rows'] }> {
  const { records } = deps;
  const reports: Gone[] = [];
  for (const id of await filedUnder(deps, reading({ person }), 'DiagnosticReport', identities)) {
    const report = await findById<DiagnosticReport>(records, reading, 'DiagnosticReport', id);
    if (report !== undefined) reports.push(await goneReport(deps, reading, report));
  }
  const derived = new Set(reports.flatMap((report) => report.rows.map(itemOf)));
  const rows: Gone['rows'][number][] = [];
  for (const type of ERASED_TYPES) {
    const ids = await filedUnder(deps, reading({ person }), type, identities);
    rows.push(...ids.map((id) => ({ type, id })).filter((row) => !derived.has(itemOf(row))));
  }
  const deleted = await records.deletedOf(reading({ person }), person);
  const former = deleted.filter(({ type, subject: of }) => ERASED_TYPES.includes(type) && identities.has(of ?? ''));
  return { reports, rows: [...rows, ...former.map(({ type, id }) => ({ type, id }))] };
}

/** The ids of such rows, however many. */
async function filedUnder(
  { records }: EraseStudyDeps,
  grant: SystemGrant,
  type: StoredType,
  identities: ReadonlySet<string>,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const page of pagesOfAll(records, grant, type))
    for (const { row } of page) if (identities.has(row.subject ?? '')) ids.push(row.id);
  return ids;
}

async function erase(
  deps: EraseStudyDeps,
  reading: Reading,
  taking: Taking,
  { rows, claims, names: named }: Gone,
): Promise<number> {
  const { person, task, still } = taking;
  await eraseWithBytes(deps, person, async () => {
    const names = await blobsOf(deps.records, reading, rows);
    const counted = await countingParts(deps, task, await countRows(deps.records, reading, rows));
    const told = await namedParts(deps, taking, named);
    const parts = oneOf([{ erased: [{ rows, claims }] }, counted, told, (await still?.()) ?? {}]);
    return { warrant: systemWarrant('erase-items', person), parts, names };
  });
  return rows.length;
}

async function told({ records, clock }: EraseStudyDeps, { person, subject }: Taking, erased: number): Promise<void> {
  const entities = [{ role: '13', detail: { operation: 'erase-items', resources: String(erased) } }];
  const event = recordOf(clock, ownOccasion('passerelle'), 'operation', { person, patient: subject, entities });
  await records.commit(systemWarrant('erase-items', person), joinParts({ audit: [event] }));
}
