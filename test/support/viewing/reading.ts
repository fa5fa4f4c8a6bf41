/** A reader at the light viewer in a real browser, with small exams, and what a test asks of the page. */
import type { Browser, BrowserContext, BrowserContextOptions, JSHandle, Page } from 'playwright-core';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { chestRadiograph } from '../../../fixtures/dicom/acquisitions.ts';
import { assembleStudy } from '../../../fixtures/dicom/studies.ts';
import { startBrowser } from '../peers/browser.ts';
import { headOf } from './exams.ts';
import { declare, pictureShown, publishExam, readerOf, startViewing, type Viewing } from './viewing.ts';

/** Who reads. */
export const READER = 'demo-declared';
const WIDE = { width: 1400, height: 900 };

/** Three series of twelve images, 20 mm between their pixels. */
export const EXAM = aStudy({ key: 'reading/exam', series: 3, instances: 12, description: 'Examen à parcourir' });
/** One image that says nothing of the size of its pixels. */
export const OTHER = aStudy({ key: 'reading/other', modality: 'CR', instances: 1, description: 'Radiographie' });
/** One image that knows the size of its pixels at the detector alone. */
export const AT_DETECTOR = aStudy({
  key: 'reading/detector',
  modality: 'CR',
  instances: 1,
  description: 'Radiographie au lit',
  attributes: { ImagerPixelSpacing: [0.2, 0.2] },
});

/** Two images that are larger than what is shown while one waits. */
export const LARGE = assembleStudy(headOf('reading/large', 'Radiographies en grand'), [
  { ...chestRadiograph(), count: 2 },
]);

/** A server with these exams and a browser. */
export class Reading {
  readonly viewing: Viewing;
  readonly #browser: Browser;
  readonly #opened: BrowserContext[] = [];

  private constructor(viewing: Viewing, browser: Browser) {
    this.viewing = viewing;
    this.#browser = browser;
  }

  /** Starts both. */
  static async start(): Promise<Reading> {
    const viewing = await startViewing();
    const reading = new Reading(viewing, await startBrowser());
    for (const exam of [EXAM, OTHER, AT_DETECTOR, LARGE]) await publishExam(viewing, exam);
    await declare(viewing);
    return reading;
  }

  address(hash = '', exam = EXAM): string {
    return `${this.viewing.server.url}/viewer/${exam.studyInstanceUID}${hash}`;
  }

  /** A browser of its own, in which nobody is signed in. */
  async signedOut(): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ viewport: WIDE, locale: 'en' });
    this.#opened.push(context);
    return context;
  }

  /** A browser of its own, in which the reader is signed in. */
  async signedIn(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const all = { viewport: WIDE, locale: 'en', ...options };
    const context = await readerOf(this.viewing, this.#browser, READER, all);
    this.#opened.push(context);
    return context;
  }

  /** The reader opens an exam, and sees a picture. */
  async open(hash = '', options: BrowserContextOptions = {}, exam = EXAM): Promise<Page> {
    const page = await (await this.signedIn(options)).newPage();
    await page.goto(this.address(hash, exam));
    await pictureShown(page);
    return page;
  }

  /** Closes what was opened; the server goes on. */
  async leave(): Promise<void> {
    for (const context of this.#opened.splice(0)) await context.close();
  }

  async end(): Promise<void> {
    await this.#browser.close();
    await this.viewing.server.stop();
  }
}

/** What stands below a picture. */
export async function captionOf(page: Page): Promise<string> {
  return (await page.locator('[data-pane="0"] figcaption').textContent()) ?? '';
}

/** Waits until the line below a picture says so. */
export async function says(page: Page, text: string, pane = 0): Promise<void> {
  await page.locator(`[data-pane="${pane}"] figcaption`, { hasText: text }).waitFor();
}

/** Waits until who listens is told so. */
export async function announced(page: Page, text: string | RegExp): Promise<void> {
  await page.locator('[data-announced]', { hasText: text }).waitFor({ state: 'attached' });
}

/** The pixels of the first canvas, as a PNG in a text. */
export async function picture(page: Page): Promise<string> {
  return await page
    .locator('[data-pane="0"] canvas')
    .evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());
}

/** Waits until the first canvas shows something else, or the same again. */
export async function expectPicture(page: Page, is: 'other' | 'same', before: string, what: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (((await picture(page)) === before) === (is === 'same')) return;
    await page.waitForTimeout(20);
  }
  throw new Error(`${is === 'same' ? 'Not the same' : 'Nothing else'} is seen: ${what}`);
}

/** The texts that an element gets from now on, one after the other. */
export async function textsOf(page: Page, selector: string): Promise<JSHandle<string[]>> {
  return await page.evaluateHandle(
    ([selector]) => {
      const { document, MutationObserver } = globalThis as unknown as {
        document: { querySelector(selector: string): { textContent: string } };
        MutationObserver: new (heard: () => void) => { observe(of: unknown, what: object): void };
      };
      const element = document.querySelector(selector);
      const texts: string[] = [];
      new MutationObserver(() => {
        if (texts.at(-1) !== element.textContent) texts.push(element.textContent);
      }).observe(element, { childList: true });
      return texts;
    },
    [selector] as const,
  );
}

/** Where the first canvas is seen. */
export async function boxOf(page: Page): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await page.locator('[data-pane="0"] canvas').boundingBox();
  if (box === null) throw new Error('The canvas is not seen');
  return box;
}

/** Drags the mouse on the first canvas, from a place of it to another. */
export async function drag(page: Page, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  const { x, y } = await boxOf(page);
  await page.mouse.move(x + from[0], y + from[1]);
  await page.mouse.down();
  await page.mouse.move(x + (from[0] + to[0]) / 2, y + (from[1] + to[1]) / 2);
  await page.mouse.move(x + to[0], y + to[1]);
  await page.mouse.up();
}
