/** The files of OHIF, as they were installed: public, as its package is, and kept by browsers for ever. */
import { createReadStream } from 'node:fs';
import { extname, join } from 'node:path';
import type { Middleware } from 'koa';
import { ENCODINGS, OHIF_DECODER, OHIF_ROOT, type Encoding, type InstalledOhif } from '../../runtime/ohif-package.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
};

const SMALLEST_FIRST: readonly Encoding[] = ['br', 'gzip'];

/** Answers for the listed files; all other paths pass on. */
export function ohifFiles({ folder, files }: InstalledOhif, publicUrl: () => string): Middleware {
  const listed = new Map(files.map((file) => [`${OHIF_ROOT}${file.path}`, file]));
  return async (ctx, next) => {
    const file = ['GET', 'HEAD'].includes(ctx.method) ? listed.get(ctx.path) : undefined;
    if (file === undefined) return await next();
    const { path, bytes } = file;
    ctx.vary('Accept-Encoding');
    const encoding = SMALLEST_FIRST.find((one) => bytes[one] !== undefined && ctx.acceptsEncodings(one)) ?? 'identity';
    if (encoding !== 'identity') ctx.set('Content-Encoding', encoding);
    ctx.status = 200;
    ctx.set({
      'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
      'Cache-Control': 'public, max-age=31536000, immutable',
      'Content-Security-Policy': policyOf(path, publicUrl()),
      'Cross-Origin-Resource-Policy': 'same-origin',
    });
    ctx.length = bytes[encoding] ?? 0;
    ctx.body = createReadStream(join(folder, `${path}${ENCODINGS[encoding]}`));
  };
}

/**
 * Workers have the policy of their own script: they load their own parts, and see nothing of the exam but what the page
 * hands over. So the one that writes functions may, and the page may not.
 */
function policyOf(path: string, publicUrl: string): string {
  const own = `${publicUrl}${OHIF_ROOT}`;
  const further = path === OHIF_DECODER ? " 'unsafe-eval'" : '';
  return `default-src 'none'; script-src ${own} 'wasm-unsafe-eval'${further}; connect-src ${own}`;
}
