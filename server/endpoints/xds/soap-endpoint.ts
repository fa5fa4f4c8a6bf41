/**
 * One SOAP transaction over HTTP: identify, read, run, answer. Errors of SOAP and of the caller are SOAP faults;
 * errors of content travel in the transaction's own answer. Somebody without a token is known by the header of the
 * message: until then a small beginning of it is all that is parsed.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Context } from 'koa';
import type { XmlElement } from 'libxml2-wasm';
import type { XuaAssertion } from '../../../ihe/saml/assertion.ts';
import { formatEnvelope } from '../../../ihe/soap/envelope.ts';
import { concernsSoap, formatSoapFault } from '../../../ihe/soap/fault.ts';
import { requestOfHeader } from '../../../ihe/soap/header-first.ts';
import { withSoapRequest } from '../../../ihe/soap/message.ts';
import { formatMtom, formatMtomContentType, type MtomPart } from '../../../ihe/soap/mtom.ts';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault, toFault } from '../../../profiles/fault.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { allows, type ScopeAction } from '../../access/scope.ts';
import type { Visit } from '../../flows/guard.ts';
import type { BodyPurpose, FindBodyLimit, Sender } from '../http/body-limits.ts';
import { challengeOf, hasToken } from '../http/outcome.ts';
import { readRawBody } from '../http/raw-body.ts';
import { identifyByToken, identifyCaller, type CallerDeps } from './caller.ts';

/** What a transaction answers: the body of the envelope and, where it is an MTOM package, the parts beside it. */
export type SoapAnswer = { readonly body: string; readonly parts?: readonly MtomPart[] };

/** A transaction: its name, the scope that it needs, its actions, and its two halves. */
export type SoapTransaction<Request> = {
  readonly name: Extract<BodyPurpose, { door: 'XDS' }>['request'];
  /** Without it no more of a body is read than of nobody's; the flow refuses. */
  readonly scope: { readonly type: StoredType; readonly action: ScopeAction };
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
  readonly bodyLimit: FindBodyLimit;
  /** Records a caller whose assertion does not hold, or whose purpose is refused; for a token `identify` does. */
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
    let known: Visit | undefined;
    try {
      const byToken = await identifyByToken(ctx, deps);
      const opened = await openRequest(ctx, deps, transaction, byToken);
      relatesTo = opened.messageID;
      known = await identifyCaller(ctx, deps, byToken, opened);
      const answer = await runTransaction(ctx, transaction, known, opened.request);
      answerSoap(ctx, transaction.responseAction, relatesTo, answer);
    } catch (error) {
      const fault = reported(ctx, error);
      const isRefused = fault.kind === 'login' || fault.kind === 'forbidden';
      if (known === undefined && isRefused && !hasToken(ctx)) await deps.recordFailure(ctx, fault);
      answerSoapFault(ctx, fault, relatesTo);
    }
  };
}

async function openRequest<Request>(
  ctx: Context,
  deps: SoapEndpointDeps,
  transaction: SoapTransaction<Request>,
  byToken: Visit | undefined,
): Promise<OpenedRequest<Request>> {
  const { action: served, parse } = transaction;
  const bytes = await readMessage(ctx, deps, transaction, byToken);
  return withSoapRequest(ctx.get('Content-Type'), bytes, ({ action, messageID, assertion, body }) => {
    if (action !== served) {
      throw new Fault('not-supported', `The action of this address is ${served}`, {
        protocolCode: 'wsa:ActionNotSupported',
      });
    }
    const verified = assertion === undefined ? undefined : deps.verifyAssertion(assertion);
    const isKnown = byToken !== undefined || verified !== undefined;
    return { messageID, assertion: verified, request: isKnown ? attempt(() => parse(body)) : ofNobody };
  });
}

/** What nobody asks is not looked at. */
function ofNobody(): never {
  throw new Fault('login', 'The caller is not known');
}

async function readMessage(
  ctx: Context,
  { bodyLimit, verifyAssertion }: SoapEndpointDeps,
  { name, scope }: Pick<SoapTransaction<never>, 'name' | 'scope'>,
  byToken: Visit | undefined,
): Promise<Buffer> {
  const limitOf = (sender: Sender): number => bodyLimit({ door: 'XDS', request: name }, sender).bytes;
  if (byToken !== undefined) {
    const { scopes, kind } = byToken.requester;
    return await readRawBody(ctx, limitOf(allows(scopes, scope.type, scope.action) ? kind : 'nobody'));
  }
  const pass = (beginning: Buffer): void => requireAssertion(ctx.get('Content-Type'), beginning, verifyAssertion);
  return await readRawBody(ctx, limitOf('practitioner'), { atBytes: limitOf('nobody'), pass });
}

/** The assertion is verified again with the whole message: here it is what lets the rest be read. */
function requireAssertion(contentType: string, beginning: Buffer, verify: SoapEndpointDeps['verifyAssertion']): void {
  const request = requestOfHeader(contentType, beginning);
  const shown = request && withSoapRequest(contentType, request, ({ assertion }) => assertion && verify(assertion));
  if (shown !== undefined) return;
  throw new Fault('login', `Without a token, a SAML assertion must be within the first ${beginning.length} bytes`);
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
