/** Pages for who is signed in. */
import type { Context } from 'koa';
import { toFault } from '../../../profiles/fault.ts';
import { linkAddressOf } from './link-address.ts';

/** Answers; who is not signed in is led to do so, and back to the whole link. */
export async function signedIn(ctx: Context, answer: () => Promise<void>): Promise<void> {
  try {
    await answer();
  } catch (error) {
    if (toFault(error).kind !== 'login') throw error;
    ctx.status = 303;
    ctx.set({ 'Cache-Control': 'no-store', Location: `/auth/session?to=${encodeURIComponent(linkAddressOf(ctx))}` });
    ctx.body = '';
  }
}
