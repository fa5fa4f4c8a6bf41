/** Each page in each of its states, light and dark, wide and on a telephone: axe-core finds nothing (WCAG 2.2 AA). */
import axe from 'axe-core';
import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { openPlaces } from '../screenshots/open-places.ts';
import { STATES } from '../screenshots/states.ts';
import { startBrowser, whyNoBrowser } from '../support/peers/browser.ts';
import { readerOf } from '../support/viewing/viewing.ts';

const SIZES = { wide: { width: 1440, height: 900 }, telephone: { width: 360, height: 740 } } as const;
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

describe('The pages, in each of their states', function () {
  this.timeout(90_000);
  let opened: Awaited<ReturnType<typeof openPlaces>>;
  let browser: Browser;

  before(async function () {
    if (whyNoBrowser() !== undefined) this.skip();
    opened = await openPlaces();
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
    await opened?.[Symbol.asyncDispose]();
  });

  /** The page has axe already. */
  async function violationsOf(page: Page): Promise<readonly string[]> {
    const options = JSON.stringify({ runOnly: RULES, iframes: false, resultTypes: ['violations'] });
    const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(document, ${options})`);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }

  // What looks at the others is a script itself.
  for (const { name, person, reach } of STATES.filter(({ isWithoutScript }) => isWithoutScript !== true)) {
    it(`are accessible: ${name}`, async () => {
      const options = { locale: 'de', viewport: SIZES.wide };
      const context =
        person === undefined
          ? await browser.newContext(options)
          : await readerOf(opened.viewing, browser, person, options);
      const page = await context.newPage();
      await reach(page, opened.places, context);
      await page.evaluate(axe.source);
      for (const [size, colorScheme] of [
        ['wide', 'light'],
        ['telephone', 'dark'],
      ] as const) {
        await page.setViewportSize(SIZES[size]);
        await page.emulateMedia({ colorScheme });
        expect(await violationsOf(page), `${size}, ${colorScheme}`).to.deep.equal([]);
      }
      await context.close();
    });
  }
});
