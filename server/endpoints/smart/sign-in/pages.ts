/** The pages a person sees on the way in. French, one column, no script, no outside resource. */
import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { html } from './html.ts';
import type { Html } from './html.ts';

const STYLE = [
  'body{font:1rem/1.5 system-ui,sans-serif;color:#1b1b1b;background:#f4f6f8;margin:0;padding:1rem}',
  'main{max-width:36rem;margin:2rem auto;padding:1.5rem 2rem 2rem;background:#fff;border-radius:.5rem}',
  'h1{font-size:1.5rem;line-height:1.25;margin-top:0}',
  'fieldset{border:0;margin:0 0 1rem;padding:0}legend{font-weight:600;margin-bottom:.5rem}',
  'label{display:block;padding:.25rem 0}',
  'button,.button{display:inline-block;font:inherit;padding:.6rem 1.2rem;margin:.5rem .5rem 0 0;border-radius:.3rem;',
  'border:1px solid #0b5394;background:#0b5394;color:#fff;text-decoration:none;cursor:pointer}',
  'button.second{background:#fff;color:#0b5394}',
  ':focus-visible{outline:3px solid #e69f00;outline-offset:2px}',
].join('');

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** A page. `formTargets` are the origins to which its forms may lead beside our own, redirections included. */
export type Page = {
  readonly status: number;
  readonly title: string;
  readonly body: Html;
  readonly formTargets?: readonly string[];
};

/** Sends a page: never framed, never kept, without script. @see CSP Level 3 */
export function sendPage(ctx: Pick<Context, 'status' | 'type' | 'body' | 'set'>, page: Page): void {
  ctx.status = page.status;
  ctx.type = 'text/html; charset=utf-8';
  ctx.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src 'sha256-${STYLE_HASH}'`,
      `form-action ${["'self'", ...(page.formTargets ?? [])].join(' ')}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  });
  ctx.body = documentOf(page).markup;
}

/** A page that says why the sign-in stops and what to do. `reason` is a plain French sentence. */
export function refusalPage(status: number, title: string, reason: string, detail?: string): Page {
  const technical = detail === undefined ? html`` : html`<p>Détail technique : <code>${detail}</code></p>`;
  return { status, title, body: html`<p>${reason}</p>${technical}` };
}

/** The error page of oidc-provider: for requests that must not be sent back to the application. */
export function renderProviderError(
  ctx: KoaContextWithOIDC,
  out: { readonly error: string; readonly error_description?: string | undefined },
): void {
  const isExpired = out.error === 'invalid_request' && ctx.oidc.route === 'resume';
  const reason = isExpired
    ? 'Cette demande de connexion a expiré. Revenez à l’application et recommencez.'
    : 'L’application a envoyé une demande que ce serveur refuse. Prévenez l’éditeur de l’application.';
  const detail = [out.error, out.error_description].filter((text) => text !== undefined).join(' : ');
  sendPage(ctx, refusalPage(ctx.status >= 400 ? ctx.status : 400, 'Connexion impossible', reason, detail));
}

function documentOf(page: Page): Html {
  return html`<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title} – Passerelle</title>
${{ markup: `<style>${STYLE}</style>` }}
</head>
<body>
<main>
<h1>${page.title}</h1>
${page.body}
</main>
</body>
</html>
`;
}
