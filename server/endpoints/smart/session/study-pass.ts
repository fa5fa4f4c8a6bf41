/**
 * The pass of a browser for one study: a cookie that is sent below the address of that study alone, and is worth
 * something only beside the session that opened it. A viewer of others' making is given no more.
 */
import { createHmac } from 'node:crypto';
import type { Context } from 'koa';
import type { AuthorizationKeys } from '../keys.ts';
import { tokenDigest } from '../tokens/token-digest.ts';
import { cookieOf, isSame, SESSION_SECONDS, sessionTokenOf } from './session.ts';

/** Gives passes, and knows them again. */
export type StudyPasses = {
  /** Gives the browser of a request a pass for a study, sent below a path alone. It ends with the session. */
  readonly give: (ctx: Context, studyInstanceUID: string, path: string) => void;
  /** Whether a request brings the pass for a study, of its own session. */
  readonly has: (ctx: Context, studyInstanceUID: string) => boolean;
};

const COOKIE = 'passerelle-study';

/** Makes them. `publicUrl` is known once the server listens. */
export function studyPasses(keys: AuthorizationKeys, publicUrl: () => string): StudyPasses {
  const passOf = (ctx: Context, studyInstanceUID: string): string | undefined => {
    const token = sessionTokenOf(ctx, publicUrl());
    if (token === undefined) return undefined;
    const hmac = createHmac('sha256', keys.cookieKeys[0] ?? '');
    return hmac.update(`study ${tokenDigest(token)} ${studyInstanceUID}`).digest('base64url');
  };
  return {
    give: (ctx, studyInstanceUID, path) => {
      const place = { publicUrl: publicUrl(), path, maxAge: SESSION_SECONDS, sameSite: 'Strict' } as const;
      ctx.append('Set-Cookie', cookieOf(COOKIE, passOf(ctx, studyInstanceUID) ?? '', place));
    },
    has: (ctx, studyInstanceUID) => {
      const pass = passOf(ctx, studyInstanceUID);
      return pass !== undefined && isSame(pass, ctx.cookies.get(COOKIE) ?? '');
    },
  };
}
