/** What becomes of a body that is not read to its end when the answer is ready. */
import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';

/** The most of an unwanted body that is read; of one that is announced as larger nothing is. */
export const MAX_PASSED_BYTES = 1024 * 1024;

/** How long a connection stays open behind an answer that came before the end of the body. */
const MAX_LINGER_MS = 500;

/**
 * A refusal comes before the body, and what nobody wants must cost little: a small body is read and dropped, and the
 * connection goes on; behind a large one the connection is closed.
 */
export const leaveUnread: Middleware = async (ctx, next) => {
  const announced = announcedBytes(ctx.req);
  if (announced === 0) return void (await next());
  const isSmall = announced <= MAX_PASSED_BYTES;
  // Nobody reads the body of a GET, and its answer may be sent before this step goes on.
  if (!isSmall && ['GET', 'HEAD'].includes(ctx.method)) ctx.set('Connection', 'close');
  await next();
  if (ctx.headerSent) return;
  if (isSmall || ctx.req.complete) return void ctx.req.resume();
  ctx.set('Connection', 'close');
  await answerAndLinger(ctx, announced === Infinity);
};

/** Bytes of the body by its headers: 0 when there is none, Infinity when they do not tell. */
function announcedBytes({ headers }: IncomingMessage): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
}

/**
 * Sends the answer before its end: a connection that is closed upon bytes nobody has read is reset, and a sender who is
 * still writing would lose the answer with it. @see RFC 9112 section 9.6
 */
async function answerAndLinger(ctx: Context, passesOver: boolean): Promise<void> {
  const answer = bytesOf(ctx.body);
  if (answer === undefined || ctx.method === 'HEAD' || ctx.res.destroyed) return;
  ctx.respond = false;
  ctx.length = answer.length;
  ctx.res.flushHeaders();
  if (answer.length > 0) ctx.res.write(answer);
  await linger(ctx.req, passesOver);
  if (!ctx.res.destroyed) ctx.res.end();
}

/** The bytes of an answer that is whole; undefined for one that is a stream, or none. */
function bytesOf(body: unknown): Buffer | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  if (Buffer.isBuffer(body)) return body;
  const isPlain = typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype;
  return isPlain ? Buffer.from(JSON.stringify(body)) : undefined;
}

/** Waits until the sender is done or gone, but not long. */
async function linger(request: IncomingMessage, passesOver: boolean): Promise<void> {
  const { promise: isOver, resolve } = Promise.withResolvers<void>();
  const late = setTimeout(resolve, MAX_LINGER_MS);
  request.once('end', resolve).once('close', resolve);
  if (passesOver) passOver(request);
  await isOver;
  clearTimeout(late);
}

function passOver(request: IncomingMessage): void {
  let passed = 0;
  request.on('data', (chunk: Buffer) => {
    passed += chunk.length;
    if (passed > MAX_PASSED_BYTES) request.pause();
  });
}
