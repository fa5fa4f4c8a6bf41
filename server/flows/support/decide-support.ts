/**
 * A person of the region's desk or its data protection officer decides a ticket of support: confirmed, a Consent gives
 * what it asks at once, until its end, and the patient is told; ended, that is over.
 */
import type { Consent, Task } from '@medplum/fhirtypes';
import { permitOf } from '../../../profiles/consent/declaration.ts';
import {
  buildSupportConsent,
  buildSupportNotice,
  consentOfSupport,
  decidedSupport,
  endOfSupport,
  SUPPORT_VERDICTS,
} from '../../../profiles/consent/giving/support.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { NarrowReading } from '../../access/grant.ts';
import { endedConsent, endingAt } from '../consent/end-consent.ts';
import { requireTwo } from '../consent/paper/two-persons.ts';
import { eventRecord, type GuardDeps, type Visit } from '../guard.ts';
import { findById, type Found } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { newcomersOf } from '../notices/newcomers.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { filedBy, putOf, type PlanParts } from '../write/plan-parts.ts';

/** What it needs. */
export type DecideSupportDeps = GuardDeps & { readonly indexer: Indexer; readonly timeZone: string };

/** What is decided; `officer` (`Practitioner/id`) decides, `now` in epoch milliseconds. */
export type DecidedSupport = {
  readonly verdict: string;
  readonly comment: string;
  readonly officer: string;
  readonly now: number;
};

/**
 * Works out the parts.
 * @throws {Fault} invalid - a verdict that Tasks of this kind do not have
 * @throws {Fault} conflict - it is decided; it is over; what is to end was never confirmed
 * @throws {Fault} forbidden - who decides may be who asks
 */
export async function supportDecidedParts(
  deps: DecideSupportDeps,
  visit: Visit,
  reading: NarrowReading,
  found: Found<Task>,
  decided: DecidedSupport,
): Promise<readonly PlanParts[]> {
  const verdict = SUPPORT_VERDICTS.find((one) => one === decided.verdict);
  if (verdict === undefined)
    throw new Fault('invalid', `The verdict is one of ${SUPPORT_VERDICTS.join(', ')}`, { expression: 'verdict' });
  const { row, resource: task } = found;
  const { now, officer } = decided;
  if (task.status !== (verdict === 'ended' ? 'accepted' : 'requested'))
    throw new Fault('conflict', verdict === 'ended' ? 'Nothing stands that ends' : 'It is decided already');
  await requireTwo(deps.records, reading, task, officer);
  const said = (more: { readonly consent?: string } = {}): PlanParts =>
    changed(deps.indexer, row, decidedSupport(task, { ...decided, verdict, ...more }), now, aboutRow(row));
  switch (verdict) {
    case 'refused':
      return [said()];
    case 'ended':
      return [said(), await endParts(deps, visit, reading, task, now)];
    case 'confirmed': {
      const { id, parts } = await givenParts(deps, visit, reading, found, decided);
      return [said({ consent: `Consent/${id}` }), ...parts];
    }
  }
}

async function givenParts(
  { indexer, clock, records, timeZone }: DecideSupportDeps,
  visit: Visit,
  reading: NarrowReading,
  { row, resource: task }: Found<Task>,
  { officer, now }: DecidedSupport,
): Promise<{ readonly id: string; readonly parts: readonly PlanParts[] }> {
  const { person, subject: patient } = row;
  if (person === undefined || patient === undefined) throw new Error('A ticket is of somebody');
  const end = endOfSupport(task);
  if (!(now < end)) throw new Fault('conflict', 'The time that the ticket asks for is over');
  const id = newId();
  const consent = buildSupportConsent(task, { id, patient, officer, now });
  const about = { person, patient, consent: `Consent/${id}` };
  const entities = [{ what: { reference: `Task/${row.id}` }, detail: { change: 'support-access' } }];
  const reference = task.requester?.reference ?? '';
  const [known] = await newcomersOf(records, reading, [{ reference }]);
  if (known === undefined) throw new Fault('conflict', 'Who asked is not known any more');
  return {
    id,
    parts: [
      {
        puts: [
          putOf(indexer, consent, now, { person, subject: patient, origin: filedBy(reference) }),
        ],
        jobs: [endingAt(id, end)],
        audit: [eventRecord(clock, visit, 'operation', { ...about, entities })],
      },
      noticeParts(indexer, { person, patient }, now, (facts) =>
        buildSupportNotice({ ...facts, consent: about.consent, practitioner: { ...known, reference }, task, timeZone }),
      ),
    ],
  };
}

/** Nothing is left to end where the patient ended it, or its time is over. */
async function endParts(
  { records, indexer, clock }: DecideSupportDeps,
  visit: Visit,
  reading: NarrowReading,
  task: Task,
  now: number,
): Promise<PlanParts> {
  const id = consentOfSupport(task)?.replace(/^Consent\//, '');
  const consent = id === undefined ? undefined : await findById<Consent>(records, reading, 'Consent', id);
  if (consent === undefined || permitOf(consent.resource) === undefined) return {};
  return endedConsent(indexer, consent, now, (about) => eventRecord(clock, visit, 'update', about));
}
