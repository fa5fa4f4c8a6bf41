/**
 * What came in under another identity before that was joined to an opposed person, or to one whose record is to be
 * erased, is purged when the desk of the region has confirmed the join: the Task that asks it, and what the patient is
 * told afterwards.
 */
import type { Communication, Task, TaskInput } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import type { ByLanguage } from '../language.ts';
import { buildNotice, type NoticeFacts } from '../notices/notice.ts';

/** The code of the Task, of `definitions/CodeSystem-task.json`. */
export const JOINED_PURGE = { code: 'joined-purge', display: 'Purge of what was joined' } as const;

/** What a desk says of it; that the two are not one person it says by `Patient/$separate`. */
export const PURGE_VERDICTS = ['confirmed'] as const;

/** One of {@link PURGE_VERDICTS}. */
export type PurgeVerdict = (typeof PURGE_VERDICTS)[number];

/** Days from the join until who is not confirmed is separated again: before day 45. */
const MOST_DAYS_UNCONFIRMED = 44;

const DAY_MS = 24 * 3_600_000;

/** A join: the identity (id) whose data wait, and those (ids) of the person that it came to. */
export type JoinedIdentity = { readonly identity: string; readonly others: readonly string[] };

/** Builds the Task; `now` is epoch milliseconds. Its `restriction.period.end` is when the two are separated again. */
export function buildPurgeTask(id: string, { identity, others }: JoinedIdentity, now: number): Task & { id: string } {
  const end = now + MOST_DAYS_UNCONFIRMED * DAY_MS;
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, ...JOINED_PURGE }] },
    for: { reference: `Patient/${identity}` },
    authoredOn: new Date(now).toISOString(),
    lastModified: new Date(now).toISOString(),
    restriction: { period: { start: new Date(now).toISOString(), end: new Date(end).toISOString() } },
    input: others.map((other): TaskInput => ({ type: IDENTITY, valueReference: { reference: `Patient/${other}` } })),
  };
}

const IDENTITY = { coding: [{ system: CODE_SYSTEM.identityReviewInput, code: 'identity' }] };

/** Whether a Task is one of these. */
export function isPurgeTask({ code }: Task): boolean {
  return (code?.coding ?? []).some((one) => one.system === CODE_SYSTEM.task && one.code === JOINED_PURGE.code);
}

/** The identities (`Patient/id`) that the one of the Task was joined to. */
export function joinedTo({ input = [] }: Task): readonly string[] {
  return input.flatMap(({ valueReference }) => valueReference?.reference ?? []);
}

/** When who is not confirmed is separated again, epoch milliseconds. */
export function separatesAt({ authoredOn, restriction }: Task): number {
  const end = Date.parse(restriction?.period?.end ?? '');
  return Number.isNaN(end) ? Date.parse(authoredOn ?? '') + MOST_DAYS_UNCONFIRMED * DAY_MS : end;
}

/** Whether a desk has confirmed the join, and what came under the identity is purged, or was. */
export function isConfirmedPurge({ status }: Task): boolean {
  return status === 'accepted' || status === 'in-progress' || status === 'completed';
}

/** The Task as a desk confirmed it: who (`officer`, a reference), and why (`comment`). */
export function confirmedPurge(
  task: Task,
  { comment, officer, now }: { readonly comment: string; readonly officer: string; readonly now: number },
): Task {
  return {
    ...task,
    status: 'accepted',
    statusReason: { text: comment },
    lastModified: new Date(now).toISOString(),
    owner: { reference: officer },
  };
}

/** The Task as its purge begins or is done, or as nothing is to be purged any more. */
export function turnedPurge(task: Task, status: 'in-progress' | 'completed' | 'cancelled', now: number): Task {
  return { ...task, status, lastModified: new Date(now).toISOString() };
}

/** Builds the notice that tells her that it was done. */
export function buildPurgeNotice({ task, ...facts }: NoticeFacts & { readonly task: string }): Communication {
  return buildNotice({ ...facts, kind: 'joined-purged', about: [{ reference: task }], text: PURGED });
}

const PURGED: ByLanguage<string> = {
  fr:
    'Des documents avaient été reçus sous un autre de vos numéros, avant que l’on sache que c’était vous. ' +
    'Comme vous vous êtes opposé au partage, ils ont été effacés définitivement.',
  de:
    'Unter einer anderen Nummer von Ihnen waren Dokumente eingegangen, bevor bekannt war, dass Sie es sind. ' +
    'Da Sie der Freigabe widersprochen haben, wurden sie endgültig gelöscht.',
  en:
    'Documents had come in under another number of yours, before it was known that it was you. ' +
    'As you are opposed to sharing, they were erased for good.',
};
