/** What an earlier server kept aside names no identity, or nobody, and is on no list: it gets what it lacks. */
import { systemGrant } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { QuarantinedInstance } from '../../ports/commit-plan.ts';
import { findIdentity } from '../identity/persons.ts';
import { jobOf } from '../jobs/job-of.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import { keptFor } from './file-aside.ts';
import type { AsideDeps, AsideReading } from './aside-deps.ts';
import { readAside } from './stored-aside.ts';

/** Studies whose work is asked for in one plan. */
const STUDIES_A_PLAN = 500;

/** Asks for the list of each study of which something is kept aside of nobody. */
export function listFormerAside({ records, clock }: Pick<AsideDeps, 'records' | 'clock'>) {
  return async (): Promise<void> => {
    const now = clock.now();
    const studies = new Set<string>();
    for await (const one of records.quarantined(systemGrant('list-aside', 'whole', now)))
      if (one.person === undefined) studies.add(one.studyInstanceUID);
    const all = [...studies];
    for (let at = 0; at < all.length; at += STUDIES_A_PLAN) {
      const jobs = all.slice(at, at + STUDIES_A_PLAN).map((study) => jobOf('refresh-study', study, now));
      await records.commit(systemWarrant('ask-for-work', 'refresh-study'), joinParts({ jobs }));
    }
  };
}

/**
 * Files what is kept aside of nobody under the identity that it names, where its sender has that; tells if it did.
 * It may be of the person of its study all along.
 */
export async function identifyAside(
  deps: AsideDeps,
  reading: AsideReading,
  aside: readonly QuarantinedInstance[],
): Promise<boolean> {
  let isChanged = false;
  for (const one of aside.filter(isFormer)) {
    const stored = await readAside(deps.images, deps.region, one);
    if (stored === undefined || stored.named.foreignIssuer !== undefined) continue;
    const { system, value } = stored.named.identity;
    const known = await findIdentity(deps.records, reading, system, value);
    if (known === undefined) continue;
    await commitFresh(deps.records, async () => ({
      warrant: systemWarrant('list-kept-aside', one.studyInstanceUID),
      plan: joinParts(keptFor(one, one.reason, { patient: known.patient, person: known.person }), {
        jobs: [jobOf('settle-person', known.person, deps.clock.now())],
      }),
      result: undefined,
    }));
    isChanged = true;
  }
  return isChanged;
}

function isFormer({ person, reason }: QuarantinedInstance): boolean {
  return person === undefined && reason !== 'foreign-issuer';
}
