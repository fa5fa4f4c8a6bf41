/** Answers that hold what one requester may see. */
import type { Middleware } from 'koa';

/** Forbids every store of an answer but the requester's own memory; it depends on who asks. */
export const answerPrivately: Middleware = async (ctx, next) => {
  ctx.set('Cache-Control', 'private, no-store');
  ctx.vary('Authorization, Accept');
  await next();
};
