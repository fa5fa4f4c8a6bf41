/**
 * Signing in to our own pages, below the mount of the authorization server: at the region's providers as for every
 * application, and back to the address that was asked for.
 */
import { randomBytes } from 'node:crypto';
import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { Fault, toFault } from '../../../../profiles/fault.ts';
import { languageOf } from '../../pages/language.ts';
import { sendPage } from '../../pages/send-page.ts';
import type { BoundOptions } from '../options.ts';
import { REFUSAL } from '../refusals.ts';
import { askForRecord, onlyPerson, recordChosen, type ChoiceDoor } from '../sign-in/choose-record.ts';
import { readForm } from '../sign-in/form.ts';
import type { PendingSignIns, SignedInPerson } from '../sign-in/pending-sign-ins.ts';
import { beginSignIn, completeSignIn } from '../sign-in/sign-in.ts';
import {
  cookieOf,
  endSession,
  isFormProof,
  openSession,
  PAGES_CLIENT,
  SESSION_SECONDS,
  sessionCookie,
  sessionTokenOf,
} from './session.ts';
import { providersPage, sessionRefusal, type AskedSignIn } from './session-pages.ts';

type Door = { readonly options: BoundOptions; readonly pending: PendingSignIns };

/** Sign-ins of our pages have ids of their own, so that an answer is led to where it was asked. */
const PREFIX = 'session.';
/** Binds the answer of a provider to the browser that went there. */
const START_COOKIE = 'passerelle-sign-in';
const START_SECONDS = 900;
const MOST_CHARACTERS = 2_000;

/** Whether a pending sign-in is one of our pages. */
export function isOfPages(uid: string): boolean {
  return uid.startsWith(PREFIX);
}

/** Adds the routes. */
export function addSessionRoutes(router: Router, door: Door): void {
  router.use('/session', async (ctx, next) => await answerRefusals(ctx, next, door.options));
  router.get('/session', async (ctx) => await start(ctx, door));
  router.get('/session/provider/:index', async (ctx) => await leave(ctx, door, Number(ctx.params['index'])));
  router.get('/session/signed-in', async (ctx) => await comeBack(ctx, door));
  router.get('/session/record', async (ctx) => await askForRecord(ctx, (await backAt(ctx, door)).choice));
  router.post('/session/record', async (ctx) => await choose(ctx, door));
  router.post('/session/end', async (ctx) => await end(ctx, door));
}

/** An address on this server that a person may be led to; `/` when it is none. */
export function ownAddress(asked: string | null): string {
  const isOwn = asked !== null && asked.length <= MOST_CHARACTERS && /^\/(?![/\\])[\x21-\x7e]*$/.test(asked);
  return isOwn && !asked.includes('\\') ? asked : '/';
}

/** `prompt` is `login` when she is to show anew who she is. @see OpenID Connect Core 3.1.2.1 */
function askedOf(ctx: Context): AskedSignIn {
  const query = new URLSearchParams(ctx.querystring);
  const hint = query.get('login_hint') ?? '';
  return {
    to: ownAddress(query.get('to')),
    ...(query.get('prompt') === 'login' ? { prompt: 'login' } : {}),
    ...(/^[\x21-\x7e]{1,200}$/.test(hint) ? { login_hint: hint } : {}),
  };
}

async function start(ctx: Context, door: Door): Promise<void> {
  const { site } = door.options;
  const identityProviders = door.options.identityProviders();
  if (identityProviders.length === 1) return await leave(ctx, door, 0);
  const names = identityProviders.map(({ name }) => name);
  sendPage(ctx, providersPage(names, askedOf(ctx), languageOf(ctx)), site);
}

/** Who signs in to our pages is told in his own language why it stops. */
async function answerRefusals(ctx: Context, next: () => Promise<unknown>, options: BoundOptions): Promise<void> {
  try {
    await next();
  } catch (error) {
    const fault = toFault(error);
    if (fault.kind === 'exception' || fault.kind === 'transient') options.onError?.(error);
    sendPage(ctx, sessionRefusal(fault, languageOf(ctx)), options.site);
  }
}

async function leave(ctx: Context, { options, pending }: Door, provider: number): Promise<void> {
  const secret = randomBytes(32).toString('base64url');
  const { to, prompt, login_hint: loginHint } = askedOf(ctx);
  const uid = `${PREFIX}${secret}`;
  await pending.keepAddress(uid, to);
  const demand = { uid, maxAge: undefined, prompt, ...(loginHint === undefined ? {} : { loginHint }) };
  const { href } = await beginSignIn(options, pending, provider, demand);
  setCookie(ctx, options, START_COOKIE, secret, { path: '/auth/session', maxAge: START_SECONDS });
  redirect(ctx, href);
}

/** The sign-in that this browser began, and where it is to lead. */
async function backAt(
  ctx: Context,
  { options, pending }: Door,
): Promise<{ readonly to: string; readonly choice: ChoiceDoor }> {
  const uid = `${PREFIX}${ctx.cookies.get(START_COOKIE) ?? ''}`;
  const to = await pending.address(uid);
  if (to === undefined) throw new Fault('login', 'The sign-in has expired', { protocolCode: REFUSAL.expired });
  const signingIn = { uid, clientId: PAGES_CLIENT.client_id, address: ctx.ip };
  return { to, choice: { options, pending, signingIn, action: `${options.issuer}/session/record` } };
}

async function comeBack(ctx: Context, { options, pending }: Door): Promise<void> {
  const { to, choice } = await backAt(ctx, { options, pending });
  const callback = new URLSearchParams(ctx.querystring);
  const person = await onlyPerson(choice, await completeSignIn(options, pending, choice.signingIn, callback));
  if (person === undefined) redirect(ctx, choice.action);
  else await enter(ctx, options, person, to);
}

async function choose(ctx: Context, door: Door): Promise<void> {
  const { to, choice } = await backAt(ctx, door);
  const person = await recordChosen(ctx, choice);
  if (person !== undefined) await enter(ctx, door.options, person, to);
}

async function enter(ctx: Context, options: BoundOptions, person: SignedInPerson, to: string): Promise<void> {
  const token = await openSession(options, person);
  setCookie(ctx, options, START_COOKIE, '', { path: '/auth/session', maxAge: 0 });
  setCookie(ctx, options, sessionCookie(options.publicUrl), token, { path: '/', maxAge: SESSION_SECONDS });
  redirect(ctx, `${options.publicUrl}${to}`);
}

async function end(ctx: Context, { options }: Door): Promise<void> {
  const token = sessionTokenOf(ctx, options.publicUrl);
  const form = await readForm(ctx);
  if (token !== undefined) {
    if (!isFormProof(options.keys, token, form.get('proof')))
      throw new Fault('forbidden', 'The form does not come from this session', { protocolCode: REFUSAL.foreignForm });
    await endSession(options, token);
  }
  setCookie(ctx, options, sessionCookie(options.publicUrl), '', { path: '/', maxAge: 0 });
  redirect(ctx, `${options.publicUrl}/`);
}

function setCookie(
  ctx: Context,
  { publicUrl }: BoundOptions,
  name: string,
  value: string,
  place: { readonly path: string; readonly maxAge: number },
): void {
  ctx.append('Set-Cookie', cookieOf(name, value, { publicUrl, ...place }));
}

function redirect(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', Location: url });
  ctx.body = '';
}
