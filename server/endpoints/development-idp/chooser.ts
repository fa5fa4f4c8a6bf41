/** The sign-in page of the demonstration: a list of persons to choose from. */
import { Router } from '@koa/router';
import { html } from 'htm/preact';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { RegionPerson } from '../../config/region-model.ts';
import { languageOf } from '../pages/language.ts';
import { sendPage } from '../pages/send-page.ts';
import type { Site } from '../pages/site.ts';
import { readForm } from '../smart/sign-in/form.ts';
import { CHOOSER_TEXTS, type ChooserTexts } from './chooser-texts.ts';

/** The routes below the provider's mount. */
export function chooserRouter(
  provider: Provider,
  persons: () => readonly RegionPerson[],
  acr: string,
  site: Site,
): Router {
  const router = new Router();
  router.get('/interaction/:uid', async (ctx) => {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    sendChooser(ctx, persons(), site, params['login_hint']);
  });
  router.post('/interaction/:uid', async (ctx) => {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const form = await readForm(ctx);
    const login = form.get('login') ?? '';
    const authTime = authTimeOf(form.get('auth_time') ?? '');
    if (!persons().some((person) => person.login === login) || authTime === undefined) {
      const language = languageOf(ctx);
      const { wrongTitle, wrong } = CHOOSER_TEXTS[language];
      return sendPage(
        ctx,
        { status: 400, language, title: wrongTitle, body: html`<p class="lead">${wrong}</p>` },
        site,
      );
    }
    const grant = new provider.Grant({ accountId: login, clientId: String(params['client_id']) });
    grant.addOIDCScope('openid');
    const result = {
      login: { accountId: login, ts: authTime, acr, remember: false },
      consent: { grantId: await grant.save() },
    };
    ctx.status = 303;
    ctx.set('Location', await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false }));
    ctx.body = '';
  });
  return router;
}

/** `expected` is the login of whom the request expects to sign in. */
function sendChooser(ctx: Context, persons: readonly RegionPerson[], site: Site, expected: unknown): void {
  const language = languageOf(ctx);
  const texts = CHOOSER_TEXTS[language];
  const choices = persons.map(
    (person) =>
      html`<label class="choice">
        <input type="radio" name="login" value=${person.login} checked=${person.login === expected} required />
        <span class="stack"><strong>${person.name}</strong><span class="note">${roleOf(person, texts)}</span></span>
      </label>`,
  );
  const body = html`<p>${texts.lead}</p>
    <form method="post">
      <fieldset>
        <legend>${texts.who}</legend>
        ${choices}
      </fieldset>
      <details>
        <summary>${texts.further}</summary>
        <label class="field">${texts.authTime}<input name="auth_time" inputmode="numeric" pattern="[0-9]*" /> </label>
      </details>
      <div class="actions"><button type="submit">${texts.signIn}</button></div>
    </form>`;
  const languages = (other: string): string => `?lang=${other}`;
  sendPage(ctx, { status: 200, language, title: texts.title, languages, body }, site);
}

function roleOf(person: RegionPerson, texts: ChooserTexts): string {
  return person.kind === 'patient' ? texts.patient : texts.professional;
}

function authTimeOf(text: string): number | undefined {
  const now = Math.floor(Date.now() / 1000);
  if (text === '') return now;
  const value = Number(text);
  return /^[0-9]{1,12}$/.test(text) && value > 0 && value <= now ? value : undefined;
}
