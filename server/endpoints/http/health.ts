/** Liveness and readiness. @see draft-inadarei-api-health-check-06 section 3 */
import type { Context, Middleware } from 'koa';
import type { Check, Checks } from '../../flows/health.ts';

type Status = Check['status'];

/**
 * Answers `/health/live` and `/health/ready`: 503 for `fail`, and when the stores do not answer; else 200, also for
 * `warn`. What is not well is named with its check; `report` is told beside it.
 */
export function answerHealth(health: () => Promise<Checks>, report: () => Promise<object>): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/health/live') return answer(ctx, 'pass', {});
    if (ctx.path !== '/health/ready') return await next();
    const checks = await health().catch(() => undefined);
    if (checks === undefined) return answer(ctx, 'fail', {});
    return answer(ctx, worstOf(checks), checks, await report().catch(() => ({})));
  };
}

function worstOf(checks: Checks): Status {
  const statuses = Object.values(checks).map(({ status }) => status);
  return (['fail', 'warn'] as const).find((status) => statuses.includes(status)) ?? 'pass';
}

function answer(ctx: Context, status: Status, checks: Checks, told: object = {}): void {
  const unwell = Object.entries(checks).filter(([, check]) => check.status !== 'pass');
  ctx.status = status === 'fail' ? 503 : 200;
  ctx.body = {
    status,
    ...(unwell.length === 0 ? {} : { checks: Object.fromEntries(unwell.map(([name, check]) => [name, [check]])) }),
    ...told,
  };
}
