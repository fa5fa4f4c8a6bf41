/** Fault to OperationOutcome and HTTP status: the table of the FHIR and DICOMweb doors. */
import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { Fault, FaultKind } from './fault.ts';

type HttpAnswer = { readonly status: number; readonly code: OperationOutcomeIssue['code'] };

/**
 * HTTP status and issue type of each kind.
 * @see https://hl7.org/fhir/R4/http.html
 */
export const HTTP_OF_FAULT = {
  invalid: { status: 400, code: 'invalid' },
  required: { status: 400, code: 'required' },
  'not-supported': { status: 501, code: 'not-supported' },
  login: { status: 401, code: 'login' },
  forbidden: { status: 403, code: 'forbidden' },
  'not-found': { status: 404, code: 'not-found' },
  deleted: { status: 410, code: 'deleted' },
  conflict: { status: 409, code: 'conflict' },
  'version-conflict': { status: 412, code: 'conflict' },
  'business-rule': { status: 422, code: 'business-rule' },
  'too-costly': { status: 413, code: 'too-costly' },
  'too-long': { status: 413, code: 'too-long' },
  throttled: { status: 429, code: 'throttled' },
  'no-store': { status: 507, code: 'no-store' },
  transient: { status: 503, code: 'transient' },
  exception: { status: 500, code: 'exception' },
} as const satisfies Record<FaultKind, HttpAnswer>;

/** Issue types that a profile prescribes for what its kind would name otherwise: a Fault has them as its code. */
export const ISSUE_CODE = { codeInvalid: 'code-invalid' } as const;

/** Builds the OperationOutcome of a Fault: one issue, the Fault's message as diagnostics. */
export function toOperationOutcome(fault: Fault): OperationOutcome {
  const prescribed = Object.values(ISSUE_CODE).find((code) => code === fault.protocolCode);
  const issue: OperationOutcomeIssue = {
    severity: fault.kind === 'exception' ? 'fatal' : 'error',
    code: prescribed ?? HTTP_OF_FAULT[fault.kind].code,
    diagnostics: fault.message,
    ...(fault.expression === undefined ? {} : { expression: [fault.expression] }),
  };
  return { resourceType: 'OperationOutcome', issue: [issue] };
}
