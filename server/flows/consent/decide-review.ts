/**
 * A data protection officer decides, `Task/[id]/$decide`: the review of an emergency, or what a patient asked about her
 * data; a desk decides who is meant by a name that the directory does not know, confirms a join before what it brought
 * to an opposed person is purged, and a paper that a colleague recorded; either decides a ticket of support. Of an
 * emergency that was not justified the access ends, the patient is told, and who declared it declares no more until an
 * officer decides otherwise.
 */
import type { Consent, Task } from '@medplum/fhirtypes';
import { permitOf } from '../../../profiles/consent/declaration.ts';
import { subjectRightOf, type RequestVerdict } from '../../../profiles/consent/data-subject-request.ts';
import {
  buildVerdictNotice,
  decidedReview,
  isReviewTask,
  VERDICTS,
  type Verdict,
} from '../../../profiles/consent/emergency.ts';
import { isPaperTask, type PaperVerdict } from '../../../profiles/consent/reconsent/paper.ts';
import { isSupportTask, type SupportVerdict } from '../../../profiles/consent/giving/support.ts';
import { isPurgeTask, type PurgeVerdict } from '../../../profiles/identity/joined-purge.ts';
import { isUnknownTask, type CorrespondentVerdict } from '../../../profiles/consent/unknown-correspondent.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { mayReview } from '../../access/may-review.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { isRowSeen } from '../aside/seen.ts';
import { eventRecord, referenceOf, refusalsRecorded, type Visit } from '../guard.ts';
import { purgeDecidedParts } from '../erase/joined/confirm-purge.ts';
import { restrictingJobs } from '../ground/restrictions.ts';
import { refuseOwnMatter } from '../identity/own-matter.ts';
import { claimOf, findById, type Found } from '../internal-reads.ts';
import { unknownDecidedParts } from '../named/decide-unknown.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { requestParts } from '../subject-rights/decide-request.ts';
import { supportDecidedParts } from '../support/decide-support.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, type Planned, type PlanParts } from '../write/plan-parts.ts';
import { endedConsent } from './end-consent.ts';
import { paperDecidedParts } from './paper/decide-paper.ts';
import type { RecordPaperDeps } from './paper/record-paper.ts';

/** What the flow needs. */
export type DecideReviewDeps = RecordPaperDeps;

/** What is decided, and on what it relies; `professional` (a reference) is who is meant by a name. */
export type Decided = {
  readonly verdict: Verdict | RequestVerdict | CorrespondentVerdict | PurgeVerdict | PaperVerdict | SupportVerdict;
  readonly comment: string;
  readonly professional?: string | undefined;
};

/**
 * Decides a review or a request (Task id). A later decision takes the place of an earlier one.
 * @throws {Fault} forbidden - the requester is no officer, or the matter is her own
 * @throws {Fault} not-found - none such, or one that is hidden from her
 * @throws {Fault} invalid - a verdict that Tasks of this kind do not have
 * @throws {Fault} business-rule - more time is taken too late, or again
 */
export function decideReview(deps: DecideReviewDeps) {
  return async (visit: Visit, taskId: string, decided: Decided): Promise<void> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      await commitFresh(deps.records, async () => await planOf(deps, visit, taskId, decided));
    });
}

async function planOf(deps: DecideReviewDeps, visit: Visit, taskId: string, decided: Decided): Promise<Planned<void>> {
  const now = deps.clock.now();
  const reading = systemReading('break-glass', now);
  const review = await reviewOf(deps, reading, taskId);
  const warrant = mayReview(visit.requester, await factsOf(deps, visit, reading, review, decided), now);
  if (review === undefined) throw new Fault('not-found', 'No such resource');
  const { row } = review;
  await refuseOwnMatter(deps)(
    visit.requester,
    row.subject === undefined || row.person === undefined ? [] : [row.person],
  );
  const entities = [
    { what: { reference: `Task/${taskId}` }, detail: { operation: 'decide', verdict: decided.verdict } },
  ];
  const { person, subject } = row;
  const { focus } = review.resource;
  const about = {
    ...(person === undefined ? {} : { person }),
    ...(subject === undefined ? {} : { patient: subject }),
    ...(isUnknownTask(review.resource) && focus?.reference !== undefined ? { consent: focus.reference } : {}),
  };
  const officer = referenceOf(visit.requester);
  const plan = joinParts(
    { audit: [eventRecord(deps.clock, visit, 'operation', { ...about, entities })] },
    ...(await decidedParts({ deps, visit, reading, found: review, decision: { ...decided, officer, now } })),
    { jobs: await restrictionJobs(deps, review, now) },
  );
  return { warrant, plan, result: undefined };
}

/** A Task that stands, and what `officer` (a reference) decides of it. */
type Deciding = {
  readonly deps: DecideReviewDeps;
  readonly visit: Visit;
  readonly reading: NarrowReading;
  readonly found: Found<Task>;
  readonly decision: Decided & { readonly officer: string; readonly now: number };
};

async function decidedParts(deciding: Deciding): Promise<readonly PlanParts[]> {
  const { deps, visit, reading, found, decision } = deciding;
  if (isPurgeTask(found.resource)) return purgeDecidedParts(deps, found, decision);
  if (isPaperTask(found.resource)) return await paperDecidedParts(deps, visit, reading, found, decision);
  if (isSupportTask(found.resource)) return await supportDecidedParts(deps, visit, reading, found, decision);
  if (isUnknownTask(found.resource)) return await unknownDecidedParts(deps, reading, found, decision);
  if (subjectRightOf(found.resource) !== undefined) return requestParts(deps, found, decision);
  return await reviewParts(deciding);
}

/** Her items are brought to what is decided of a restriction. */
async function restrictionJobs({ records }: DecideReviewDeps, { row, resource }: Found<Task>, now: number) {
  if (subjectRightOf(resource) !== 'restriction' || row.person === undefined) return [];
  return await restrictingJobs(records, row.person, now);
}

async function reviewParts({ deps, visit, reading, found: review, decision }: Deciding): Promise<readonly PlanParts[]> {
  const verdict = VERDICTS.find((one) => one === decision.verdict);
  if (verdict === undefined)
    throw new Fault('invalid', `The verdict is one of ${VERDICTS.join(', ')}`, { expression: 'verdict' });
  const { now } = decision;
  const { row, resource } = review;
  return [
    changed(deps.indexer, row, decidedReview(resource, { ...decision, verdict }), now, aboutRow(row)),
    toldParts(deps, review, verdict, now),
    await suspensionParts(deps, reading, review, verdict),
    verdict === 'justified' ? {} : await endParts(deps, visit, reading, review, now),
  ];
}

async function reviewOf(
  { records }: DecideReviewDeps,
  reading: NarrowReading,
  taskId: string,
): Promise<Found<Task> | undefined> {
  const found = await findById<Task>(records, reading, 'Task', taskId);
  if (found === undefined) return undefined;
  const { resource } = found;
  const isOfDesk = isUnknownTask(resource) || isPurgeTask(resource) || isPaperTask(resource) || isSupportTask(resource);
  const isDecided = isReviewTask(resource) || isOfDesk || subjectRightOf(resource) !== undefined;
  return isDecided ? found : undefined;
}

/** Whoever recorded a paper takes it back alone: nothing changes by that. */
async function factsOf(
  deps: DecideReviewDeps,
  visit: Visit,
  reading: NarrowReading,
  review: Found<Task> | undefined,
  { verdict }: Decided,
) {
  if (review?.row.person === undefined) return undefined;
  const { row, resource } = review;
  const isTakenBack = isPaperTask(resource) && verdict === 'refused';
  return {
    item: `Task/${row.id}`,
    person: review.row.person,
    declaredBy: isTakenBack ? '' : (resource.requester?.reference ?? ''),
    isSeen: await isRowSeen(deps, visit, reading, row),
  };
}

function toldParts(
  { indexer }: DecideReviewDeps,
  { row, resource: task }: Found<Task>,
  verdict: Verdict,
  now: number,
): PlanParts {
  const { person, subject: patient } = row;
  if (person === undefined || patient === undefined) return {};
  return noticeParts(indexer, { person, patient }, now, (facts) => buildVerdictNotice({ ...facts, verdict, task }));
}

/** One review suspends, and the same one ends it: what another found stands. */
async function suspensionParts(
  { records }: DecideReviewDeps,
  reading: NarrowReading,
  { row: { id }, resource }: Found<Task>,
  verdict: Verdict,
): Promise<PlanParts> {
  const key = claimKey.suspended(resource.requester?.reference ?? '');
  const standing = await claimOf(records, reading, key);
  if (verdict === 'unjustified') return standing === undefined ? { claims: [{ key, value: id }] } : {};
  if (standing !== id) return {};
  return { preconditions: [{ kind: 'claimed', key, value: id }], erased: [{ claims: [key] }] };
}

/** The access that is reviewed ends, if it has not. */
async function endParts(
  deps: DecideReviewDeps,
  visit: Visit,
  reading: NarrowReading,
  { resource: { focus } }: Found<Task>,
  now: number,
): Promise<PlanParts> {
  const id = focus?.reference?.replace(/^Consent\//, '');
  const consent = id === undefined ? undefined : await findById<Consent>(deps.records, reading, 'Consent', id);
  if (consent === undefined || permitOf(consent.resource)?.kind !== 'break-glass') return {};
  return endedConsent(deps.indexer, consent, now, (about) => eventRecord(deps.clock, visit, 'break-glass-end', about));
}
