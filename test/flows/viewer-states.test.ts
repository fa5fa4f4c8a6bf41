/**
 * The light viewer as people use it: by keys, wheel, touch and pointer; on a slow network, without one, and when the
 * session ends; back, forward, reload, bookmark, two tabs.
 */
import { expect } from 'chai';
import type { Browser, BrowserContext, BrowserContextOptions, JSHandle, Page } from 'playwright-core';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { startBrowser, whyNoBrowser } from '../support/peers/browser.ts';
import {
  declare,
  pictureShown,
  publishExam,
  readerOf,
  signInOn,
  startViewing,
  type Viewing,
} from '../support/viewing/viewing.ts';

const READER = 'demo-declared';
const WIDE = { width: 1400, height: 900 };
/** Three series of twelve images, 20 mm between their pixels. */
const EXAM = aStudy({ key: 'states/exam', series: 3, instances: 12, description: 'Examen à parcourir' });
/** One image that says nothing of the size of its pixels. */
const OTHER = aStudy({ key: 'states/other', modality: 'CR', instances: 1, description: 'Radiographie' });

describe('The light viewer in use', function () {
  this.timeout(60_000);
  let viewing: Viewing;
  let browser: Browser;
  const opened: BrowserContext[] = [];

  before(async function () {
    if (whyNoBrowser() !== undefined) this.skip();
    viewing = await startViewing();
    browser = await startBrowser();
    await publishExam(viewing, EXAM);
    await publishExam(viewing, OTHER);
    await declare(viewing);
  });

  afterEach(async () => {
    for (const context of opened.splice(0)) await context.close();
  });

  after(async () => {
    await browser?.close();
    await viewing?.server.stop();
  });

  const address = (hash = '', exam = EXAM): string => `${viewing.server.url}/viewer/${exam.studyInstanceUID}${hash}`;

  async function contextOf(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await readerOf(viewing, browser, READER, { viewport: WIDE, locale: 'en', ...options });
    opened.push(context);
    return context;
  }

  async function open(hash = '', options: BrowserContextOptions = {}, exam = EXAM): Promise<Page> {
    const page = await (await contextOf(options)).newPage();
    await page.goto(address(hash, exam));
    await pictureShown(page);
    return page;
  }

  const captionOf = async (page: Page, pane = 0): Promise<string> =>
    (await page.locator(`[data-pane="${pane}"] figcaption`).textContent()) ?? '';

  /** Waits until the pane says so. */
  const says = async (page: Page, text: string, pane = 0): Promise<void> =>
    await page.locator(`[data-pane="${pane}"] figcaption`, { hasText: text }).waitFor();

  const announced = async (page: Page, text: string | RegExp): Promise<void> =>
    await page.locator('[data-announced]', { hasText: text }).waitFor({ state: 'attached' });

  const picture = async (page: Page): Promise<string> =>
    await page
      .locator('[data-pane="0"] canvas')
      .evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());

  describe('by keyboard alone', () => {
    it('leads from the sign-in to the images of a series, and says where one is', async () => {
      const context = await browser.newContext({ viewport: WIDE, locale: 'en' });
      opened.push(context);
      const page = await context.newPage();
      await page.goto(address());
      await focusByTab(page, 'input[name="login"]');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.locator('body[data-ready]').waitFor();
      await page.keyboard.press('Tab');
      expect(await page.locator('.skip:focus').count(), 'the first stop is the way to the images').to.equal(1);
      await page.keyboard.press('Enter');
      expect(await page.locator('[data-pane="0"] canvas:focus').count()).to.equal(1);
      await says(page, 'image 6 of 12');
      await page.keyboard.press('ArrowDown');
      await announced(page, 'image 7 of 12');
      await page.keyboard.press('End');
      await announced(page, 'image 12 of 12');
      await page.keyboard.press('n');
      await says(page, 'Série 2');
    });

    it('reaches every tool, each with a focus that is seen', async () => {
      const page = await open();
      const wanted = await page.locator('.toolbar :is(button, select, input):not([hidden])').count();
      const reached = new Set<string>();
      for (let stop = 0; stop < 40; stop += 1) {
        await page.keyboard.press('Tab');
        const at = page.locator(':focus');
        if ((await at.count()) === 0) continue;
        const outline = await at.evaluate((element) => {
          const { getComputedStyle } = globalThis as unknown as {
            getComputedStyle(of: unknown): { outlineStyle: string; outlineWidth: string };
          };
          const { outlineStyle, outlineWidth } = getComputedStyle(element);
          return `${outlineStyle} ${outlineWidth}`;
        });
        expect(outline).to.equal('solid 3px');
        if ((await page.locator('.toolbar :focus').count()) > 0) reached.add(await at.evaluate((of) => of.outerHTML));
      }
      expect(reached.size).to.equal(wanted);
    });

    it('uses each tool with Shift and arrows, and measures in millimetres', async () => {
      const page = await open();
      await page.locator('[data-tool="window"]').press('Enter');
      await page.keyboard.press('Shift+ArrowRight');
      await says(page, 'width 415.63');
      await page.keyboard.press('r');
      await says(page, 'width 400');
      await page.locator('[data-tool="measure"]').press('Enter');
      for (let step = 0; step < 3; step += 1) await page.keyboard.press('Shift+ArrowRight');
      await announced(page, / mm$/);
      for (const tool of ['zoom', 'pan'] as const) {
        const before = await picture(page);
        await page.locator(`[data-tool="${tool}"]`).press('Enter');
        await page.keyboard.press('Shift+ArrowUp');
        await expectOther(page, before, tool);
      }
    });

    it('takes no letters where neither images nor tools have the focus', async () => {
      const page = await open();
      await page.locator('.beside summary').focus();
      for (const key of ['n', 'i', 'c']) await page.keyboard.press(key);
      expect(await captionOf(page)).to.contain('Série 1');
      expect(await page.locator('[aria-pressed="true"]').count(), 'the series and the tool alone').to.equal(2);
    });

    it('says no more than where one has come to', async () => {
      const page = await open('#1.1');
      await page.locator('[data-pane="0"] canvas').focus();
      const told = await textsOf(page, '[data-announced]');
      for (let step = 0; step < 9; step += 1) await page.keyboard.press('ArrowDown');
      await announced(page, 'image 10 of 12');
      expect((await told.jsonValue()).filter((text) => text !== '').length).to.be.lessThan(4);
    });
  });

  describe('by wheel, pointer and touch', () => {
    it('scrolls by the wheel and by a drag, and stays at the ends', async () => {
      const page = await open('#1.1');
      const box = await boxOf(page);
      await page.mouse.move(box.x + 200, box.y + 200);
      await page.mouse.wheel(0, 120);
      await says(page, 'image 4 of 12');
      await drag(page, box, [200, 200], [200, 224]);
      await says(page, 'image 7 of 12');
      await page.mouse.wheel(0, 4_000);
      await says(page, 'image 12 of 12');
    });

    it('has a window by drag and by preset, inverts, zooms, moves and puts all back', async () => {
      const page = await open('#1.1');
      const box = await boxOf(page);
      const first = await picture(page);
      await page.locator('[data-tool="window"]').click();
      await drag(page, box, [200, 200], [328, 200]);
      await says(page, 'width 600');
      await page.locator('[data-presets]').selectOption('-600,1500');
      await says(page, 'centre -600, width 1,500');
      await page.locator('[data-action="invert"]').click();
      await page.locator('[data-tool="zoom"]').click();
      await drag(page, box, [200, 200], [200, 120]);
      await page.locator('[data-tool="pan"]').click();
      await drag(page, box, [200, 200], [260, 230]);
      await expectOther(page, first, 'everything changed');
      await page.locator('[data-action="reset"]').click();
      await page.waitForFunction(
        ([data]) => {
          const { document } = globalThis as unknown as {
            document: { querySelector(selector: string): { toDataURL(): string } };
          };
          return document.querySelector('[data-pane="0"] canvas').toDataURL() === data;
        },
        [first],
      );
      expect(await page.locator('[data-presets]').inputValue()).to.equal('');
    });

    it('measures in millimetres where the image says their size, and plainly in pixels elsewhere', async () => {
      for (const [exam, unit] of [
        [EXAM, /^[\d.]+ mm$/],
        [OTHER, /^\d+ pixels$/],
      ] as const) {
        const page = await open('', {}, exam);
        await page.locator('[data-tool="measure"]').click();
        const before = await picture(page);
        await drag(page, await boxOf(page), [200, 200], [300, 200]);
        await expectOther(page, before, 'the line');
        await page.locator('[data-pane="0"] canvas').focus();
        await page.keyboard.press('Shift+ArrowRight');
        await page.locator('[data-announced]', { hasText: unit }).waitFor({ state: 'attached' });
      }
    });

    it('shows two series side by side, each on its own', async () => {
      const page = await open('#1.3');
      await page.locator('[data-action="compare"]').click();
      await says(page, 'Série 2', 1);
      await page.locator('[data-pane="1"] canvas').focus();
      await page.keyboard.press('Home');
      await says(page, 'image 1 of 12', 1);
      await says(page, 'image 3 of 12');
      await page.locator('.strip button').nth(2).click();
      await says(page, 'Série 3', 1);
    });

    it('plays, and stops where nothing comes any more', async () => {
      const page = await open('#1.1');
      const texts = await textsOf(page, '[data-pane="0"] figcaption');
      await page.locator('[data-speed]').fill('30');
      await page.locator('[data-action="cine"]').click();
      const played = Array.from({ length: 13 }, (_, at) => `image ${(at % 12) + 1} of 12`).slice(1);
      await eventually(async () => {
        const seen = (await texts.jsonValue()).map((text) => /image \d+ of 12/.exec(text)?.[0]);
        return played.every((text, at) => seen[at] === text) || undefined;
      });
      await page.locator('.strip button').nth(1).click();
      await page.context().clearCookies();
      await page.locator('.strip button').nth(2).click();
      await page.locator('[data-action="cine"][aria-pressed="false"]').waitFor();
    });

    it('fills a telephone, whose fingers scroll the series; the tools scroll by themselves', async () => {
      const telephone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } as const;
      const page = await open('#1.2', telephone);
      const box = await boxOf(page);
      expect([box.x, box.width]).to.deep.equal([0, 360]);
      const wide = await page.evaluate(() => {
        const { document } = globalThis as unknown as {
          document: {
            documentElement: { scrollWidth: number };
            querySelector(selector: string): { scrollWidth: number; clientWidth: number };
          };
        };
        const tools = document.querySelector('.toolbar');
        return [document.documentElement.scrollWidth, tools.scrollWidth > tools.clientWidth] as const;
      });
      expect(wide).to.deep.equal([360, true]);
      const fingers = await page.context().newCDPSession(page);
      const touch = async (type: string, y?: number): Promise<void> =>
        void (await fingers.send('Input.dispatchTouchEvent', {
          type: type as 'touchStart',
          touchPoints: y === undefined ? [] : [{ x: 180, y: box.y + y }],
        }));
      await touch('touchStart', 100);
      for (let y = 105; y <= 140; y += 5) await touch('touchMove', y);
      await touch('touchEnd');
      await says(page, 'image 7 of 12');
    });
  });

  describe('when something is missing', () => {
    it('keeps what is loaded without a network, says so, and goes on when asked to', async () => {
      const page = await open('#1.6');
      const context = page.context();
      await page.waitForLoadState('networkidle');
      await context.setOffline(true);
      await page.locator('[data-pane="0"] canvas').focus();
      await page.keyboard.press('ArrowDown');
      await pictureShown(page);
      await page.locator('.strip button').nth(2).click();
      const notice = page.locator('[data-pane="0"] .notice');
      await notice.getByText('The network does not answer.').waitFor();
      await announced(page, 'The network does not answer.');
      await page.locator('.strip button').nth(0).click();
      await pictureShown(page);
      await page.locator('.strip button').nth(2).click();
      const retry = notice.getByRole('button', { name: 'Try again' });
      await retry.waitFor();
      await context.route('**/rendered?**', (route) => route.continue());
      await context.setOffline(false);
      await pictureShown(page);
      expect(await captionOf(page)).to.contain('Série 3');
    });

    it('tries again by its button where the network came back without a word', async () => {
      const page = await open('#1.1');
      let isGone = true;
      await page.route('**/rendered?**', async (route) => (isGone ? await route.abort() : await route.continue()));
      await page.locator('.strip button').nth(1).click();
      const retry = page.locator('[data-pane="0"] .notice').getByRole('button', { name: 'Try again' });
      await retry.waitFor();
      isGone = false;
      await retry.press('Enter');
      await pictureShown(page);
      expect(await page.locator('[data-pane="0"] canvas:focus').count(), 'the focus is not lost').to.equal(1);
    });

    it('says that the session has ended, and leads through a sign-in back to the same image', async () => {
      const page = await open('#2.3');
      await page.context().clearCookies();
      await page.locator('[data-pane="0"] canvas').focus();
      await page.keyboard.press('End');
      const again = page.locator('[data-pane="0"] .notice').getByRole('link', { name: 'Sign in again' });
      await again.waitFor();
      expect(await page.locator('[data-pane="0"] .notice a').count()).to.equal(1);
      await page.keyboard.press('Home');
      await page.keyboard.press('End');
      await again.waitFor();
      expect(await page.locator('[data-pane="0"] .notice a').count(), 'once, however often it is tried').to.equal(1);
      await again.click();
      await page.check(`input[value="${READER}"]`);
      await page.click('button[type="submit"]');
      await pictureShown(page);
      expect(await captionOf(page)).to.contain('Série 2 · image 12 of 12');
    });

    it('shows a small picture first on a slow network, and breaks off what is not looked at any more', async () => {
      const page = await (await contextOf()).newPage();
      const broken: string[] = [];
      const asked: string[] = [];
      const isSmall = (url: string): boolean => url.includes('viewport=256');
      page.on('request', (request) => void (request.url().includes('/rendered?') && asked.push(request.url())));
      page.on('requestfailed', (request) => void broken.push(request.url()));
      let isSlow = true;
      await page.route('**/rendered?**', async (route) => {
        if (!isSlow || isSmall(route.request().url())) await route.continue();
      });
      await page.goto(address('#1.1'));
      await page.locator('[data-pane="0"][data-state="small"]').waitFor();
      expect(asked.map(isSmall), 'nothing is asked for ahead of the picture that is looked at').to.deep.equal([
        false,
        true,
      ]);
      isSlow = false;
      await page.locator('[data-pane="0"] canvas').focus();
      await page.keyboard.press('End');
      await pictureShown(page);
      expect(broken).to.deep.equal([asked[0]]);
    });
  });

  describe('in a browser’s history', () => {
    it('comes back to the same series and image by reload, bookmark, back and forward', async () => {
      const page = await open('#2.4');
      await page.locator('[data-pane="0"] canvas').focus();
      await page.keyboard.press('ArrowDown');
      await page.waitForURL(/#2\.5$/);
      await page.reload();
      await says(page, 'Série 2 · image 5 of 12');
      await page.locator('.beside a', { hasText: 'Radiographie' }).click();
      await pictureShown(page);
      await page.goBack();
      await says(page, 'Série 2 · image 5 of 12');
      await page.goForward();
      await says(page, 'image 1 of 1');
      await page.goto(address('#3.2~1.7'));
      await says(page, 'Série 3 · image 2 of 12');
      await says(page, 'Série 1 · image 7 of 12', 1);
      await page.goto(address('#999999.999999'));
      await says(page, 'Série 1 · image 12 of 12');
    });

    it('holds nothing but numbers in its address', async () => {
      const page = await open();
      await page.waitForURL(/\/viewer\/[\d.]+#1\.6$/);
    });

    it('is open in two tabs, which tell the end of the session that one of them ends', async () => {
      const context = await browser.newContext({ viewport: WIDE, locale: 'en' });
      opened.push(context);
      const first = await context.newPage();
      await signInOn(first, address('#1.1'), READER);
      await pictureShown(first);
      const second = await context.newPage();
      await second.goto(address('#3.9'));
      await says(second, 'Série 3 · image 9 of 12');
      await says(first, 'Série 1 · image 1 of 12');
      await first.getByRole('button', { name: 'Sign out' }).click();
      await first.waitForURL(`${viewing.server.url}/`);
      await first.goBack();
      await first.locator('input[name="login"]').first().waitFor();
      await second.locator('.strip button').nth(1).click();
      await second.locator('[data-pane="0"] .notice').getByText('Your session has ended.').waitFor();
    });
  });

  /** The texts that an element gets from now on, one after the other. */
  async function textsOf(page: Page, selector: string): Promise<JSHandle<string[]>> {
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

  async function focusByTab(page: Page, selector: string): Promise<void> {
    for (let stop = 0; stop < 20; stop += 1) {
      await page.keyboard.press('Tab');
      if ((await page.locator(`${selector}:focus`).count()) > 0) return;
    }
    throw new Error(`${selector} is not reached`);
  }

  async function expectOther(page: Page, before: string, what: string): Promise<void> {
    for (let tries = 0; tries < 50; tries += 1) {
      if ((await picture(page)) !== before) return;
      await page.waitForTimeout(20);
    }
    throw new Error(`Nothing else is seen: ${what}`);
  }

  async function boxOf(page: Page): Promise<{ x: number; y: number; width: number; height: number }> {
    const box = await page.locator('[data-pane="0"] canvas').boundingBox();
    if (box === null) throw new Error('The canvas is not seen');
    return box;
  }

  async function drag(
    page: Page,
    { x, y }: { x: number; y: number },
    from: readonly [number, number],
    to: readonly [number, number],
  ): Promise<void> {
    await page.mouse.move(x + from[0], y + from[1]);
    await page.mouse.down();
    await page.mouse.move(x + (from[0] + to[0]) / 2, y + (from[1] + to[1]) / 2);
    await page.mouse.move(x + to[0], y + to[1]);
    await page.mouse.up();
  }
});
