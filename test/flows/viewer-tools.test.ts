/** The tools of the light viewer in a real browser: by keys alone, by wheel and pointer, by fingers on a telephone. */
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { eventually } from '../support/clients/fhir-caller.ts';
import { whyNoBrowser } from '../support/peers/browser.ts';
import {
  announced,
  AT_DETECTOR,
  boxOf,
  captionOf,
  drag,
  EXAM,
  expectPicture,
  OTHER,
  picture,
  Reading,
  says,
  textsOf,
} from '../support/viewing/reading.ts';

describe('The tools of the light viewer', function () {
  this.timeout(60_000);
  let reading: Reading;

  before(async function () {
    if (whyNoBrowser() !== undefined) this.skip();
    reading = await Reading.start();
  });

  afterEach(async () => {
    await reading.leave();
  });

  after(async () => {
    await reading?.end();
  });

  describe('by keyboard alone', () => {
    it('leads from the sign-in to the images of a series, and says where one is', async () => {
      const context = await reading.signedOut();
      const page = await context.newPage();
      await page.goto(reading.address());
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
      const page = await reading.open();
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
      const page = await reading.open();
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
        await expectPicture(page, 'other', before, tool);
      }
    });

    it('takes no letters where neither images nor tools have the focus', async () => {
      const page = await reading.open();
      await page.locator('.beside summary').focus();
      for (const key of ['n', 'i', 'c']) await page.keyboard.press(key);
      expect(await captionOf(page)).to.contain('Série 1');
      expect(await page.locator('[aria-pressed="true"]').count(), 'the series and the tool alone').to.equal(2);
    });

    it('says no more than where one has come to', async () => {
      const page = await reading.open('#1.1');
      await page.locator('[data-pane="0"] canvas').focus();
      const told = await textsOf(page, '[data-announced]');
      for (let step = 0; step < 9; step += 1) await page.keyboard.press('ArrowDown', { delay: 40 });
      await announced(page, 'image 10 of 12');
      expect((await told.jsonValue()).filter((text) => text !== '').length).to.be.lessThan(6);
    });
  });

  describe('by wheel, pointer and touch', () => {
    it('scrolls by the wheel and by a drag, and stays at the ends', async () => {
      const page = await reading.open('#1.1');
      const box = await boxOf(page);
      await page.mouse.move(box.x + 200, box.y + 200);
      await page.mouse.wheel(0, 120);
      await says(page, 'image 4 of 12');
      await drag(page, [200, 200], [200, 224]);
      await says(page, 'image 7 of 12');
      await page.mouse.wheel(0, 4_000);
      await says(page, 'image 12 of 12');
    });

    it('has a window by drag and by preset, inverts, zooms, moves and puts all back', async () => {
      const page = await reading.open('#1.1');
      const first = await picture(page);
      await page.locator('[data-tool="window"]').click();
      await drag(page, [200, 200], [328, 200]);
      await says(page, 'width 600');
      await page.locator('[data-presets]').selectOption('-600,1500');
      await says(page, 'centre -600, width 1500');
      await page.locator('[data-action="invert"]').click();
      await page.locator('[data-tool="zoom"]').click();
      await drag(page, [200, 200], [200, 120]);
      await page.locator('[data-tool="pan"]').click();
      await drag(page, [200, 200], [260, 230]);
      await expectPicture(page, 'other', first, 'everything changed');
      await page.locator('[data-action="reset"]').click();
      await expectPicture(page, 'same', first, 'as at first');
      expect(await page.locator('[data-presets]').inputValue()).to.equal('');
    });

    it('measures in millimetres, at the detector where no others are known, plainly in pixels elsewhere', async () => {
      for (const [exam, unit] of [
        [EXAM, /^[\d.]+ mm$/],
        [AT_DETECTOR, /^[\d.]+ mm at the detector$/],
        [OTHER, /^\d+ pixels$/],
      ] as const) {
        const page = await reading.open('', {}, exam);
        await page.locator('[data-tool="measure"]').click();
        const before = await picture(page);
        await drag(page, [200, 200], [300, 200]);
        await expectPicture(page, 'other', before, 'the line');
        await page.locator('[data-pane="0"] canvas').focus();
        await page.keyboard.press('Shift+ArrowRight');
        await page.locator('[data-announced]', { hasText: unit }).waitFor({ state: 'attached' });
      }
    });

    it('shows two series side by side, each on its own', async () => {
      const page = await reading.open('#1.3');
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
      const page = await reading.open('#1.1');
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
      const telephone = {
        viewport: { width: 360, height: 740 },
        hasTouch: true,
        isMobile: true,
        deviceScaleFactor: 2,
      } as const;
      const page = await reading.open('#1.2', telephone);
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

  async function focusByTab(page: Page, selector: string): Promise<void> {
    for (let stop = 0; stop < 20; stop += 1) {
      await page.keyboard.press('Tab');
      if ((await page.locator(`${selector}:focus`).count()) > 0) return;
    }
    throw new Error(`${selector} is not reached`);
  }
});
