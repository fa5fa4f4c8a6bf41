/** Pages on the way in that say why it ends. */
import { html } from 'htm/preact';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { french } from '../../pages/french.ts';
import { sendPage } from '../../pages/send-page.ts';
import type { Page } from '../../pages/send-page.ts';
import type { Site } from '../../pages/site.ts';
import { SIGN_IN_LANGUAGE, SIGN_IN_TEXTS } from './texts.ts';

/** A page that says why the sign-in stops and what to do. `reason` is a plain French sentence. */
export function refusalPage(status: number, title: string, reason: string, detail?: string): Page {
  const technical =
    detail === undefined ? undefined : html`<p class="note">${SIGN_IN_TEXTS.detail} <code>${detail}</code></p>`;
  return {
    status,
    language: SIGN_IN_LANGUAGE,
    title,
    body: html`<p class="lead">${reason}</p>
      ${technical}`,
  };
}

/** What oidc-provider says of a request that it must not send back to the application. */
export type ProviderError = { readonly error: string; readonly error_description?: string | undefined };

/** Makes the error page of oidc-provider. */
export function providerErrors(site: Site): (ctx: KoaContextWithOIDC, out: ProviderError) => void {
  return (ctx, out) => sendPage(ctx, pageOf(ctx, out), site);
}

function pageOf(ctx: KoaContextWithOIDC, out: ProviderError): Page {
  const status = ctx.status >= 400 ? ctx.status : 400;
  const texts = SIGN_IN_TEXTS;
  if (out.error === 'invalid_request' && ctx.oidc.route === 'resume')
    return refusalPage(status, texts.expiredTitle, texts.expired);
  if (status === 404) return refusalPage(status, texts.absentTitle, texts.absent);
  if (status >= 500) return refusalPage(status, texts.failedTitle, texts.failed);
  const detail = [out.error, out.error_description].filter((text) => text !== undefined).join(' : ');
  return refusalPage(status, texts.askedWrongTitle, texts.askedWrong, french(detail));
}
