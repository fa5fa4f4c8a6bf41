/**
 * The account of a patient is turned off, `Patient/$set-account`: she signs in no more and sees nothing, while
 * professionals see what they saw. It stays off whatever is fed later, and a desk turns it on again.
 */
import { Fault } from '../../../profiles/fault.ts';
import { systemReading } from '../../access/grant.ts';
import { maySetAccount } from '../../access/may-judge.ts';
import { personKey } from '../../access/requester.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import { identitiesOf, identityAt } from '../identity/identities.ts';
import { refuseOwnMatter } from '../identity/own-matter.ts';
import { subjectFacts } from '../identity/persons.ts';

/** What is asked: of the patient herself, or by a desk of the Patient that it names (`Patient/id`). */
export type AccountAsked = { readonly active: boolean; readonly patient?: string | undefined };

/**
 * Turns it; resolves with the Patient (`Patient/id`).
 * @throws {Fault} forbidden - neither the patient nor a desk asks, or the desk for herself
 * @throws {Fault} required - a desk names nobody
 * @throws {Fault} not-found - no such patient
 */
export function setAccount(deps: GuardDeps) {
  return async (visit: Visit, { active, patient }: AccountAsked): Promise<string> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const { requester } = visit;
      const { records, clock } = deps;
      const named = patient ?? (requester.kind === 'patient' ? requester.patient : undefined);
      if (named === undefined)
        throw new Fault('required', 'The parameter patient is missing', { expression: 'Parameters.parameter' });
      const { result } = await commitFresh(records, async () => {
        const now = clock.now();
        const reading = systemReading('decide-at-desk', now);
        const known = await identityAt(records, reading, named);
        const identities = known === undefined ? [] : await identitiesOf(records, known.person, now);
        const subject =
          known === undefined
            ? undefined
            : await subjectFacts(records, reading, requester, { patient: named, person: known.person });
        const sources = identities.flatMap(({ content }) => content.sources);
        const warrant = maySetAccount(requester, { now, subject, sources });
        if (subject === undefined) throw new Fault('not-found', 'No such patient');
        await refuseOwnMatter(deps)(requester, [subject.person]);
        const change = { accountOff: !active };
        const entities = [{ what: { reference: named }, detail: { operation: 'set-account', active: String(active) } }];
        const event = eventRecord(clock, visit, 'operation', { person: subject.person, patient: named, entities });
        // Who is joined to another by a mistake turns off her own alone.
        const meant = identities.filter(
          ({ content: { id } }) => requester.kind !== 'patient' || `Patient/${id}` === requester.patient,
        );
        const states = meant.map(({ content: { home } }) => ({ person: personKey(home), change }));
        return { warrant, plan: joinParts({ states, audit: [event] }), result: named };
      });
      return result;
    });
}
