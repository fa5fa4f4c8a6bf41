/** Faults as HTTP answers with an OperationOutcome: FHIR, DICOMweb and every other door without errors of its own. */
import type { Context, Middleware } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { toFault, type Fault } from '../../../profiles/fault.ts';
import { FRESH_SECONDS } from '../../flows/consent/break-glass.ts';
import { HTTP_OF_FAULT, toOperationOutcome } from '../../../profiles/operation-outcome.ts';

/** Codes of a Fault that HTTP answers by a status of its own. @see RFC 9110 section 15.5 */
export const HTTP_CODE = {
  methodNotAllowed: 'method-not-allowed',
  notAcceptable: 'not-acceptable',
  unsupportedMediaType: 'unsupported-media-type',
} as const;

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  [HTTP_CODE.methodNotAllowed]: 405,
  [HTTP_CODE.notAcceptable]: 406,
  [HTTP_CODE.unsupportedMediaType]: 415,
};

/** Answers every Fault of the steps behind it; what is no Fault is a bug, answered as one and reported to the app. */
export const answerFaults: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const fault = toFault(error);
    if (fault.kind === 'exception') ctx.app.emit('error', fault.cause ?? fault, ctx);
    answerFault(ctx, fault);
  }
};

/** Answers a Fault: status, OperationOutcome, and the challenge where a token was missing or did not suffice. */
export function answerFault(ctx: Context, fault: Fault): void {
  ctx.status = statusOf(fault);
  const challenge = challengeOf(ctx, fault);
  if (challenge !== undefined) ctx.set('WWW-Authenticate', challenge);
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  ctx.body = JSON.stringify(toOperationOutcome(fault));
}

/** The HTTP status of a Fault. */
export function statusOf({ kind, protocolCode = '' }: Fault): number {
  return STATUS_OF_CODE[protocolCode] ?? HTTP_OF_FAULT[kind].status;
}

/** The challenge that a refusal carries; undefined when it is not about the token. @see RFC 6750 section 3 */
export function challengeOf(ctx: Context, { kind, protocolCode }: Fault): string | undefined {
  if (kind === 'forbidden')
    return protocolCode === INSUFFICIENT_SCOPE ? `Bearer error="${INSUFFICIENT_SCOPE}"` : undefined;
  if (kind !== 'login') return undefined;
  // RFC 9470 section 3: the token holds, the sign-in behind it is too old.
  if (protocolCode === INSUFFICIENT_AUTHENTICATION)
    return `Bearer error="${INSUFFICIENT_AUTHENTICATION}", max_age="${FRESH_SECONDS}"`;
  return hasToken(ctx) ? 'Bearer error="invalid_token"' : 'Bearer';
}

/** Whether a request carries a token or other credentials. */
export function hasToken(ctx: Context): boolean {
  return ctx.get('Authorization') !== '';
}

const INSUFFICIENT_SCOPE = 'insufficient_scope';
const INSUFFICIENT_AUTHENTICATION = 'insufficient_user_authentication';
