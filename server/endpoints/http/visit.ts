/** Who comes through an HTTP door. */
import type { Context } from 'koa';
import type { Visit } from '../../flows/guard.ts';

/**
 * Identifies who comes in by the bearer token of a request. `server` is the door's base URL, for the audit trail.
 * @throws {Fault} login - no token, or one that does not hold
 */
export type Identify = (ctx: Context, server: string) => Promise<Visit>;
