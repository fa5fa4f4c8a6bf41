/**
 * Break-glass: a professional declares an emergency and sees a patient's normal exams, or one of them, for some hours.
 * The answer is the same whether the patient or any exam is known; the patient is told and the use is reviewed.
 */
import type { BreakGlassSetting } from '../../../profiles/consent/emergency.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { isBarred } from '../../access/decide.ts';
import { grantFor, systemReading, type ItemReading, type Reading } from '../../access/grant.ts';
import { refusalOf, requireProfessional } from '../../access/may-attempt.ts';
import { mayWrite } from '../../access/may-write.ts';
import type { PersonKey, PractitionerRequester, Requester } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { isMaskedFromRepresentatives, isShownInEmergencies } from '../aside/seen.ts';
import { refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { newPerson, subjectFacts } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { commitFresh, joinParts, type Planned } from '../write/plan-parts.ts';
import { nextTurn, readTurn } from '../turns.ts';
import { attemptsOf, refuseEnumeration } from './emergency-attempts.ts';
import {
  ambiguousParts,
  emergencyParts,
  HOUR_MS,
  type Emergency,
  type FoundExam,
  type StudySought,
} from './emergency-parts.ts';
import { personsSought } from './persons-sought.ts';

/** What the flow needs. */
export type BreakGlassDeps = GuardDeps & {
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  readonly hours: number;
};

/** Codes of v3-ActReason by which an emergency is declared. */
export const EMERGENCY_REASONS = ['ETREAT', 'BTG'] as const;
/** The characters of a justification, without spaces around it, and its words at least, each of two letters or more. */
export const JUSTIFICATION = { least: 15, most: 2_000, words: 3 } as const;
const WORD = /\p{L}[\p{L}\p{M}]+/gu;
/** A sign-in older than this has to be made again before an emergency is declared. */
export const FRESH_SECONDS = 300;
/** Clocks of identity providers may be so far ahead. */
const AHEAD_SECONDS = 60;

/**
 * Opens an emergency access; resolves with the id of the review task.
 * @throws {Fault} forbidden - the requester is no professional, or is suspended after a review
 * @throws {Fault} login (insufficient_user_authentication) - the sign-in is not fresh. @see RFC 9470
 * @throws {Fault} invalid, required - reason, justification, duration; traits that are not strict
 * @throws {Fault} throttled - too many of the same professional named nobody lately
 */
export function breakGlass(deps: BreakGlassDeps) {
  return async (visit: Visit, emergency: Emergency): Promise<{ taskId: string }> =>
    await refusalsRecorded(deps, visit, 'break-glass', async () => {
      const requester = requireProfessional(visit.requester);
      requireFresh(requester, deps.clock.now());
      checkEmergency(deps, emergency);
      const { result } = await commitFresh(deps.records, async () => await planOf(deps, visit, requester, emergency));
      return result;
    });
}

/** Emergencies of one professional take turns, so that they can be counted. */
async function planOf(
  deps: BreakGlassDeps,
  visit: Visit,
  requester: PractitionerRequester,
  emergency: Emergency,
): Promise<Planned<{ taskId: string }>> {
  const { records } = deps;
  const now = deps.clock.now();
  const reading = systemReading('break-glass', now);
  const turn = await readTurn(records, reading, claimKey.emergency(requester.practitioner));
  await refuseSuspended(records, reading, requester);
  const attempts = await attemptsOf(records, reading('whole'), requester.practitioner, now);
  refuseEnumeration(attempts);
  const [known, ...others] = await personsSought(deps, emergency.sought, now);
  const isOne = known !== undefined && others.length === 0;
  const subject = isOne ? await subjectFacts(records, reading, requester, known) : undefined;
  const isBlocked = subject !== undefined && (await isBlockedBy(records, reading, requester, subject.person));
  const beyond = beyondOf(deps.region, isBlocked);
  const nobody = newPerson();
  const act = { interaction: 'operation', operation: 'break-glass' } as const;
  const warrant = mayWrite(requester, act, { now, subject, nobody });
  const taskId = newId();
  const opening = { deps, visit, requester, emergency, taskId, now, nobody };
  const ambiguous = isOne || known === undefined ? [] : [ambiguousParts(opening, [known, ...others])];
  const of = subject === undefined ? undefined : { person: subject.person, beyond };
  const exam = of === undefined ? undefined : await examSought(records, reading, emergency.study, of);
  const parts = emergencyParts(opening, { subject, exam, isBlocked, beyond, attempts });
  return { warrant, plan: joinParts(nextTurn(turn), ...parts, ...ambiguous), result: { taskId } };
}

/**
 * What an emergency does beyond what every one does, as the region lets it: past a block it reaches normal items alone.
 * What the region takes back is closed from the next read on; what it lets later, those that are open do not get.
 */
function beyondOf({ breakGlass }: Pick<RegionIndex, 'breakGlass'>, isBlocked: boolean): BreakGlassSetting | undefined {
  const setting = isBlocked ? 'passesBlocks' : 'reachesConfidential';
  return breakGlass[setting] === true ? setting : undefined;
}

/**
 * Whether a person blocks the professional now: nothing is opened then, unless the region lets emergencies pass blocks.
 * What is blocked since is closed anyway.
 */
export async function isBlockedBy(
  records: RecordStore,
  reading: Reading<{ readonly person: PersonKey }>,
  requester: PractitionerRequester,
  person: PersonKey,
): Promise<boolean> {
  const hers = reading({ person });
  return isBarred(grantFor(requester, hers.now), await records.rightsOf(hers, person));
}

/** The exam of a person that is meant: undefined of none, of one that is unknown, another's, or hidden. */
async function examSought(
  records: RecordStore,
  reading: ItemReading,
  study: StudySought | undefined,
  { person, beyond }: { readonly person: PersonKey; readonly beyond: BreakGlassSetting | undefined },
): Promise<FoundExam | undefined> {
  if (study === undefined) return undefined;
  const id = 'id' in study ? study.id : await claimOf(records, reading, claimKey.imagingStudy(study.studyInstanceUID));
  const row = id === undefined ? undefined : await rowById(records, reading, 'ImagingStudy', id);
  // Hidden equals absent: a Consent would show who she is, and so that the exam exists.
  if (row?.person !== person || !isShownInEmergencies(row, beyond)) return undefined;
  return { exam: `ImagingStudy/${row.id}`, isMasked: isMaskedFromRepresentatives(row) };
}

/**
 * Whether a requester may declare an emergency: `no`, `after-sign-in` when the last one is too old, or `now`. It asks
 * nothing of data, so that a page may offer it wherever nothing is shown.
 */
export function mayDeclareEmergency({ clock }: Pick<BreakGlassDeps, 'clock'>) {
  return (requester: Requester): 'no' | 'after-sign-in' | 'now' => {
    const act = { interaction: 'operation', operation: 'break-glass' } as const;
    if (refusalOf(requester, act) !== undefined) return 'no';
    return isFresh(requester.authTime, clock.now()) ? 'now' : 'after-sign-in';
  };
}

function isFresh(authTime: number | undefined, now: number): boolean {
  const age = authTime === undefined ? Infinity : now / 1000 - authTime;
  return -AHEAD_SECONDS <= age && age <= FRESH_SECONDS;
}

function requireFresh({ authTime }: PractitionerRequester, now: number): void {
  if (isFresh(authTime, now)) return;
  throw new Fault('login', 'Sign in again to declare an emergency', {
    protocolCode: 'insufficient_user_authentication',
  });
}

function checkEmergency({ hours }: BreakGlassDeps, { reason, justification, duration = HOUR_MS }: Emergency): void {
  if (!(duration > 0 && duration <= hours * HOUR_MS))
    throw new Fault('invalid', `An emergency lasts ${hours} hours at most`, { expression: 'duration' });
  if (!(EMERGENCY_REASONS as readonly string[]).includes(reason))
    throw new Fault('invalid', `The reason is one of ${EMERGENCY_REASONS.join(', ')}`, { expression: 'reason' });
  if (isJustification(justification)) return;
  const { least, most, words } = JUSTIFICATION;
  throw new Fault('invalid', `The justification has ${least} to ${most} characters, and ${words} words at least`, {
    expression: 'justification',
  });
}

/** Whether a text says why, as far as that can be told of a text. */
export function isJustification(text: string): boolean {
  const { length } = text.trim();
  const { least, most, words } = JUSTIFICATION;
  return least <= length && length <= most && (text.match(WORD) ?? []).length >= words;
}

async function refuseSuspended(
  records: RecordStore,
  reading: ItemReading,
  { practitioner }: PractitionerRequester,
): Promise<void> {
  if ((await claimOf(records, reading, claimKey.suspended(practitioner))) === undefined) return;
  throw new Fault(
    'forbidden',
    'After a review this professional declares no emergencies: ask the officer of the region',
  );
}
