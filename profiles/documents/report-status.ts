/** The life of a report by its status, and messages that would turn it back. @see FHIR R4 DiagnosticReport.status */
import type { DiagnosticReport } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { isValidated } from './diagnostic-report.ts';

/** Whether a report has come to its end: it counts for nothing any more. */
export function isEnded({ status }: Pick<DiagnosticReport, 'status'>): boolean {
  return status === 'cancelled' || status === 'entered-in-error';
}

/** Whether a report was never validated: `registered`, `partial`, `preliminary`, `unknown`. */
export function isPreliminary(report: DiagnosticReport): boolean {
  return !isValidated(report) && !isEnded(report);
}

/** Whether a version says that what was published is replaced by it, whatever bytes it brings. */
export function replacesDocument({ status }: DiagnosticReport, standing: DiagnosticReport | undefined): boolean {
  return standing !== undefined && status !== standing.status && (status === 'amended' || status === 'corrected');
}

/** How far a report has come; a message of an earlier step goes back. */
function stepOf(report: DiagnosticReport): number {
  if (report.status === 'entered-in-error') return 4;
  if (report.status === 'cancelled') return 3;
  if (isPreliminary(report)) return 0;
  return report.status === 'final' ? 1 : 2;
}

/**
 * Requires that a message does not go back behind the report that stands.
 * @throws {Fault} conflict - a status that comes before, or an earlier `issued`
 */
export function requireOnward(standing: DiagnosticReport, sent: DiagnosticReport): void {
  if (stepOf(sent) < stepOf(standing)) throw goesBack('status', `it is ${standing.status} already`);
  const [before, now] = [standing.issued, sent.issued].map((issued) => Date.parse(issued ?? ''));
  if (before !== undefined && now !== undefined && now < before)
    throw goesBack('issued', 'one that was issued later stands');
}

function goesBack(element: string, why: string): Fault {
  return new Fault('conflict', `The message goes back behind the report: ${why}`, {
    expression: `DiagnosticReport.${element}`,
  });
}
