/** A real browser: Debian's Chromium, without a window. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';

/** Why there is no browser here; undefined when there is one. */
export function whyNoBrowser(): string | undefined {
  return existsSync(PROGRAM) ? undefined : 'Chromium';
}

/** Starts it. As root it has no sandbox. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox', '--disable-gpu'] });
}
