/** What the server needs of a report. @see FHIR R4 DiagnosticReport */
import type { Attachment, DiagnosticReport, Reference } from '@medplum/fhirtypes';
import { IDENTIFIER_SYSTEM, MEDIA_TYPE } from '../codes.ts';
import { Fault } from '../fault.ts';
import { studyInstanceUIDOf } from '../imaging/identifiers.ts';
import { isReservedSystem } from '../reserved-systems.ts';
import { isReleased } from '../types/row-rules.ts';

/** Returns the Study Instance UIDs (dotted form) that a report names by identifier, without repetition. */
export function studiesOf({ imagingStudy = [] }: DiagnosticReport): string[] {
  const uids = imagingStudy.map(({ identifier }) =>
    identifier === undefined ? undefined : studyInstanceUIDOf(identifier),
  );
  return [...new Set(uids.filter((uid) => uid !== undefined))];
}

/** Whether a physician has validated the report: that is what releases it. */
export function isValidated(report: DiagnosticReport): boolean {
  return isReleased('DiagnosticReport', report);
}

/** A presented form that holds its bytes, in base64. */
export type PresentedForm = Attachment & { readonly contentType: string; readonly data: string };

/**
 * Returns the PDF forms of a report (1..*), in its order, when it has what publishing needs.
 * @throws {Fault} required - no subject reference, status, code, or PDF with its bytes in `data`
 * @throws {Fault} invalid - a reserved system numbers its order, or its exam otherwise than by UID
 */
export function requireReport(report: DiagnosticReport): readonly [PresentedForm, ...PresentedForm[]] {
  requireHead(report);
  const { presentedForm = [] } = report;
  const [first, ...others] = presentedForm.filter(isPdf);
  if (first === undefined) throw missing('presentedForm', `a presentedForm of type ${MEDIA_TYPE.pdf} with data`);
  return [first, ...others];
}

/**
 * Requires what a report must say before there is a form of it.
 * @throws {Fault} required - no subject reference, status or code
 * @throws {Fault} invalid - as {@link requireIssuedNumbers}
 */
export function requireHead(report: DiagnosticReport): void {
  const { subject, status, code } = report;
  demand(subject?.reference !== undefined, 'subject', 'a reference to its patient');
  demand(status !== undefined, 'status', 'a status');
  demand(code !== undefined, 'code', 'a code');
  requireIssuedNumbers(report);
}

/**
 * Requires that whoever numbers the orders and exams of a report gives such numbers, however the report comes.
 * @throws {Fault} invalid - a reserved system numbers its order, or its exam otherwise than by UID
 */
export function requireIssuedNumbers({ basedOn = [], imagingStudy = [] }: DiagnosticReport): void {
  refuseReserved(basedOn, 'basedOn');
  const isByUID = ({ identifier }: Reference): boolean => identifier?.system === IDENTIFIER_SYSTEM.dicomUid;
  refuseReserved(
    imagingStudy.filter((exam) => !isByUID(exam)),
    'imagingStudy',
  );
}

/** Documents are related to orders and exams by their numbers, so a number has an issuer who gives such. */
function refuseReserved(references: readonly Reference[], element: string): void {
  if (!references.some(({ identifier }) => isReservedSystem(identifier?.system ?? ''))) return;
  const message = 'An identifier is of a system under which nobody numbers orders or exams';
  throw new Fault('invalid', message, { expression: `DiagnosticReport.${element}` });
}

function isPdf(form: Attachment): form is PresentedForm {
  const type = (form.contentType ?? '').split(';')[0]?.trim().toLowerCase();
  return type === MEDIA_TYPE.pdf && form.data !== undefined && form.data !== '';
}

function demand(condition: boolean, element: string, what: string): void {
  if (!condition) throw missing(element, what);
}

function missing(element: string, what: string): Fault {
  return new Fault('required', `A report needs ${what}`, { expression: `DiagnosticReport.${element}` });
}
