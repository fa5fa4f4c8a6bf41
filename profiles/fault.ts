/**
 * The one typed error of the product. Every protocol answers a Fault from a table of its own that names every
 * kind, so a kind that is added and forgotten by a protocol does not compile.
 */

/**
 * The closed list of kinds: FHIR issue types, and `version-conflict`, which FHIR answers apart (412).
 * @see https://hl7.org/fhir/R4/valueset-issue-type.html
 */
export const FAULT_KINDS = [
  'invalid',
  'required',
  'not-supported',
  'login',
  'forbidden',
  'not-found',
  'deleted',
  'conflict',
  'version-conflict',
  'business-rule',
  'too-costly',
  'too-long',
  'throttled',
  'no-store',
  'transient',
  'exception',
] as const;

/** One of {@link FAULT_KINDS}. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What a Fault may carry beside its kind and message. */
export type FaultDetail = {
  /** FHIRPath, XPath, attribute or parameter name that is at fault. */
  readonly expression?: string;
  /** A more exact code of the protocol that raised it (an XDS errorCode, an OAuth error). */
  readonly protocolCode?: string;
  /** The cause, for the log only: it never reaches the wire. */
  readonly cause?: unknown;
};

/**
 * A refusal that its reader can act on. The message is sent to the peer: sentence case, no final period, and
 * never a name, an identifier or a value of a patient. A plain Error is a bug and is answered as `exception`.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly kind: FaultKind;
  readonly expression: string | undefined;
  readonly protocolCode: string | undefined;

  constructor(kind: FaultKind, message: string, detail: FaultDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.kind = kind;
    this.expression = detail.expression;
    this.protocolCode = detail.protocolCode;
  }
}

/** Returns the error itself when it is a Fault, else an `exception` Fault that hides it from the peer. */
export function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('exception', 'The server met an unexpected condition', { cause: error });
}
