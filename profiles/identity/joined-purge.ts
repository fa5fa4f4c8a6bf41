/**
 * What came in under another identity before that was joined to an opposed person, or to one whose record is to be
 * erased, is purged when the desk of the region has confirmed the join: the Task that asks it, and what the patient is
 * told afterwards.
 */
import type { Communication, Task, TaskInput, TaskOutput } from '@medplum/fhirtypes';
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

/** The Task as its purge begins. */
export function begunPurge(task: Task, now: number): Task {
  return { ...task, status: 'in-progress', lastModified: new Date(now).toISOString() };
}

/** How much was erased: by type of FHIR, and `instances`. */
type Counts = Readonly<Record<string, number>>;

/** The Task as its purge is done: its `output` says how much was erased. */
export function endedPurge(task: Task, erased: Counts, now: number): Task {
  return { ...task, status: 'completed', lastModified: new Date(now).toISOString(), ...outputOf(task, erased) };
}

/**
 * The Task as nothing more is to be purged, as she is opposed no more or the two are one no more: `failed` when a part
 * was erased by then, as its `output` says, else `cancelled`.
 */
export function stoppedPurge(task: Task, erased: Counts, now: number): Task {
  const more = outputOf(task, erased);
  const status = more.output === undefined ? 'cancelled' : 'failed';
  return { ...task, status, lastModified: new Date(now).toISOString(), ...more };
}

/** Whether anything was erased. */
export function isAny(erased: Counts): boolean {
  return Object.values(erased).some((count) => count > 0);
}

/** What a Task says already, and more. */
function outputOf({ output = [] }: Task, erased: Counts): Pick<Task, 'output'> {
  const counts = new Map(output.map(({ type, valueUnsignedInt = 0 }) => [type.text ?? '', valueUnsignedInt]));
  for (const [what, count] of Object.entries(erased)) counts.set(what, (counts.get(what) ?? 0) + count);
  const all = [...counts].map(([text, valueUnsignedInt]): TaskOutput => ({ type: { text }, valueUnsignedInt }));
  return all.length === 0 ? {} : { output: all };
}

/** Builds the notice that tells her that it was done, or a part of it (`isPart`) before she was opposed no more. */
export function buildPurgeNotice({
  task,
  isPart,
  ...facts
}: NoticeFacts & { readonly task: string; readonly isPart: boolean }): Communication {
  const text = isPart ? PURGED_IN_PART : PURGED;
  return buildNotice({ ...facts, kind: 'joined-purged', about: [{ reference: task }], text });
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

const PURGED_IN_PART: ByLanguage<string> = {
  fr:
    'Des documents avaient été reçus sous un autre de vos numéros, avant que l’on sache que c’était vous. ' +
    'Comme vous vous étiez opposé au partage, une partie a été effacée définitivement. ' +
    'Le reste est conservé depuis que vous partagez de nouveau votre dossier.',
  de:
    'Unter einer anderen Nummer von Ihnen waren Dokumente eingegangen, bevor bekannt war, dass Sie es sind. ' +
    'Da Sie der Freigabe widersprochen hatten, wurde ein Teil davon endgültig gelöscht. ' +
    'Der Rest bleibt, seit Sie Ihre Akte wieder freigeben.',
  en:
    'Documents had come in under another number of yours, before it was known that it was you. ' +
    'As you were opposed to sharing, a part of them was erased for good. ' +
    'The rest is kept since you share your record again.',
};
