/**
 * The Task of instances that are kept aside: whoever clears them up finds the exam, the reason, and what they say.
 * @see definitions/CodeSystem-kept-aside-reason.json, definitions/CodeSystem-kept-aside-input.json
 */
import type { Task, TaskInput } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from '../codes.ts';
import { studyIdentifier } from './identifiers.ts';

/** A number of a patient and the system of its issuer. */
export type PatientNumber = { readonly system: string; readonly value: string };

/** Instances of one study, source, reason and identity. Times are epoch milliseconds. */
export type KeptAside = {
  readonly studyInstanceUID: string;
  /** `Organization/id` */
  readonly source: string;
  readonly reason: string;
  /** `Patient/id` of the identity by which the source knows the patient; undefined where it has none. */
  readonly patient: string | undefined;
  readonly sopInstanceUIDs: readonly string[];
  readonly since: number;
  readonly aeTitle?: string | undefined;
  /** What the first instance says, and what the exam that stands says, where the source may know it. */
  readonly named?: PatientNumber | undefined;
  readonly standing?: PatientNumber | undefined;
};

/** Instances that are listed one by one. */
const MOST_LISTED = 1_000;

/** Builds the Task, which waits for somebody. */
export function buildKeptAsideTask(id: string, aside: KeptAside): Task & { readonly id: string } {
  const { studyInstanceUID, source, reason, patient, since } = aside;
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, code: 'kept-aside', display: 'Instances kept aside' }] },
    focus: { type: 'ImagingStudy', identifier: studyIdentifier(studyInstanceUID) },
    ...(patient === undefined ? {} : { for: { reference: patient } }),
    authoredOn: new Date(since).toISOString(),
    requester: { reference: source },
    reasonCode: { coding: [{ system: CODE_SYSTEM.keptAsideReason, code: reason }] },
    input: inputsOf(aside),
  };
}

/** What became of such a Task: `completed`, they were filed; `cancelled`, they were discarded. */
export function endedTask(task: Task, status: 'completed' | 'cancelled', now: number): Task {
  return { ...task, status, lastModified: new Date(now).toISOString() };
}

/** Whether a Task is of instances kept aside. */
export function isKeptAsideTask({ code }: Task): boolean {
  return code?.coding?.some((one) => one.system === CODE_SYSTEM.task && one.code === 'kept-aside') === true;
}

function inputsOf({ sopInstanceUIDs, aeTitle, named, standing }: KeptAside): TaskInput[] {
  const numbers = [
    ...(named === undefined ? [] : [{ type: typed('named-patient'), valueIdentifier: named }]),
    ...(standing === undefined ? [] : [{ type: typed('standing-patient'), valueIdentifier: standing }]),
  ];
  return [
    { type: typed('instances'), valueUnsignedInt: sopInstanceUIDs.length },
    ...(aeTitle === undefined ? [] : [{ type: typed('sent-by'), valueString: aeTitle }]),
    ...numbers,
    ...sopInstanceUIDs.slice(0, MOST_LISTED).map((uid) => ({
      type: typed('instance'),
      valueIdentifier: { system: IDENTIFIER_SYSTEM.dicomUid, value: oidUri(uid) },
    })),
  ];
}

function typed(code: string): TaskInput['type'] {
  return { coding: [{ system: CODE_SYSTEM.keptAsideInput, code }] };
}
