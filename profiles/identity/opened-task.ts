/**
 * The Task by which data protection officers hear who opened what while two persons were one by a mistake, or an exam
 * was another person's. @see GDPR article 33; definitions/CodeSystem-identity-review-input.json
 */
import type { AuditEvent, AuditEventAgent, AuditEventEntity, Task, TaskInput } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import { toElements } from '../elements.ts';

/** What it tells. `patients` are `Patient/id`, whose it was first; times are epoch milliseconds. */
export type OpenedFacts = {
  readonly id: string;
  readonly patients: readonly string[];
  readonly since: number;
  readonly until: number;
  readonly passages: readonly AuditEvent[];
};

/** Builds the Task, which waits for an officer. It contains what is told of the events: they are for others to open. */
export function buildOpenedTask({ id, patients, since, until, passages }: OpenedFacts): Task & { id: string } {
  const [first] = patients;
  return {
    resourceType: 'Task',
    id,
    ...(passages.length === 0 ? {} : { contained: passages.map(toldOf) }),
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, code: 'opened-meanwhile', display: 'Opened by a mistake' }] },
    ...(first === undefined ? {} : { for: { reference: first } }),
    authoredOn: new Date(until).toISOString(),
    executionPeriod: { start: new Date(since).toISOString(), end: new Date(until).toISOString() },
    input: [
      ...patients.map((reference) => inputOf('identity', { reference })),
      ...passages.map((event) =>
        inputOf('passage', { reference: `#${event.id}`, type: 'AuditEvent', display: wordsOf(event) }),
      ),
    ],
  };
}

function inputOf(code: 'identity' | 'passage', valueReference: NonNullable<TaskInput['valueReference']>): TaskInput {
  return { type: { coding: [{ system: CODE_SYSTEM.identityReviewInput, code }] }, valueReference };
}

/**
 * When, who, how, for which purpose, and what, by reference alone: an erased exam is named nowhere. What was searched
 * for, from where and with which token is not told.
 */
function toldOf(event: AuditEvent): AuditEvent {
  const { id, type, subtype, action, recorded, outcome, purposeOfEvent, agent, source, entity = [] } = event;
  const { observer } = source;
  const told = { id, type, subtype, action, recorded, outcome, purposeOfEvent };
  const who = { agent: agent.filter(isUser).map(userOf), source: { observer } };
  return toElements<AuditEvent>({ resourceType: 'AuditEvent', ...told, ...who, entity: entity.flatMap(itemOf) });
}

function userOf({ type, who, requestor }: AuditEventAgent): AuditEventAgent {
  const reference = who?.reference;
  return toElements<AuditEventAgent>({ type, who: reference === undefined ? undefined : { reference }, requestor });
}

function itemOf({ what, type, role }: AuditEventEntity): readonly AuditEventEntity[] {
  const reference = what?.reference;
  return reference === undefined ? [] : [toElements<AuditEventEntity>({ what: { reference }, type, role })];
}

/** The same in a line. */
function wordsOf({ recorded, agent, type, subtype = [], entity = [] }: AuditEvent): string {
  const who = agent.find(isUser)?.who;
  const how = subtype[0] ?? type;
  const what = entity.flatMap(({ what: touched }) => touched?.reference ?? []);
  return [recorded, who?.reference ?? '', how.display ?? how.code ?? '', ...what].join(' ');
}

/** Whether an event tells of somebody who was shown something. */
export function isOpening({ action, outcome, entity = [], agent }: AuditEvent): boolean {
  const isShown = entity.some(({ what }) => what?.reference !== undefined);
  return (action === 'R' || action === 'E') && outcome === '0' && isShown && agent.some(isUser);
}

/** The person or establishment behind a client. */
function isUser({ type }: AuditEventAgent): boolean {
  return type?.coding?.some(({ code }) => code === 'IRCP') === true;
}
