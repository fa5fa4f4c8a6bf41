/**
 * Withdrawal and its end: `Patient/$withdraw` hides the record from all professionals at once, `Patient/$reconsent`
 * ends what the same speaker said. Each change is one plan: Consents, state, event.
 */
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading } from '../../access/grant.ts';
import { requireConsentChanger } from '../../access/may-attempt.ts';
import { mayWrite } from '../../access/may-write.ts';
import { refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import { patientAsked } from './patient-asked.ts';
import { changeOf, type ConsentChanged } from './sharing-change.ts';
import { readSharing } from './sharing-parts.ts';

/** What the flow needs. */
export type ChangeConsentDeps = GuardDeps & { readonly indexer: Indexer };

/** What is asked: by an establishment about a Patient, by the patient about the Task that she confirms. */
export type ConsentChangeAsked = {
  readonly change: 'withdraw' | 'reconsent';
  /** `Patient/id`. */
  readonly patient?: string | undefined;
  /** `Task/id` of an establishment's request. */
  readonly task?: string | undefined;
};

/**
 * Withdraws or gives back. The patient speaks for herself; an establishment records what its patient told it.
 * @throws {Fault} forbidden - a professional asks
 * @throws {Fault} not-found - no such patient, or none of this establishment; no such request of hers
 */
export function changeConsent(deps: ChangeConsentDeps) {
  return async (visit: Visit, asked: ConsentChangeAsked): Promise<ConsentChanged> =>
    await refusalsRecorded(deps, visit, 'withdraw', async () => {
      const requester = requireConsentChanger(visit.requester, asked.change);
      const { result } = await commitFresh(deps.records, async () => {
        const now = deps.clock.now();
        const reading = systemReading('change-consent', now);
        const subject = await patientAsked(deps, reading, requester, asked.patient, now);
        const act = { interaction: 'operation', operation: asked.change } as const;
        const warrant = mayWrite(requester, act, { now, subject });
        if (subject === undefined) throw new Fault('not-found', 'No such patient');
        const standing = await readSharing(deps.records, reading, subject.person, now);
        const { parts, result } = changeOf(
          { deps, visit, requester, subject, standing, now },
          asked.change,
          asked.task,
        );
        return { warrant, plan: joinParts(...parts), result };
      });
      return result;
    });
}
