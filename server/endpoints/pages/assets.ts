/** The files that pages bring along: the style sheet and the icon, under names that hold the hash of their content. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Context } from 'koa';

const FOLDER = '/assets/';

/** A file, and the path that it is served at. */
export type Asset = { readonly path: string; readonly type: string; readonly bytes: Buffer };

/** The one style sheet. */
export const STYLE_SHEET = assetOf('style', 'css', 'text/css; charset=utf-8');

/** The icon of browser tabs. */
export const ICON = assetOf('icon', 'svg', 'image/svg+xml');

const ASSETS: ReadonlyMap<string, Asset> = new Map([STYLE_SHEET, ICON].map((asset) => [asset.path, asset]));

/** Answers the request for an asset, which a browser may keep for ever; false when the path names none. */
export function sendAsset(ctx: Context): boolean {
  const asset = ASSETS.get(ctx.path);
  if (asset === undefined || !['GET', 'HEAD'].includes(ctx.method)) return false;
  ctx.status = 200;
  ctx.set({ 'Content-Type': asset.type, 'Cache-Control': 'public, max-age=31536000, immutable' });
  ctx.body = asset.bytes;
  return true;
}

function assetOf(name: string, extension: string, type: string): Asset {
  const bytes = readFileSync(new URL(`./${name}.${extension}`, import.meta.url));
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return { path: `${FOLDER}${name}-${hash}.${extension}`, type, bytes };
}
