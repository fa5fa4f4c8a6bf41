/** The HTTP server: the order of its steps as a table, and its limits. */
import { createServer, type Server } from 'node:http';
import Koa, { type Middleware } from 'koa';
import { Fault, type FaultKind } from '../../../profiles/fault.ts';
import type { Log } from '../../log.ts';
import type { Checks } from '../../flows/health.ts';
import { answerHealth } from './health.ts';
import { answerFaults } from './outcome.ts';
import { requestIdOf } from './identify.ts';
import { leaveUnread } from './unread-body.ts';

/** What the server is made of. */
export type AppParts = {
  readonly log: Log;
  /** The middleware of each door, in order. */
  readonly doors: readonly Middleware[];
  /** What readiness is made of; it rejects when the stores do not answer. */
  readonly health: () => Promise<Checks>;
  /** What monitoring is told beside it; nothing of a patient. */
  readonly report: () => Promise<object>;
};

const SECURITY_HEADERS = Object.freeze({
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
});

/**
 * A request as a whole has no deadline, for instances may take long; bodies that are read whole have one of their own.
 */
const LIMITS = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 15_000,
  requestTimeout: 0,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 10_000,
};

/** A connection on which nothing moves is closed. */
const IDLE_MS = 60_000;

/** Makes the server; it does not listen yet. */
export function createHttpServer({ log, doors, health, report }: AppParts): Server {
  const app = new Koa();
  app.silent = true;
  app.on('error', (error: unknown) => logError(log, error));
  const before: readonly Middleware[] = [nameRequest, secure, logRequests(log), leaveUnread, answerFaults];
  const steps: readonly Middleware[] = [...before, answerHealth(health, report), ...doors, absent];
  for (const step of steps) app.use(step);
  const server = createServer(LIMITS, app.callback());
  server.timeout = IDLE_MS;
  server.maxConnections = 10_000;
  server.maxRequestsPerSocket = 0;
  return server;
}

const nameRequest: Middleware = async (ctx, next) => {
  ctx.set('X-Request-Id', requestIdOf(ctx));
  await next();
};

const secure: Middleware = async (ctx, next) => {
  ctx.set(SECURITY_HEADERS);
  await next();
};

/** One line a request, without query or ids: those name patients. */
function logRequests(log: Log): Middleware {
  return async (ctx, next) => {
    const began = performance.now();
    await next();
    const [, door = ''] = ctx.path.split('/');
    log.debug({ door, method: ctx.method, status: ctx.status, ms: Math.round(performance.now() - began) }, 'request');
  };
}

const absent: Middleware = () => {
  throw new Fault('not-found', 'Nothing is served at this address');
};

/** Why a running answer ends that was decided anew: the patient withdrew, a right is over, an account was closed. */
const DECIDED: readonly FaultKind[] = ['not-found', 'forbidden', 'login'];

/**
 * A peer that went away in the middle of an answer, or that does not speak HTTP (`HPE_…`), is no error of ours; nor is
 * an answer that ends because it is not its reader's any more.
 */
function logError(log: Log, error: unknown): void {
  const code = (error as { code?: string } | undefined)?.code ?? '';
  const isOfPeer =
    code.startsWith('HPE_') || ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNABORTED'].includes(code);
  if (isOfPeer) log.debug({ code }, 'the peer went away');
  else if (error instanceof Fault && DECIDED.includes(error.kind))
    log.info({ error: error.kind }, 'a running answer was ended: its reader may not see it any more');
  else log.error({ err: error }, 'unexpected error');
}
