/**
 * The light viewer in Chromium, signed in: from the request of its page to the first pixels of a CT of 300 slices, and
 * from a key to the next slice once it is near.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../../fixtures/people.ts';
import { buildReportBundle } from '../../../fixtures/reports.ts';
import { reportTextOf } from '../../../fixtures/report-texts.ts';
import { startDemonstration } from '../../support/demonstration.ts';
import { startBrowser, whyNoBrowser } from '../../support/peers/browser.ts';
import { medianOf, msOf, quantileOf, type Row } from '../support/figures.ts';
import { missingPrograms } from '../support/receivers.ts';
import { ROUNDS } from '../support/rounds.ts';
import { writeStudy } from '../support/slices.ts';
import { sendPath } from '../support/store-scu.ts';
import { bodyPixels } from './images.ts';

const SLICES = 300;
const STEPS = 40;
/** Between two keys: as a reader scrolls who looks. */
const STEP_MS = 120;
const FIRST_BUDGET_MS = 2_000;
const NEXT_BUDGET_MS = 50;

/** What the page notes of itself, in milliseconds since its request began. */
type Noted = { readonly drawn: readonly number[]; readonly keys: readonly number[] };

/** Measures; without browser or sender it says what is missing. */
export async function measureViewer(): Promise<readonly Row[]> {
  const missing = [whyNoBrowser(), ...missingPrograms(['storescu'])].flatMap((name) => name ?? []);
  if (missing.length > 0) return [{ name: 'skipped', figures: { missing: missing.join(', ') } }];
  const region = await startDemonstration();
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-viewer-'));
  const browser = await startBrowser();
  try {
    const { server } = region;
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'fr-FR' });
    await page.addInitScript(noteDrawing);
    const [firsts, nexts]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const attributes = bodyPixels(512);
      const study = aStudy({ key: `bench-viewer-${round}`, patient: PATIENTS.helene, instances: SLICES, attributes });
      await writeStudy(join(folder, String(round)), study);
      const { aeTitle } = study.establishment;
      const to = { callingAE: aeTitle, calledAE: server.dimse.aeTitle, port: server.dimse.port };
      await sendPath(to, join(folder, String(round)));
      await region.strasbourg.send('POST', '', await buildReportBundle(study, reportTextOf('ct-thorax')));
      await wait(3_000);
      const address = `${server.url}/viewer/${study.studyInstanceUID}`;
      if (round === 0) await signIn(page, `${server.url}/viewer/${region.studies.helene.studyInstanceUID}`);
      await page.goto(address, { waitUntil: 'commit' });
      await page.locator('body[data-ready]').waitFor();
      firsts.push((await noted(page, ({ drawn }) => drawn.length > 0)).drawn[0] ?? Number.NaN);
      nexts.push(...(await nextSlices(page)));
    }
    return [
      {
        name: `first image of ${SLICES} slices`,
        figures: { ms: msOf(medianOf(firsts)), longestMs: msOf(Math.max(...firsts)), budgetMs: FIRST_BUDGET_MS },
      },
      {
        name: 'next slice, near',
        figures: {
          p50Ms: msOf(medianOf(nexts)),
          p95Ms: msOf(quantileOf(nexts, 0.95)),
          longestMs: msOf(Math.max(...nexts)),
          budgetMs: NEXT_BUDGET_MS,
        },
      },
    ];
  } finally {
    await browser.close();
    await region.server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function signIn(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.check('input[value="demo-declared"]');
  await page.click('button[type="submit"]');
  await page.locator('body[data-ready]').waitFor();
}

/** How long each of some keys takes until the next slice is drawn. */
async function nextSlices(page: Page): Promise<readonly number[]> {
  // What comes next is loaded meanwhile.
  await wait(1_500);
  const times: number[] = [];
  for (let step = 1; step <= STEPS; step += 1) {
    await page.keyboard.press('ArrowDown');
    const { keys } = await noted(page, ({ keys }) => keys.length >= step);
    const key = keys[step - 1] ?? Number.NaN;
    const { drawn } = await noted(page, ({ drawn }) => drawn.some((at) => at > key));
    times.push((drawn.find((at) => at > key) ?? Number.NaN) - key);
    await wait(STEP_MS);
  }
  return times;
}

async function noted(page: Page, isThere: (noted: Noted) => boolean): Promise<Noted> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const found = await page.evaluate(() => (globalThis as unknown as { noted: Noted }).noted);
    if (isThere(found)) return found;
    await wait(10);
  }
  throw new Error('The page draws nothing');
}

/** Runs in the page, before its own scripts: a picture that is drawn and a key are noted. */
function noteDrawing(): void {
  const noted: { drawn: number[]; keys: number[] } = { drawn: [], keys: [] };
  const page = globalThis as unknown as {
    noted: typeof noted;
    CanvasRenderingContext2D: { prototype: { drawImage: (...args: unknown[]) => void } };
    addEventListener(name: string, listener: (event: { readonly timeStamp: number }) => void, capture: boolean): void;
  };
  page.noted = noted;
  const { prototype } = page.CanvasRenderingContext2D;
  const draw = prototype.drawImage;
  prototype.drawImage = function drawImage(...args) {
    draw.apply(this, args);
    noted.drawn.push(performance.now());
  };
  page.addEventListener('keydown', ({ timeStamp }) => noted.keys.push(timeStamp), true);
}
