/**
 * The Task by which data protection officers hear who opened what while two persons were one by a mistake, or an exam
 * was another person's. @see GDPR article 33; definitions/CodeSystem-identity-review-input.json
 */
import type { AuditEvent, Task, TaskInput } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';

/** What it tells. `patients` are `Patient/id`, whose it was first; times are epoch milliseconds. */
export type OpenedFacts = {
  readonly id: string;
  readonly patients: readonly string[];
  readonly since: number;
  readonly until: number;
  readonly passages: readonly AuditEvent[];
};

/** Builds the Task, which waits for an officer. */
export function buildOpenedTask({ id, patients, since, until, passages }: OpenedFacts): Task & { id: string } {
  const [first] = patients;
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, code: 'opened-meanwhile', display: 'Opened by a mistake' }] },
    ...(first === undefined ? {} : { for: { reference: first } }),
    authoredOn: new Date(until).toISOString(),
    executionPeriod: { start: new Date(since).toISOString(), end: new Date(until).toISOString() },
    input: [
      ...patients.map((reference) => inputOf('identity', { reference })),
      ...passages.map((event) =>
        inputOf('passage', { reference: `AuditEvent/${event.id}`, type: 'AuditEvent', display: wordsOf(event) }),
      ),
    ],
  };
}

function inputOf(code: 'identity' | 'passage', valueReference: NonNullable<TaskInput['valueReference']>): TaskInput {
  return { type: { coding: [{ system: CODE_SYSTEM.identityReviewInput, code }] }, valueReference };
}

/** When, who, how, and what by reference alone: an erased exam is named nowhere. */
function wordsOf({ recorded, agent, type, subtype = [], entity = [] }: AuditEvent): string {
  const who = agent.find(({ requestor }) => requestor)?.who;
  const how = subtype[0] ?? type;
  const what = entity.flatMap(({ what: touched }) => touched?.reference ?? []);
  return [recorded, who?.reference ?? who?.identifier?.value ?? '', how.display ?? how.code ?? '', ...what].join(' ');
}

/** Whether an event tells of somebody who was shown something. */
export function isOpening({ action, outcome, entity = [], agent }: AuditEvent): boolean {
  const isShown = entity.some(({ what }) => what?.reference !== undefined);
  return (action === 'R' || action === 'E') && outcome === '0' && isShown && agent.some(({ type }) => isPerson(type));
}

function isPerson(type: AuditEvent['agent'][number]['type']): boolean {
  return type?.coding?.some(({ code }) => code === 'IRCP') === true;
}
