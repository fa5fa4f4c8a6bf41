/** The page in which OHIF runs, for one study. */
import type { Context } from 'koa';
import { html } from 'htm/preact';
import { renderToString } from 'preact-render-to-string';
import { OHIF_ROOT } from '../../runtime/ohif-package.ts';
import { addScripts, ICON } from '../pages/assets.ts';
import { languageOf } from '../pages/language.ts';
import { OHIF_TEXTS } from './texts.ts';

/** Where the page and what it asks for lie. */
export type OhifPlaces = {
  readonly publicUrl: string;
  /** `/viewer/{studyInstanceUID}` */
  readonly exam: string;
  /** The DICOMweb of the study. */
  readonly dicomweb: string;
  /** The script that starts OHIF, below {@link OHIF_ROOT}. */
  readonly script: string;
};

const SETTINGS = addScripts(new URL('browser/', import.meta.url), 'ohif', 'settings.ts');

/** Sends the page. */
export function sendOhifPage(ctx: Context, places: OhifPlaces): void {
  const language = languageOf(ctx);
  const texts = OHIF_TEXTS[language];
  const { exam, dicomweb, script } = places;
  const page = html`<html lang=${language}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>OHIF – Passerelle</title>
      <link rel="icon" type="image/svg+xml" href=${ICON.path} />
      <link rel="stylesheet" href=${`${OHIF_ROOT}app.bundle.css`} />
      <script type="module" src=${SETTINGS}></script>
      <script defer src=${`${OHIF_ROOT}${script}`}></script>
    </head>
    <body>
      <noscript><p>${texts.withoutScript} <a href=${exam}>${texts.back}</a></p></noscript>
      <div id="react-portal"></div>
      <div id="root"></div>
      <div hidden id="exam" data-json=${JSON.stringify({ exam, dicomweb, texts })}></div>
    </body>
  </html>`;
  ctx.status = 200;
  ctx.set({
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Language': language,
    'Content-Security-Policy': policyOf(places),
    'Referrer-Policy': 'no-referrer',
    'X-Frame-Options': 'DENY',
  });
  ctx.body = `<!DOCTYPE html>\n${renderToString(page)}\n`;
}

/**
 * What OHIF may load, and ask for: its own files and this study. It runs on our origin, where the session of the reader
 * opens more, so the browser holds it to these addresses. Its dialogs write style sheets whose text nobody knows
 * before, so styles may stand in the page; scripts may not. A PDF is a blob in an object, which is empty before: that
 * counts as the page itself. @see CSP Level 3
 */
function policyOf({ publicUrl, dicomweb }: OhifPlaces): string {
  const [own, study] = [`${publicUrl}${OHIF_ROOT}`, `${publicUrl}${dicomweb}/`];
  return [
    "default-src 'none'",
    `script-src ${own} ${publicUrl}${SETTINGS} 'wasm-unsafe-eval'`,
    `worker-src ${own}`,
    `style-src ${own} 'unsafe-inline'`,
    `font-src ${own}`,
    `img-src ${own} ${study} ${publicUrl}${ICON.path} blob: data:`,
    `connect-src ${own} ${study} blob: data:`,
    'frame-src blob:',
    'media-src blob:',
    "object-src 'self' blob:",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}
