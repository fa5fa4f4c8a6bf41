/**
 * `npm run screenshots [-- STATE …]`: starts a demonstration server, takes a picture of every page and state in each
 * width, language and colour scheme by Chromium, and writes a contact sheet of each. Prints where they are.
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { LANGUAGES } from '../../server/endpoints/pages/language.ts';
import { Progress } from '../../server/commands/progress.ts';
import { startBrowser, whyNoBrowser } from '../support/peers/browser.ts';
import { endWithChildren } from '../support/run/end-with-children.ts';
import { readerOf, type Viewing } from '../support/viewing/viewing.ts';
import { writeIndex, writeSheet, type Shot } from './contact-sheet.ts';
import { openPlaces } from './open-places.ts';
import { browserOf, STATES, type Places, type State } from './states.ts';

const WIDTHS = [360, 768, 1440] as const;
const HEIGHT = 800;
/** A page that was made narrower draws itself anew. */
const SETTLED_MS = 250;
const SCHEMES = ['light', 'dark'] as const;
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/screenshots/', import.meta.url));

endWithChildren();
const chosen = process.argv.slice(2);
const states = STATES.filter(({ name }) => chosen.length === 0 || chosen.includes(name));
const unknown = chosen.filter((name) => !STATES.some((state) => state.name === name));
const lacking = whyNoBrowser();
if (unknown.length > 0 || lacking !== undefined) {
  console.error(
    lacking === undefined
      ? `Usage: npm run screenshots -- [STATE …], where STATE is of: ${STATES.map(({ name }) => name).join(', ')}`
      : `This machine has no ${lacking}.`,
  );
  process.exitCode = 2;
} else {
  await takeAll(states);
}

async function takeAll(states: readonly State[]): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  console.log('  Starting the servers, sending the exams …');
  await using opened = await openPlaces();
  const browser = await startBrowser();
  const progress = new Progress('Taking pictures', states.length * LANGUAGES.length);
  let done = 0;
  const sheets: string[] = [];
  try {
    for (const state of states) {
      const shots: Shot[] = [];
      for (const language of LANGUAGES) {
        shots.push(...(await take(browser, opened.viewing, opened.places, state, language)));
        progress.show((done += 1), `${state.name} ${language}`);
      }
      sheets.push(await writeSheet(FOLDER, state.name, shots));
    }
  } finally {
    await browser.close();
  }
  progress.end();
  console.log(`  ${done * WIDTHS.length * SCHEMES.length} pictures: ${await writeIndex(FOLDER, sheets)}`);
}

async function take(
  browser: Browser,
  viewing: Viewing,
  places: Places,
  state: State,
  language: string,
): Promise<readonly Shot[]> {
  const { name, person, reach } = state;
  const viewport = { width: Math.max(...WIDTHS), height: HEIGHT };
  const options = { ...browserOf(state), locale: language, viewport };
  const context =
    person === undefined ? await browser.newContext(options) : await readerOf(viewing, browser, person, options);
  const page = await context.newPage();
  try {
    await reach(page, places, context);
    const shots: Shot[] = [];
    for (const colorScheme of SCHEMES)
      for (const width of WIDTHS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: HEIGHT });
        await page.waitForTimeout(SETTLED_MS);
        const png = await page.screenshot({ fullPage: true, animations: 'disabled' });
        shots.push({ column: String(width), row: `${language} ${colorScheme}`, png });
      }
    return shots;
  } catch (error) {
    throw new Error(`${name} in ${language}`, { cause: error });
  } finally {
    await context.close();
  }
}
