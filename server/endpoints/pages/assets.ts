/** The files that pages bring along: the style sheet and the icon, under names that hold the hash of their content. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { Context } from 'koa';

const FOLDER = '/assets/';

/** A file, and the path that it is served at. */
export type Asset = { readonly path: string; readonly type: string; readonly bytes: Buffer };

/** The one style sheet. */
export const STYLE_SHEET = assetOf('style', 'css', 'text/css; charset=utf-8');

/** The icon of browser tabs. */
export const ICON = assetOf('icon', 'svg', 'image/svg+xml');

const ASSETS = new Map<string, Asset>([STYLE_SHEET, ICON].map((asset) => [asset.path, asset]));

/**
 * Adds the scripts of a folder, written in TypeScript for browsers: their types are taken out. They find each other
 * beside themselves, below a name that holds the hash of all. Gives the address of the first one.
 */
export function addScripts(folder: URL, name: string, first: string): string {
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  const scripts = files.map(
    (file) => [file, withoutTypes(readFileSync(new URL(file, folder), 'utf8'))] as const,
  );
  const hash = hashOf(Buffer.from(JSON.stringify(scripts)));
  const pathOf = (file: string): string => `${FOLDER}${name}-${hash}/${file}`;
  for (const [file, text] of scripts) {
    const path = pathOf(file);
    ASSETS.set(path, { path, type: 'text/javascript; charset=utf-8', bytes: Buffer.from(text) });
  }
  return pathOf(first);
}

/** Node warns on stderr that this is experimental; lines of the log alone belong there. */
function withoutTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

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
  return { path: `${FOLDER}${name}-${hashOf(bytes)}.${extension}`, type, bytes };
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
