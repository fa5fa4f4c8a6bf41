/**
 * Somebody of the region's support asks to see items of a patient for a ticket, `Patient/$support-access`. Nothing is
 * seen until another person of the region confirms it.
 * @see access.md C7
 */
import { buildSupportTask, SUPPORT_MS, type SupportFacts } from '../../../profiles/consent/giving/support.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading } from '../../access/grant.ts';
import { mayAskSupport } from '../../access/giving/may-give.ts';
import { eventRecord, referenceOf, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { identityNamed, type NamedIdentity } from '../identity/judge-identities.ts';
import { refuseOwnMatter } from '../identity/own-matter.ts';
import { subjectFacts } from '../identity/persons.ts';
import { jobOf } from '../jobs/job-of.ts';
import { newId } from '../new-id.ts';
import { commitFresh, joinParts, putOf, type Planned } from '../write/plan-parts.ts';

/** What the flow needs. */
export type AskSupportDeps = GuardDeps & { readonly indexer: Indexer };

/** What is asked, and whose it is. */
export type AskedSupport = Pick<SupportFacts, 'ticket' | 'reason' | 'until' | 'item'> & {
  readonly patient: NamedIdentity;
};

/**
 * Files it; resolves with the Task (`Task/id`) that waits for who confirms it. What the patient shares, and whether the
 * item is hers, is told to nobody: it counts when something is read.
 * @throws {Fault} forbidden - the requester is not of the support, or the matter is her own
 * @throws {Fault} not-found - no such patient
 * @throws {Fault} invalid - an end that is over, or later than a day from now
 */
export function askSupport(deps: AskSupportDeps) {
  return async (visit: Visit, asked: AskedSupport): Promise<string> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const { result } = await commitFresh(deps.records, async () => await planOf(deps, visit, asked));
      return result;
    });
}

async function planOf(
  deps: AskSupportDeps,
  visit: Visit,
  { patient: named, ...asked }: AskedSupport,
): Promise<Planned<string>> {
  const { records, clock, indexer } = deps;
  const { requester } = visit;
  const now = clock.now();
  const reading = systemReading('decide-at-desk', now);
  const known = await identityNamed(deps, reading, named);
  const patient = `Patient/${known?.content.id}`;
  const subject = known && (await subjectFacts(records, reading, requester, { patient, person: known.person }));
  const warrant = mayAskSupport(requester, subject, now);
  if (subject === undefined) throw new Fault('not-found', 'No such patient');
  const { person } = subject;
  await refuseOwnMatter(deps)(requester, [person]);
  if (!(now < asked.until && asked.until <= now + SUPPORT_MS))
    throw new Fault('invalid', 'A ticket ends within a day from now', { expression: 'until' });
  const practitioner = referenceOf(requester);
  const task = buildSupportTask({ id: newId(), patient, practitioner, ...asked, now });
  const offices = (['region-desk', 'region-dpo'] as const).map((office) => ({ office, organization: '' }));
  const origin = { sources: [patient, practitioner], services: [], offices };
  const entities = [{ what: { reference: `Task/${task.id}` }, detail: { operation: 'support-access' } }];
  const plan = joinParts({
    puts: [putOf(indexer, task, now, { person, subject: patient, origin })],
    jobs: [jobOf('alert-officers', task.id, now)],
    audit: [eventRecord(clock, forSupport(visit), 'operation', { person, patient, entities })],
  });
  return { warrant, plan, result: `Task/${task.id}` };
}

/** The visit, for the purpose of a ticket, whatever the token said. */
function forSupport(visit: Visit): Visit {
  return { ...visit, requester: { ...visit.requester, purpose: 'HSYSADMIN' } };
}
