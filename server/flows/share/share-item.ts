/**
 * A patient shares an exam or a report with somebody whom she names by an e-mail address, `ImagingStudy/[id]/$share` or
 * of a DiagnosticReport: whoever has its link sees the item, as she sees it herself, until its end.
 */
import type { Consent, DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { isShare } from '../../../profiles/consent/giving/is-share.ts';
import { buildShareConsent, type SharedType, type ShareTerms } from '../../../profiles/consent/giving/share.ts';
import { Fault } from '../../../profiles/fault.ts';
import { isMailAddress } from '../../../profiles/notices/recipient.ts';
import { buildShareNotice } from '../../../profiles/notices/share.ts';
import { dateCriterion } from '../../../profiles/search/criterion.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { labelOfRow } from '../../../profiles/types/row-rules.ts';
import { mayShare } from '../../access/giving/may-share.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { requirePatient } from '../../access/may-attempt.ts';
import type { SubjectFacts } from '../../access/may-write.ts';
import type { PatientRequester, PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { isRowSeen } from '../aside/seen.ts';
import { endingAt } from '../consent/end-consent.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { filingPatient, subjectFacts } from '../identity/persons.ts';
import { findAll, findById } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { newId } from '../new-id.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { nextTurn, readTurn } from '../turns.ts';
import { commitFresh, filedBy, joinParts, oneOf, putOf, type Planned, type PlanParts } from '../write/plan-parts.ts';

/** What the flow needs; `days` is how long a share lasts where nothing else is said. */
export type ShareItemDeps = GuardDeps & { readonly indexer: Indexer; readonly days: number };

/** What is shared, how, and until when (epoch milliseconds, exclusive). */
export type ShareAsked = ShareTerms & { readonly type: SharedType; readonly id: string; readonly end?: number };

const DAY_MS = 24 * 3_600_000;
/** The longest share, in days. @see access.md C9 */
export const MOST_SHARE_DAYS = 90;
/** The most uses that are said, and characters of a reason. */
export const MOST_USES = 100;
const MOST_REASON = 500;
/** Shares of one patient in a day: each mails somebody. */
const MOST_OF_A_DAY = 20;

/**
 * Shares it; resolves with the share (`Consent/id`).
 * @throws {Fault} forbidden - another than a patient asks
 * @throws {Fault} invalid - an address, a reason, an end or a number of uses that is none
 * @throws {Fault} not-found - no such item of hers that she sees
 * @throws {Fault} business-rule - her record is not shared, or the processing of the item is restricted
 * @throws {Fault} throttled - too many were made in a day
 */
export function shareItem(deps: ShareItemDeps) {
  return async (visit: Visit, asked: ShareAsked): Promise<string> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const requester = requirePatient(visit.requester, 'share');
      checkTerms(asked, deps.clock.now());
      const { result } = await commitFresh(deps.records, async () => await planOf(deps, visit, requester, asked));
      return result;
    });
}

function checkTerms({ email, reason, uses, end }: ShareAsked, now: number): void {
  refuseUnless(isMailAddress(email), 'email', 'The recipient is one e-mail address');
  refuseUnless(
    reason.trim() !== '' && reason.length <= MOST_REASON,
    'reason',
    `The reason has ${MOST_REASON} characters at most`,
  );
  const isCount = uses === undefined || (Number.isInteger(uses) && uses > 0 && uses <= MOST_USES);
  refuseUnless(isCount, 'uses', `A share has ${MOST_USES} uses at most`);
  const isEnd = end === undefined || (end > now && end <= now + MOST_SHARE_DAYS * DAY_MS);
  refuseUnless(isEnd, 'end', `A share ends within ${MOST_SHARE_DAYS} days`);
}

function refuseUnless(may: boolean, expression: string, message: string): void {
  if (!may) throw new Fault('invalid', message, { expression });
}

async function planOf(
  deps: ShareItemDeps,
  visit: Visit,
  requester: PatientRequester,
  asked: ShareAsked,
): Promise<Planned<string>> {
  const { records, clock } = deps;
  const now = clock.now();
  const reading = systemReading('share', now);
  const { type, id } = asked;
  const turn = await readTurn(records, reading, claimKey.sharing(requester.person));
  const found = await findById<ImagingStudy | DiagnosticReport>(records, reading, type, id);
  const { person } = found?.row ?? {};
  const shared =
    found === undefined || person === undefined
      ? undefined
      : {
          item: `${type}/${id}`,
          person,
          isSeen: await isRowSeen(deps, visit, reading, found.row),
          label: labelOfRow(type, found.resource),
        };
  const known = await filingPatient(records, reading, requester, requester.patient, now);
  const subject = known && (await subjectFacts(records, reading, requester, known));
  const warrant = mayShare(requester, shared, subject, now);
  if (subject === undefined || shared === undefined) throw new Fault('not-found', 'No such resource');
  await refuseFlood(deps, reading, subject.person, now);
  const consentId = newId();
  const parts = shareParts(deps, visit, { asked, subject, consentId, now });
  // Shares and withdrawals take turns: a withdrawal ends them all.
  return { warrant, plan: joinParts(nextTurn(turn), parts), result: `Consent/${consentId}` };
}

async function refuseFlood(
  { records }: ShareItemDeps,
  reading: NarrowReading,
  person: PersonKey,
  now: number,
): Promise<void> {
  const since = dateCriterion('date', 'ge', now - DAY_MS);
  const lately = await findAll<Consent>(records, reading({ person }), 'Consent', [since]);
  if (lately.filter(({ resource }) => isShare(resource)).length < MOST_OF_A_DAY) return;
  throw new Fault('throttled', `${MOST_OF_A_DAY} shares may be made in a day`);
}

function shareParts(
  { clock, indexer, days }: ShareItemDeps,
  visit: Visit,
  {
    asked: { type, id, end, ...terms },
    subject: { person, patient },
    consentId,
    now,
  }: {
    readonly asked: ShareAsked;
    readonly subject: SubjectFacts;
    readonly consentId: string;
    readonly now: number;
  },
): PlanParts {
  const to = end ?? now + days * DAY_MS;
  const [item, consent] = [`${type}/${id}`, `Consent/${consentId}`];
  const resource = buildShareConsent({ ...terms, id: consentId, patient, item, from: now, to });
  const told = noticeParts(indexer, { person, patient }, now, (facts) =>
    buildShareNotice({ ...facts, change: 'given', consent, recipient: terms.email }),
  );
  const entities = [{ what: { reference: item }, detail: { operation: 'share' } }];
  return oneOf([
    told,
    {
      puts: [putOf(indexer, resource, now, { person, subject: patient, origin: filedBy(patient) })],
      jobs: [endingAt(consentId, to), jobOf('mail-share', consentId, now)],
      audit: [eventRecord(clock, visit, 'operation', { person, patient, consent, entities })],
    },
  ]);
}
