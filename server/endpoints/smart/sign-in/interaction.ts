/** The pages between an application's request and its answer: sign-in elsewhere, then consent here. */
import { Router } from '@koa/router';
import { html } from 'htm/preact';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { Fault, toFault } from '../../../../profiles/fault.ts';
import { askForRecord, onlyPerson, recordChosen, type ChoiceDoor } from './choose-record.ts';
import { consentPage } from './consent-page.ts';
import { csrfToken, isCsrfToken } from './csrf.ts';
import { readForm } from './form.ts';
import { OIDC_SCOPES, scopesOfAccount } from '../tokens/granted-scopes.ts';
import type { BoundOptions } from '../options.ts';
import { sendPage } from '../../pages/send-page.ts';
import { pendingSignIns } from './pending-sign-ins.ts';
import type { PendingSignIns, SignedInPerson } from './pending-sign-ins.ts';
import { REFUSAL, refusalOf } from '../refusals.ts';
import { addSessionRoutes, isOfPages } from '../session/session-routes.ts';
import { beginSignIn, completeSignIn } from './sign-in.ts';
import { SIGN_IN_LANGUAGE, SIGN_IN_TEXTS } from './texts.ts';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;
type Door = { readonly provider: Provider; readonly options: BoundOptions; readonly pending: PendingSignIns };

/** The routes, below the mount of the authorization server. */
export function interactionRouter(provider: Provider, options: BoundOptions): Router {
  const door: Door = { provider, options, pending: pendingSignIns(options.tokens, options.clock) };
  const router = new Router();
  router.use(async (ctx, next) => await answerRefusals(ctx, next, options));
  addSessionRoutes(router, door);
  router.get('/signed-in', async (ctx) => await bringHome(ctx, door));
  router.get('/interaction/:uid', async (ctx) => await start(ctx, door));
  router.get('/interaction/:uid/provider/:index', async (ctx) => await leave(ctx, door, Number(ctx.params['index'])));
  router.get('/interaction/:uid/signed-in', async (ctx) => await comeBack(ctx, door));
  router.get('/interaction/:uid/record', async (ctx) => await askForRecord(ctx, await choiceDoor(ctx, door)));
  router.post('/interaction/:uid/record', async (ctx) => await choose(ctx, door));
  router.get('/interaction/:uid/consent', async (ctx) => await ask(ctx, door));
  router.post('/interaction/:uid/consent', async (ctx) => await decide(ctx, door));
  return router;
}

async function answerRefusals(ctx: Context, next: () => Promise<unknown>, options: BoundOptions): Promise<void> {
  try {
    await next();
  } catch (error) {
    const fault = isSessionLoss(error) ? expired() : toFault(error);
    if (fault.kind === 'exception' || fault.kind === 'transient') options.onError?.(error);
    sendPage(ctx, refusalOf(fault), options.site);
  }
}

async function start(ctx: Context, door: Door): Promise<void> {
  await interactionOf(ctx, door);
  const identityProviders = door.options.identityProviders();
  if (identityProviders.length === 1) return await leave(ctx, door, 0);
  const choices = identityProviders.map(
    (provider, index) => html`<a class="button" href=${`${ctx.params['uid']}/provider/${index}`}>${provider.name}</a>`,
  );
  const page = {
    status: 200,
    language: SIGN_IN_LANGUAGE,
    title: SIGN_IN_TEXTS.chooseTitle,
    body: html`<p class="lead">${SIGN_IN_TEXTS.chooseLead}</p>
      <div class="actions">${choices}</div>`,
  } as const;
  sendPage(ctx, page, door.options.site);
}

async function leave(ctx: Context, door: Door, provider: number): Promise<void> {
  const { uid, params } = await interactionOf(ctx, door);
  const demand = { uid, maxAge: params['max_age'], prompt: params['prompt'] };
  redirect(ctx, (await beginSignIn(door.options, door.pending, provider, demand)).href);
}

/** The provider knows one address; the cookie that proves the browser lives below the interaction's own. */
async function bringHome(ctx: Context, door: Door): Promise<void> {
  const uid = await door.pending.uidOf(new URLSearchParams(ctx.querystring).get('state') ?? '');
  if (uid === undefined) throw new Fault('login', 'The answer belongs to no sign-in');
  const place = isOfPages(uid) ? 'session' : `interaction/${uid}`;
  redirect(ctx, `${door.options.issuer}/${place}/signed-in?${ctx.querystring}`);
}

async function comeBack(ctx: Context, door: Door): Promise<void> {
  const choice = await choiceDoor(ctx, door);
  const { signingIn, action } = choice;
  const callback = new URLSearchParams(ctx.querystring);
  const person = await onlyPerson(choice, await completeSignIn(door.options, door.pending, signingIn, callback));
  if (person === undefined) redirect(ctx, action);
  else await goOn(ctx, door, signingIn.uid, person);
}

async function choose(ctx: Context, door: Door): Promise<void> {
  const choice = await choiceDoor(ctx, door);
  const person = await recordChosen(ctx, choice);
  if (person !== undefined) await goOn(ctx, door, choice.signingIn.uid, person);
}

async function goOn(ctx: Context, { options, pending }: Door, uid: string, person: SignedInPerson): Promise<void> {
  await pending.keepPerson(uid, person);
  redirect(ctx, `${options.issuer}/interaction/${uid}/consent`);
}

async function choiceDoor(ctx: Context, door: Door): Promise<ChoiceDoor> {
  const { uid, params } = await interactionOf(ctx, door);
  const signingIn = { uid, clientId: String(params['client_id']), address: ctx.ip };
  return { ...door, signingIn, action: `${door.options.issuer}/interaction/${uid}/record` };
}

async function ask(ctx: Context, door: Door): Promise<void> {
  const interaction = await interactionOf(ctx, door);
  const person = await personOf(interaction, door);
  const client = door.options.clients().find((known) => known.client_id === interaction.params['client_id']);
  const page = consentPage({
    applicationName: client?.name ?? String(interaction.params['client_id']),
    publisher: client?.publisher,
    display: person.display,
    account: person.account,
    represented: person.represents?.name,
    scopes: scopesOfAccount(requestedScopes(interaction), person.account),
    action: `${door.options.issuer}/interaction/${interaction.uid}/consent`,
    csrf: csrfToken(door.options.keys, interaction.uid),
    redirectUri: String(interaction.params['redirect_uri']),
  });
  sendPage(ctx, page, door.options.site);
}

async function decide(ctx: Context, door: Door): Promise<void> {
  const interaction = await interactionOf(ctx, door);
  const form = await readForm(ctx);
  if (!isCsrfToken(door.options.keys, interaction.uid, form.get('csrf'))) {
    throw new Fault('forbidden', 'The form does not come from this sign-in', { protocolCode: REFUSAL.foreignForm });
  }
  const person = await personOf(interaction, door);
  const result = form.get('decision') === 'allow' ? await allow(interaction, person, door) : REFUSED;
  redirect(ctx, await door.provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false }));
}

const REFUSED = { error: 'access_denied', error_description: 'The person refused' };

async function allow(interaction: Interaction, person: SignedInPerson, door: Door): Promise<Record<string, unknown>> {
  const requested = requestedScopes(interaction);
  const scopes = scopesOfAccount(requested, person.account);
  if (scopes.length === 0) return { error: 'invalid_scope', error_description: 'No requested scope fits this account' };
  const grant = new door.provider.Grant({
    accountId: person.account,
    clientId: String(interaction.params['client_id']),
  });
  const refused = requested.filter((scope) => !scopes.includes(scope));
  grant.addOIDCScope(scopes.filter((scope) => OIDC_SCOPES.includes(scope)).join(' '));
  grant.addResourceScope(door.options.fhirBase, scopes.join(' '));
  if (refused.length > 0) grant.rejectResourceScope(door.options.fhirBase, refused.join(' '));
  const login = { accountId: person.account, ts: person.authTime, remember: false };
  return {
    login: person.acr === undefined ? login : { ...login, acr: person.acr },
    consent: { grantId: await grant.save() },
  };
}

async function interactionOf(ctx: Context, door: Door): Promise<Interaction> {
  const interaction = await door.provider.interactionDetails(ctx.req, ctx.res);
  if (interaction.uid !== ctx['params']['uid'])
    throw new Fault('login', 'The sign-in belongs to another window', { protocolCode: REFUSAL.otherWindow });
  return interaction;
}

async function personOf(interaction: Interaction, door: Door): Promise<SignedInPerson> {
  const person = await door.pending.person(interaction.uid);
  if (person === undefined) throw expired();
  return person;
}

function requestedScopes(interaction: Interaction): readonly string[] {
  return String(interaction.params['scope'] ?? '')
    .split(' ')
    .filter((scope) => scope !== '');
}

function redirect(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', Location: url });
  ctx.body = '';
}

function expired(): Fault {
  return new Fault('login', 'The sign-in has expired', { protocolCode: REFUSAL.expired });
}

function isSessionLoss(error: unknown): boolean {
  return error instanceof Error && error.name === 'SessionNotFound';
}
