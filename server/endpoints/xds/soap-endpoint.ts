/**
 * One SOAP transaction over HTTP: read, identify, run, answer. Errors of SOAP and of the caller are SOAP faults;
 * errors of content travel in the transaction's own answer.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Context } from 'koa';
import type { XmlElement } from 'libxml2-wasm';
import type { XuaAssertion } from '../../../ihe/saml/assertion.ts';
import { formatEnvelope } from '../../../ihe/soap/envelope.ts';
import { concernsSoap, formatSoapFault } from '../../../ihe/soap/fault.ts';
import { withSoapRequest } from '../../../ihe/soap/message.ts';
import { formatMtom, formatMtomContentType, type MtomPart } from '../../../ihe/soap/mtom.ts';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault, toFault } from '../../../profiles/fault.ts';
import type { Visit } from '../../flows/guard.ts';
import { challengeOf, hasToken } from '../http/outcome.ts';
import { readRawBody } from '../http/raw-body.ts';
import { identifyCaller, type CallerDeps } from './caller.ts';

/** What a transaction answers: the body of the envelope and, where it is an MTOM package, the parts beside it. */
export type SoapAnswer = { readonly body: string; readonly parts?: readonly MtomPart[] };

/** A transaction: its actions, and its two halves. */
export type SoapTransaction<Request> = {
  readonly action: string;
  readonly responseAction: string;
  /** Reads the body; synchronous, for its elements die with the call. */
  readonly parse: (body: XmlElement) => Request;
  readonly run: (visit: Visit, request: Request) => Promise<SoapAnswer>;
  /** The answer that reports a Fault as a registry error. */
  readonly fail: (fault: Fault) => SoapAnswer;
};

/** What every SOAP endpoint needs. `baseUrl` gives the address of the XDS doors, without a slash at the end. */
export type SoapEndpointDeps = CallerDeps & {
  readonly maxBodyBytes: number;
  /** Records a caller whose assertion does not hold; a token that does not hold is recorded by `identify`. */
  readonly recordFailure: (ctx: Context, fault: Fault) => Promise<void>;
};

/** A request once its XML is gone. A body that could not be read is reported after the caller is known. */
type OpenedRequest<Request> = {
  readonly messageID: string | undefined;
  readonly assertion: XuaAssertion | undefined;
  readonly request: () => Request;
};

/** Makes the endpoint of a transaction. */
export function soapEndpoint<Request>(deps: SoapEndpointDeps, transaction: SoapTransaction<Request>) {
  return async (ctx: Context): Promise<void> => {
    let relatesTo: string | undefined;
    try {
      const opened = await openRequest(ctx, deps, transaction);
      relatesTo = opened.messageID;
      const visit = await identifyCaller(ctx, deps, opened.assertion, relatesTo);
      const answer = await runTransaction(ctx, transaction, visit, opened.request);
      answerSoap(ctx, transaction.responseAction, relatesTo, answer);
    } catch (error) {
      const fault = reported(ctx, error);
      if (fault.kind === 'login' && !hasToken(ctx)) await deps.recordFailure(ctx, fault);
      answerSoapFault(ctx, fault, relatesTo);
    }
  };
}

async function openRequest<Request>(
  ctx: Context,
  deps: SoapEndpointDeps,
  { action: served, parse }: SoapTransaction<Request>,
): Promise<OpenedRequest<Request>> {
  const bytes = await readRawBody(ctx, deps.maxBodyBytes);
  return withSoapRequest(ctx.get('Content-Type'), bytes, ({ action, messageID, assertion, body }) => {
    if (action !== served) {
      throw new Fault('not-supported', `The action of this address is ${served}`, {
        protocolCode: 'wsa:ActionNotSupported',
      });
    }
    return {
      messageID,
      assertion: assertion === undefined ? undefined : deps.verifyAssertion(assertion),
      request: attempt(() => parse(body)),
    };
  });
}

/** Runs now what may fail, and gives its result or its error later. */
function attempt<T>(work: () => T): () => T {
  try {
    const result = work();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

async function runTransaction<Request>(
  ctx: Context,
  { run, fail }: SoapTransaction<Request>,
  visit: Visit,
  request: () => Request,
): Promise<SoapAnswer> {
  try {
    return await run(visit, request());
  } catch (error) {
    const fault = reported(ctx, error);
    if (concernsSoap(fault)) throw fault;
    return fail(fault);
  }
}

/** A bug is reported to the app and hidden from the peer. */
function reported(ctx: Context, error: unknown): Fault {
  const fault = toFault(error);
  if (fault.kind === 'exception') ctx.app.emit('error', fault.cause ?? fault, ctx);
  return fault;
}

function answerSoap(ctx: Context, action: string, relatesTo: string | undefined, { body, parts }: SoapAnswer): void {
  const envelope = formatEnvelope({ action, relatesTo, body });
  if (parts === undefined) {
    ctx.set('Content-Type', `${MEDIA_TYPE.soap}; charset=UTF-8; action="${action}"`);
    ctx.body = envelope;
    return;
  }
  const identifiers = { boundary: `passerelle-${randomUUID()}`, rootContentId: newContentId() };
  ctx.set('Content-Type', formatMtomContentType(identifiers, action));
  ctx.body = Readable.from(formatMtom(identifiers, envelope, parts), { objectMode: false });
}

/** Makes the Content-ID of a part, without angle brackets. */
export function newContentId(): string {
  return `${randomUUID()}@passerelle`;
}

function answerSoapFault(ctx: Context, fault: Fault, relatesTo: string | undefined): void {
  const { status, envelope } = formatSoapFault(fault, relatesTo);
  ctx.status = httpStatusOf(ctx, fault) ?? status;
  const challenge = ctx.status === 401 ? challengeOf(ctx, fault) : undefined;
  if (challenge !== undefined) ctx.set('WWW-Authenticate', challenge);
  ctx.set('Content-Type', `${MEDIA_TYPE.soap}; charset=UTF-8`);
  ctx.body = envelope;
}

/** A body that is too large and a token that does not hold are matters of HTTP before they are of SOAP. */
function httpStatusOf(ctx: Context, { kind }: Fault): number | undefined {
  if (kind === 'too-long') return 413;
  return kind === 'login' && hasToken(ctx) ? 401 : undefined;
}
