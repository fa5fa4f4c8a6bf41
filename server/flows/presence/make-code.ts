/**
 * A patient, or who represents her, makes a presence code, `Patient/$presence-code`: whoever is with her and redeems it
 * within some minutes sees her record for some days. The last code counts, once; it is told to who made it alone, and
 * never kept.
 */
import { randomBytes } from 'node:crypto';
import {
  PRESENCE_CODE_BYTES,
  presenceCodeOf,
  readPresenceCode,
} from '../../../profiles/consent/giving/presence-code.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemReading } from '../../access/grant.ts';
import { requireSpeaker } from '../../access/may-attempt.ts';
import { mayMakeCode } from '../../access/giving/may-give.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { filingPatient, subjectFacts } from '../identity/persons.ts';
import { claimOf } from '../internal-reads.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import { keptCode } from './kept-code.ts';

/** A code, and the end of the time in which it is redeemed, epoch milliseconds. */
export type PresenceCode = { readonly code: string; readonly until: number };

/** How long a code waits for whoever redeems it. */
const WAITS_MS = 15 * 60_000;

/**
 * Makes the code of the patient who asks, or for whom is asked; it takes the place of the one before.
 * @throws {Fault} forbidden - another than a patient or who represents her asks
 * @throws {Fault} business-rule - her record is not shared
 */
export function makePresenceCode(deps: GuardDeps) {
  return async (visit: Visit): Promise<PresenceCode> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const requester = requireSpeaker(visit.requester, 'presence-code');
      const { records, clock } = deps;
      const code = presenceCodeOf(randomBytes(PRESENCE_CODE_BYTES));
      const until = clock.now() + WAITS_MS;
      const kept = JSON.stringify(await keptCode(readPresenceCode(code) ?? '', until));
      await commitFresh(records, async () => {
        const now = clock.now();
        const reading = systemReading('presence-code', now);
        const { patient } = requester;
        const key = claimKey.presenceCode(patient);
        const last = await claimOf(records, reading, key);
        const known = await filingPatient(records, reading, requester, patient, now);
        if (known === undefined) throw new Fault('not-found', 'No such patient');
        const subject = await subjectFacts(records, reading, requester, known);
        const warrant = mayMakeCode(requester, subject, now);
        const entities = [{ what: { reference: patient }, detail: { operation: 'presence-code' } }];
        const event = eventRecord(clock, visit, 'operation', { person: subject.person, patient, entities });
        const former = last === undefined ? {} : takenCode(patient, last);
        const plan = joinParts(former, { claims: [{ key, value: kept }], audit: [event] });
        return { warrant, plan, result: undefined };
      });
      return { code, until };
    });
}

/** The parts by which a code that is kept (as it stands) counts no more. */
export function takenCode(patient: string, value: string) {
  const key = claimKey.presenceCode(patient);
  return { preconditions: [{ kind: 'claimed', key, value }], erased: [{ claims: [key] }] } as const;
}
