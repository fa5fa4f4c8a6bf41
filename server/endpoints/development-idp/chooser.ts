/** The sign-in page of the demonstration: a list of persons to choose from. */
import { Router } from '@koa/router';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { RegionPerson } from '../../config/region-model.ts';
import { readForm } from '../smart/sign-in/form.ts';
import { html } from '../smart/sign-in/html.ts';
import { refusalPage, sendPage } from '../smart/sign-in/pages.ts';

/** The routes below the provider's mount. */
export function chooserRouter(provider: Provider, persons: readonly RegionPerson[], acr: string): Router {
  const router = new Router();
  router.get('/interaction/:uid', async (ctx) => {
    await provider.interactionDetails(ctx.req, ctx.res);
    sendChooser(ctx, persons);
  });
  router.post('/interaction/:uid', async (ctx) => {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const form = await readForm(ctx);
    const login = form.get('login') ?? '';
    const authTime = authTimeOf(form.get('auth_time') ?? '');
    if (!persons.some((person) => person.login === login) || authTime === undefined) {
      return sendPage(
        ctx,
        refusalPage(400, 'Choix inconnu', 'Choisissez une personne de la liste et une heure valable.'),
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

function sendChooser(ctx: Context, persons: readonly RegionPerson[]): void {
  const choices = persons.map(
    (person) =>
      html`<label
        ><input type="radio" name="login" value="${person.login}" required /> ${person.name} (${roleOf(person)})</label
      >`,
  );
  const body = html`<p>Région de démonstration : aucune de ces personnes n’existe.</p>
    <form method="post">
      <fieldset>
        <legend>Qui se connecte ?</legend>
        ${choices}
      </fieldset>
      <label
        >Heure de connexion à déclarer, en secondes depuis 1970 (facultatif)
        <input name="auth_time" inputmode="numeric" pattern="[0-9]*"
      /></label>
      <button type="submit">Se connecter</button>
    </form>`;
  sendPage(ctx, { status: 200, title: 'Connexion de démonstration', body });
}

function roleOf(person: RegionPerson): string {
  return person.kind === 'patient' ? 'patient' : 'professionnel';
}

function authTimeOf(text: string): number | undefined {
  const now = Math.floor(Date.now() / 1000);
  if (text === '') return now;
  const value = Number(text);
  return /^[0-9]{1,12}$/.test(text) && value > 0 && value <= now ? value : undefined;
}
