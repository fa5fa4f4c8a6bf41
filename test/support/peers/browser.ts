/** A real browser: Debian's Chromium, without a window. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';

/** What draws for WebGL, where no graphics card does. */
const WEBGL_BY_SOFTWARE = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];

/** Why there is no browser here; undefined when there is one. */
export function whyNoBrowser(): string | undefined {
  return existsSync(PROGRAM) ? undefined : 'Chromium';
}

/** Starts it. As root it has no sandbox. */
export async function startBrowser({ hasWebGL = false }: { readonly hasWebGL?: boolean } = {}): Promise<Browser> {
  const drawing = hasWebGL ? WEBGL_BY_SOFTWARE : ['--disable-gpu'];
  return await chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox', ...drawing] });
}
