/** The export of a record to its patient (GDPR 20): a Task that says until when it is fetched, and how far it is. */
import type { Task, TaskOutput } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';

/** The code of an export, of `definitions/CodeSystem-task.json`. */
export const EXPORT_TASK = { code: 'export', display: 'Export of a record' } as const;

/** How long an export may be fetched, in milliseconds. */
const LASTS_MS = 7 * 24 * 3_600_000;

/** Exams that were sent whole, in the order of the record, and the last of them (`ImagingStudy/id`). */
type Sent = { readonly sent: number; readonly last: string | undefined };

/**
 * How far an export is. What was sent may not have arrived where a ZIP broke off: `ended` is what those held that ended
 * by themselves, with exams left.
 */
export type ExportProgress = Sent & { readonly ended?: Sent };

/** Builds the Task of the patient (`Patient/id`), who asks it herself; `now` in epoch milliseconds. */
export function buildExportTask(id: string, patient: string, now: number): Task {
  const start = new Date(now).toISOString();
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, ...EXPORT_TASK }] },
    for: { reference: patient },
    authoredOn: start,
    lastModified: start,
    requester: { reference: patient },
    restriction: { period: { start, end: new Date(now + LASTS_MS).toISOString() } },
  };
}

/** Whether a Task is an export that may be fetched: neither cancelled nor over. */
export function isOpenExport({ code, status, restriction }: Task, now: number): boolean {
  const isExport = (code?.coding ?? []).some((one) => one.system === CODE_SYSTEM.task && one.code === EXPORT_TASK.code);
  return isExport && status !== 'cancelled' && now < Date.parse(restriction?.period?.end ?? '');
}

/** The export after exams were sent; `isWhole` when none is left. */
export function progressedExport(task: Task, at: ExportProgress, isWhole: boolean, now: number): Task {
  const { ended } = at;
  const output = [
    ...outputsOf(at, ['exams-sent', 'last-exam']),
    ...(ended === undefined ? [] : outputsOf(ended, ['exams-ended', 'last-ended'])),
  ];
  return {
    ...task,
    status: isWhole ? 'completed' : 'in-progress',
    lastModified: new Date(now).toISOString(),
    output,
  };
}

/** How far it is. */
export function progressOf({ output = [] }: Task): ExportProgress {
  const of = (code: OutputCode): TaskOutput | undefined =>
    output.find(({ type }) => type.coding?.some((one) => one.system === CODE_SYSTEM.exportOutput && one.code === code));
  const sentOf = (count: OutputCode, last: OutputCode): Sent => ({
    sent: of(count)?.valueUnsignedInt ?? 0,
    last: of(last)?.valueReference?.reference,
  });
  const ended = sentOf('exams-ended', 'last-ended');
  return { ...sentOf('exams-sent', 'last-exam'), ...(ended.last === undefined ? {} : { ended }) };
}

/** Builds the export as it was cancelled. */
export function cancelledExport(task: Task, now: number): Task {
  return { ...task, status: 'cancelled', lastModified: new Date(now).toISOString() };
}

type OutputCode = 'exams-sent' | 'last-exam' | 'exams-ended' | 'last-ended';

function outputsOf({ sent, last }: Sent, [count, exam]: readonly [OutputCode, OutputCode]): TaskOutput[] {
  const counted = { ...outputOf(count), valueUnsignedInt: sent };
  return last === undefined ? [counted] : [counted, { ...outputOf(exam), valueReference: { reference: last } }];
}

function outputOf(code: OutputCode): Pick<TaskOutput, 'type'> {
  return { type: { coding: [{ system: CODE_SYSTEM.exportOutput, code }] } };
}
