/**
 * A professional redeems the code of a patient who is with him, `Patient/$redeem-presence-code`, and sees her record
 * for some days. The answer is the same of a code that is wrong, over, used or another's, and of whom nobody knows;
 * after some of them nothing is looked at for a while.
 */
import type { Identifier } from '@medplum/fhirtypes';
import { readPresenceCode } from '../../../profiles/consent/giving/presence-code.ts';
import { buildPresenceConsent } from '../../../profiles/consent/privacy-consent.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { stateAllows } from '../../access/decide.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { requireProfessional } from '../../access/may-attempt.ts';
import { mayRedeem } from '../../access/giving/may-give.ts';
import type { SubjectFacts } from '../../access/may-write.ts';
import type { PractitionerRequester } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { isBlockedBy } from '../consent/break-glass.ts';
import { endingAt } from '../consent/end-consent.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { identitiesNamed, identitiesOf } from '../identity/identities.ts';
import { subjectFacts } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { claimOf } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { commitFresh, filedBy, joinParts, putOf, type Planned, type PlanParts } from '../write/plan-parts.ts';
import { isKept, type KeptCode } from './kept-code.ts';
import { takenCode } from './make-code.ts';
import { readTries, refuseGuessing, triedParts, type TriesDeps } from './tries.ts';

/** What the flow needs; `days` is how long the record is seen. */
export type RedeemCodeDeps = GuardDeps &
  TriesDeps & {
    readonly indexer: Indexer;
    readonly region: RegionIndex;
    readonly days: number;
  };

/** The code as it was typed, and a number of whose it is said to be. */
export type TriedCode = { readonly identifier: Identifier; readonly code: string };

const DAY_MS = 24 * 3_600_000;

/**
 * Redeems a code; resolves with the Consent (`Consent/id`) that gives the record and says until when.
 * @throws {Fault} forbidden - another than a professional tries
 * @throws {Fault} not-found - the code opens nothing
 * @throws {Fault} throttled - too many were in vain lately, of this professional or for this number
 */
export function redeemPresenceCode(deps: RedeemCodeDeps) {
  return async (visit: Visit, tried: TriedCode): Promise<string> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const requester = requireProfessional(visit.requester, 'redeem-presence-code');
      const { result } = await commitFresh(deps.records, async () => await planOf(deps, visit, requester, tried));
      if (result === undefined) throw new Fault('not-found', 'The code opens nothing');
      return result;
    });
}

async function planOf(
  deps: RedeemCodeDeps,
  visit: Visit,
  requester: PractitionerRequester,
  { identifier, code }: TriedCode,
): Promise<Planned<string | undefined>> {
  const { records, clock } = deps;
  const now = clock.now();
  const reading = systemReading('presence-code', now);
  const tries = await readTries(deps, reading, { practitioner: requester.practitioner, identifier }, now);
  refuseGuessing(tries);
  const found = await codeOf(deps, reading, { identifier, code }, now);
  const subject = found && (await subjectFacts(records, reading, requester, found));
  const isClosed = subject === undefined || !stateAllows('presence', subject.state);
  if (found === undefined || isClosed || (await isBlockedBy(records, reading, requester, subject.person)))
    return {
      warrant: mayRedeem(requester, undefined, now),
      plan: joinParts(triedParts(tries, { id: newId(), now, missed: true })),
      result: undefined,
    };
  const id = newId();
  return {
    warrant: mayRedeem(requester, subject, now),
    plan: joinParts(
      triedParts(tries, { id: newId(), now, missed: false }),
      takenCode(found.patient, found.value),
      consentParts(deps, visit, { id, subject, requester, now }),
    ),
    result: `Consent/${id}`,
  };
}

type Found = Pick<SubjectFacts, 'patient' | 'person'> & { readonly value: string };

/** The identity that made the code: one of the person whom the number names. Where it names several, none. */
async function codeOf(
  deps: RedeemCodeDeps,
  reading: NarrowReading,
  { identifier, code }: TriedCode,
  now: number,
): Promise<Found | undefined> {
  const { records } = deps;
  const typed = readPresenceCode(code) ?? '';
  const [person, ...others] = new Set((await identitiesNamed(deps, identifier, now)).map((one) => one.person));
  const identities = person === undefined || others.length > 0 ? [] : await identitiesOf(records, person, now);
  const kept: { readonly patient: string; readonly value: string; readonly code: KeptCode }[] = [];
  for (const { content } of identities) {
    const patient = `Patient/${content.id}`;
    const value = await claimOf(records, reading, claimKey.presenceCode(patient));
    if (value !== undefined) kept.push({ patient, value, code: JSON.parse(value) as KeptCode });
  }
  // Where nothing is kept the same work is done.
  const [first] = kept;
  const matching = [];
  for (const one of first === undefined ? [undefined] : kept)
    if (await isKept(typed, one?.code, now)) matching.push(one);
  const [match] = matching;
  return match === undefined || person === undefined ? undefined : { ...match, person };
}

/** Whoever redeemed the code may read the Consent, and end it. */
function consentParts(
  { clock, indexer, days }: RedeemCodeDeps,
  visit: Visit,
  {
    id,
    subject: { patient, person },
    requester: { practitioner },
    now,
  }: {
    readonly id: string;
    readonly subject: SubjectFacts;
    readonly requester: PractitionerRequester;
    readonly now: number;
  },
): PlanParts {
  const to = now + days * DAY_MS;
  const consent = buildPresenceConsent({ id, patient, practitioner, from: now, to });
  const entities = [{ what: { reference: patient }, detail: { operation: 'redeem-presence-code' } }];
  return {
    puts: [putOf(indexer, consent, now, { person, subject: patient, origin: filedBy(practitioner) })],
    jobs: [endingAt(id, to), tellingOf(`Consent/${id}`, now)],
    audit: [eventRecord(clock, visit, 'operation', { person, patient, consent: `Consent/${id}`, entities })],
  };
}
