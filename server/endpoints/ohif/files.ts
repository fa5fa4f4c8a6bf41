/** The files of OHIF, as they were installed: public, as its package is, and kept by browsers for ever. */
import { createReadStream } from 'node:fs';
import { extname, join } from 'node:path';
import type { Middleware } from 'koa';
import { ENCODINGS, OHIF_ROOT, type Encoding, type InstalledOhif } from '../../runtime/ohif-package.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
};

/**
 * The worker that decodes compressed frames: its codecs write functions while they start (Emscripten's embind), of
 * names that they bring along. Workers have the policy of their own script, so that the page needs none for it.
 */
const DECODER = /^1927\.bundle\./;

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

/** A worker loads its own parts, and sees nothing of the exam but what the page hands over. */
function policyOf(path: string, publicUrl: string): string {
  const own = `${publicUrl}${OHIF_ROOT}`;
  const further = DECODER.test(path) ? " 'unsafe-eval'" : '';
  return `default-src 'none'; script-src ${own} 'wasm-unsafe-eval'${further}; connect-src ${own}`;
}
