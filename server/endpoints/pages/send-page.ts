/** One page as an answer: its document and its headers. */
import type { Context } from 'koa';
import { html } from 'htm/preact';
import { renderToString } from 'preact-render-to-string';
import type { Markup } from './markup.d.ts';
import { ICON, STYLE_SHEET } from './assets.ts';
import { layout } from './layout.ts';
import type { Language } from './language.ts';
import type { Site } from './site.ts';

/** A page. `formTargets` are the origins to which its forms may lead beside our own, redirections included. */
export type Page = {
  readonly status: number;
  readonly language: Language;
  readonly title: string;
  readonly body: Markup;
  readonly formTargets?: readonly string[];
  /** Where the same page stands in other languages; without it there is no choice of one. */
  readonly languages?: (language: Language) => string;
  /** Addresses of the scripts that the page gains from, on this origin. */
  readonly scripts?: readonly string[];
  /** The page takes the whole window, and shows pictures and documents that scripts ask for. */
  readonly isWorkplace?: boolean;
};

/** Sends a page: never framed, never kept, without inline script or style. @see CSP Level 3 */
export function sendPage(ctx: Pick<Context, 'status' | 'type' | 'body' | 'set'>, page: Page, site: Site): void {
  ctx.status = page.status;
  ctx.type = 'text/html; charset=utf-8';
  ctx.set({
    'Cache-Control': 'no-store',
    'Content-Language': page.language,
    'Content-Security-Policy': [
      "default-src 'none'",
      "style-src 'self'",
      "script-src 'self'",
      ...(page.isWorkplace === true ? WORKPLACE : ["img-src 'self'"]),
      `form-action ${["'self'", ...(page.formTargets ?? [])].join(' ')}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  });
  ctx.body = `<!DOCTYPE html>\n${renderToString(documentOf(page, site))}\n`;
}

const WORKPLACE = ["img-src 'self' blob:", "connect-src 'self'", "frame-src 'self'"];

function documentOf(page: Page, site: Site): Markup {
  return html`<html lang=${page.language}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${page.title} – Passerelle</title>
      <link rel="stylesheet" href=${STYLE_SHEET.path} />
      <link rel="icon" type="image/svg+xml" href=${ICON.path} />
      ${(page.scripts ?? []).map((address) => html`<script type="module" src=${address}></script>`)}
    </head>
    <body class=${page.isWorkplace === true ? 'workplace' : undefined}>
      ${page.isWorkplace === true ? page.body : layout(page, site)}
    </body>
  </html>`;
}
