/**
 * What no store takes, whichever it is: every adapter asks here first, so that each refuses the same, by the same Fault
 * (test/contract/refusals/bounds.ts). Faults name the member that is at fault, and no value.
 */
import { Fault } from '../../profiles/fault.ts';
import { isStoredType, VISIBILITY } from '../../profiles/types/visibility.ts';
import { requireGrant } from '../access/grant.ts';
import { MAX_PLAN_ENTRIES, type AuditRecord, type CommitPlan, type InstanceRow, type Put } from './commit-plan.ts';
import { JOB_KINDS, payloadText, type JobRequest } from './job-queue.ts';
import type { Question } from './record-store.ts';

/** Most rows, versions, instances or jobs of one answer. */
export const MAX_PAGE = 2_000;
/** Most UIDs that one question names. */
export const MAX_UIDS = 20_000;
/** Longest key of a claim, in characters: an identifier and its system. */
export const MAX_CLAIM_KEY = 4_096;
/** Largest text of a row or of the metadata of an instance, in bytes of UTF-8: what one document of MongoDB holds. */
export const MAX_TEXT_BYTES = 14 * 1024 * 1024;

/** A logical id, and the id of a plan, an event or a job. @see FHIR R4 2.24.0.1, id */
const ID = /^[A-Za-z0-9\-.]{1,64}$/;
/** What a part names as its item: a type and an id. */
const ITEM = /^[A-Za-z]{1,64}\/[A-Za-z0-9\-.]{1,64}$/;
/** @see DICOM PS3.5 9.1: at most 64 characters */
const MAX_UID = 64;

type Named = { readonly type: string; readonly id: string };

/**
 * Refuses a plan that no store takes; what stands is not asked for.
 * @throws {Fault} too-costly - more than MAX_PLAN_ENTRIES entries, or as many preconditions
 * @throws {Fault} not-supported - a type without a class, an AuditEvent, a precondition or job of an unknown kind
 * @throws {Fault} invalid - an id, a sort key, the item of a part, or a resource that is not what its put says
 * @throws {Fault} too-long - a claim, a UID, what a job carries, or the metadata of an instance
 */
export function requirePlan(plan: CommitPlan): void {
  const { id, preconditions = [], puts = [], deletes = [], erased = [] } = plan;
  requireSize(plan);
  requireId(id);
  for (const condition of preconditions) requireCondition(condition);
  for (const named of [...deletes, ...erased.flatMap(({ rows = [], history = [] }) => [...rows, ...history])])
    requireWritable(named);
  for (const put of puts) requirePut(put);
  for (const { key } of plan.claims ?? []) requireClaimKey(key);
  for (const instance of plan.instances ?? []) requireInstance(instance);
  for (const job of plan.jobs ?? []) requireJob(job);
  requireEvents(plan.audit ?? []);
}

function requireSize({ preconditions, erased = [], id: _id, ...parts }: CommitPlan): void {
  const removed = erased.flatMap((erasure) => Object.values(erasure));
  const entries = [...Object.values(parts), ...removed].reduce((sum, part) => sum + (part?.length ?? 0), 0);
  if (Math.max(entries, preconditions?.length ?? 0) > MAX_PLAN_ENTRIES)
    throw new Fault('too-costly', `A write holds at most ${MAX_PLAN_ENTRIES} entries`);
}

function requireCondition(condition: NonNullable<CommitPlan['preconditions']>[number]): void {
  switch (condition.kind) {
    case 'claimed':
      return requireClaimKey(condition.key);
    case 'filed':
    case 'kept-aside':
      return;
    case 'absent':
    case 'version':
      return requireWritable(condition);
    case 'no-match':
      requireGrant(condition.grant);
      // What else a plan writes is not among the rows that are searched.
      if (condition.query.type === 'AuditEvent')
        throw new Fault('not-supported', 'No plan rests on a search of AuditEvents', { expression: 'preconditions' });
      return requireQuestion({ kind: 'search', query: condition.query });
    default:
      throw new Fault('not-supported', 'A precondition is of no known kind', { expression: 'preconditions' });
  }
}

function requirePut({ resource, sort, parent, ...put }: Put): void {
  requireWritable(put);
  const { id = put.id } = resource as { readonly id?: string };
  if (resource.resourceType !== put.type || id !== put.id)
    throw new Fault('invalid', 'A resource has the type and the id of its row', { expression: 'resource' });
  if (!Number.isSafeInteger(sort))
    throw new Fault('invalid', 'A row is sorted by a whole number', { expression: 'sort' });
  if (parent !== undefined && (VISIBILITY[put.type] !== 'part' || !ITEM.test(parent)))
    throw new Fault('invalid', 'Only a part belongs to an item, which is a type and an id', { expression: 'parent' });
}

function requireWritable({ type, id }: Named): void {
  if (type === 'AuditEvent')
    throw new Fault('not-supported', 'AuditEvents are written by the trail only', { expression: 'type' });
  requireType(type);
  requireId(id);
}

function requireType(type: string): void {
  if (!isStoredType(type))
    throw new Fault('not-supported', 'A type without a class is not stored', { expression: 'type' });
}

function requireId(id: unknown): void {
  if (typeof id !== 'string' || !ID.test(id))
    throw new Fault('invalid', 'An id has 1 to 64 letters, digits, hyphens and full stops', { expression: 'id' });
}

function requireClaimKey(key: string): void {
  if (key.length > MAX_CLAIM_KEY)
    throw new Fault('too-long', `An identifier and its system have at most ${MAX_CLAIM_KEY} characters`, {
      expression: 'identifier',
    });
}

function requireInstance({ studyInstanceUID, seriesInstanceUID, sopInstanceUID, metadata }: InstanceRow): void {
  for (const [expression, uid] of Object.entries({
    StudyInstanceUID: studyInstanceUID,
    SeriesInstanceUID: seriesInstanceUID,
    SOPInstanceUID: sopInstanceUID,
  }))
    if (uid.length > MAX_UID) throw new Fault('too-long', `A UID has at most ${MAX_UID} characters`, { expression });
  requireText(metadata, 'metadata');
}

/**
 * Refuses a text that one store could not keep.
 * @throws {Fault} too-long - more than MAX_TEXT_BYTES
 */
export function requireText(text: string, expression: string): void {
  // A character takes three bytes at most: most texts are not measured.
  if (text.length * 3 > MAX_TEXT_BYTES && Buffer.byteLength(text) > MAX_TEXT_BYTES)
    throw new Fault('too-long', `What is stored of one ${expression} has at most ${MAX_TEXT_BYTES} bytes`, {
      expression,
    });
}

function requireJob(job: JobRequest): void {
  if (!JOB_KINDS.includes(job.kind)) throw new Fault('not-supported', 'No such kind of job', { expression: 'jobs' });
  requireId(job.id);
  payloadText(job);
  requireWhole(job.at, 'at');
}

/**
 * Refuses events that no trail takes.
 * @throws {Fault} invalid - the id of one, or the time when it was recorded
 */
export function requireEvents(records: readonly AuditRecord[]): void {
  for (const { event } of records) {
    requireId(event.id);
    if (Number.isNaN(Date.parse(event.recorded ?? '')))
      throw new Fault('invalid', 'An AuditEvent says when it was recorded', { expression: 'AuditEvent.recorded' });
  }
}

/**
 * Refuses a question that no store answers.
 * @throws {Fault} not-supported - a type without a class
 * @throws {Fault} invalid - a count, limit, offset or place that is none
 * @throws {Fault} too-costly - more than MAX_UIDS UIDs
 */
export function requireQuestion(question: Question): void {
  switch (question.kind) {
    case 'resource':
      return requireType(question.type);
    case 'search':
      requireType(question.query.type);
      requirePage(question.query.count, 'count');
      requireOffset(question.skip ?? 0, 'skip');
      if (question.after?.keys?.every(isSortValue) === false) throw noPlace();
      return requirePlace(question.after?.sort, question.after);
    case 'history':
      requireType(question.type);
      requirePage(question.limit, 'limit');
      requireWhole(question.since ?? 0, 'since');
      requireWhole(question.after?.version ?? 0, 'after');
      return requirePlace(question.after?.updated, question.after);
    case 'instances':
    case 'metadata':
    case 'parts':
      requirePage(question.limit, 'limit');
      requireOffset(question.offset, 'offset');
      if ((question.sopInstanceUIDs?.length ?? 0) > MAX_UIDS)
        throw new Fault('too-costly', `At most ${MAX_UIDS} instances are asked for at once`, {
          expression: 'SOPInstanceUID',
        });
  }
}

/**
 * Refuses how much is asked for at once.
 * @throws {Fault} invalid - not a whole number from 1 to MAX_PAGE
 */
export function requirePage(count: number, expression: 'count' | 'limit'): void {
  if (!Number.isSafeInteger(count) || count < 1 || count > MAX_PAGE)
    throw new Fault('invalid', `A page has 1 to ${MAX_PAGE} entries`, { expression });
}

function requireOffset(offset: number, expression: string): void {
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new Fault('invalid', 'A page begins behind a whole number of entries', { expression });
}

function requirePlace(number: number | undefined, place: { readonly id: string } | undefined): void {
  if (place === undefined) return;
  if (!Number.isSafeInteger(number) || !ID.test(place.id)) throw noPlace();
}

function isSortValue(value: unknown): boolean {
  return value === null || typeof value === 'string' || Number.isSafeInteger(value);
}

function noPlace(): Fault {
  return new Fault('invalid', 'A page begins behind the place where the former one ended', { expression: 'after' });
}

function requireWhole(value: number, expression: string): void {
  if (!Number.isSafeInteger(value)) throw new Fault('invalid', 'A time or a version is a whole number', { expression });
}
