/** A posted form, read within a limit. */
import type { Context } from 'koa';
import { Fault } from '../../../../profiles/fault.ts';
import { bodyLimits } from '../../http/body-limits.ts';
import { readRawBody } from '../../http/raw-body.ts';

/** The limit of every form of a page and every body below `/auth/`, whoever sends it. */
export const MAX_FORM_BYTES = bodyLimits(Infinity)({ door: 'SMART', request: 'form' }, 'nobody').bytes;

/**
 * Reads an `application/x-www-form-urlencoded` body.
 * @throws {Fault} invalid - another media type
 * @throws {Fault} too-long - more than {@link MAX_FORM_BYTES}
 */
export async function readForm(ctx: Context): Promise<URLSearchParams> {
  const type = ctx.get('Content-Type').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw new Fault('invalid', 'A form is expected');
  return new URLSearchParams((await readRawBody(ctx, MAX_FORM_BYTES)).toString('utf8'));
}
