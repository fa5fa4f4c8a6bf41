/** The sign-in page of the demonstration: a list of persons to choose from. */
import { Router } from '@koa/router';
import { html } from 'htm/preact';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { RegionPerson } from '../../config/region-model.ts';
import { frenchTexts } from '../pages/french.ts';
import { sendPage } from '../pages/send-page.ts';
import type { Site } from '../pages/site.ts';
import { readForm } from '../smart/sign-in/form.ts';
import { refusalPage } from '../smart/sign-in/pages.ts';
import { SIGN_IN_LANGUAGE } from '../smart/sign-in/texts.ts';

/** The texts of the page. */
export const CHOOSER_TEXTS = frenchTexts({
  title: 'Connexion de démonstration',
  lead: 'Ici, on choisit qui l’on est : aucune de ces personnes n’existe, et aucun mot de passe n’est demandé.',
  who: 'Qui se connecte ?',
  patient: 'patient',
  professional: 'professionnel de santé',
  further: 'Pour les essais techniques',
  authTime: 'Heure de connexion à déclarer, en secondes depuis 1970 (facultatif)',
  signIn: 'Se connecter',
  wrongTitle: 'Choix inconnu',
  wrong: 'Revenez en arrière, puis choisissez une personne de la liste et une heure valable.',
});

const texts = CHOOSER_TEXTS;

/** The routes below the provider's mount. */
export function chooserRouter(provider: Provider, persons: readonly RegionPerson[], acr: string, site: Site): Router {
  const router = new Router();
  router.get('/interaction/:uid', async (ctx) => {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    sendChooser(ctx, persons, site, params['login_hint']);
  });
  router.post('/interaction/:uid', async (ctx) => {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const form = await readForm(ctx);
    const login = form.get('login') ?? '';
    const authTime = authTimeOf(form.get('auth_time') ?? '');
    if (!persons.some((person) => person.login === login) || authTime === undefined) {
      return sendPage(ctx, refusalPage(400, texts.wrongTitle, texts.wrong), site);
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
  const choices = persons.map(
    (person) =>
      html`<label class="choice">
        <input type="radio" name="login" value=${person.login} checked=${person.login === expected} required />
        <span class="stack"><strong>${person.name}</strong><span class="note">${roleOf(person)}</span></span>
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
  sendPage(ctx, { status: 200, language: SIGN_IN_LANGUAGE, title: texts.title, body }, site);
}

function roleOf(person: RegionPerson): string {
  return person.kind === 'patient' ? texts.patient : texts.professional;
}

function authTimeOf(text: string): number | undefined {
  const now = Math.floor(Date.now() / 1000);
  if (text === '') return now;
  const value = Number(text);
  return /^[0-9]{1,12}$/.test(text) && value > 0 && value <= now ? value : undefined;
}
