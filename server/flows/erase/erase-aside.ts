/** What is kept aside of a person, erased with the Tasks that list it: whatever study it came under, another's too. */
import { systemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { QuarantinedInstance } from '../../ports/commit-plan.ts';
import { taskKeyOf } from '../aside/list-kept-aside.ts';
import { claimOf } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts } from '../write/plan-parts.ts';
import type { EraseStudyDeps } from './erase-study.ts';

/** Instances of one plan. */
const AT_ONCE = 500;

/** Erases what is filed under some of her identities (`Patient/id`); bytes go before the rows that name them. */
export async function eraseAside(
  { records, images, clock }: EraseStudyDeps,
  person: PersonKey,
  identities: ReadonlySet<string>,
  run: JobRun,
): Promise<void> {
  const reading = systemReading('erase-study', clock.now());
  const hers: QuarantinedInstance[] = [];
  for await (const one of records.quarantined(reading({ person })))
    if (identities.has(one.subject ?? '')) hers.push(one);
  for (const [key, listed] of Map.groupBy(hers, taskKeyOf)) {
    const task = await claimOf(records, reading, key);
    const list = task === undefined ? [] : [{ rows: [{ type: 'Task', id: task } as const], claims: [key] }];
    for (let at = 0; at < listed.length; at += AT_ONCE) {
      const quarantined = listed.slice(at, at + AT_ONCE);
      for (const { blob } of quarantined) await images.remove(blob.name);
      const isLast = at + AT_ONCE >= listed.length;
      const warrant = systemWarrant('erase-study', listed[0]?.studyInstanceUID ?? '');
      await records.commit(warrant, joinParts({ erased: [{ quarantined }, ...(isLast ? list : [])] }));
      await run.goOn();
    }
  }
}
