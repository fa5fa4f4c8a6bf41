/** The emergency form in a real browser, which runs no script and whose reader uses keys alone. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { ABSENT_TEXTS } from '../../server/endpoints/viewer/absent/texts.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { startBrowser, whyNoBrowser } from '../support/peers/browser.ts';

const TEXTS = ABSENT_TEXTS.fr;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What axe-core finds against WCAG 2.2 AA, by the names of its rules. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const found = (await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(WCAG)} })`)) as {
    readonly violations: readonly { readonly id: string }[];
  };
  return found.violations.map(({ id }) => id);
}

describe('The form of an emergency', function () {
  this.timeout(120_000);
  let region: Demonstration;
  let browser: Browser;

  before(async function () {
    if (whyNoBrowser() !== undefined) this.skip();
    region = await startDemonstration();
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await region?.server.stop();
  });

  async function open(study: DemoStudy, javaScriptEnabled: boolean): Promise<Page> {
    const context = await browser.newContext({ locale: 'fr-FR', javaScriptEnabled });
    const page = await context.newPage();
    await page.goto(`${region.server.url}/viewer/${study.studyInstanceUID}`);
    await page.check('input[value="demo-stranger"]');
    await page.click('button[type="submit"]');
    await page.getByRole('heading', { name: TEXTS.emergency }).waitFor();
    return page;
  }

  it('is filled in and sent by keys alone, without script, and opens the exam', async () => {
    const page = await open(region.studies.gaetan, false);
    const { keyboard } = page;
    await page.getByLabel(TEXTS.system).focus();
    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowDown');
    expect(await page.getByLabel(TEXTS.system).inputValue()).to.equal(PATIENTS.gaetan.national.system);
    await keyboard.press('Tab');
    await keyboard.type(PATIENTS.gaetan.national.value);
    await keyboard.press('Tab');
    await keyboard.press('Space');
    await keyboard.press('Tab');
    await keyboard.type('Patient inconscient, antécédents inconnus');
    await keyboard.press('Tab');
    await keyboard.press('Space');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: region.studies.gaetan.description }).waitFor();
    expect(await page.locator('noscript img, figure img').count()).to.be.greaterThan(0);
    await page.context().close();
  });

  it('leads the reader to what is wrong, and breaks no rule of accessibility', async () => {
    const page = await open(region.studies.helene, true);
    expect(await violations(page)).to.deep.equal([]);
    await page.locator('form').evaluate((form) => form.setAttribute('novalidate', ''));
    await page.getByRole('button', { name: TEXTS.declare }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.evaluate((element) => element.matches(':focus'))).to.equal(true);
    expect(await alert.getByRole('link').count()).to.equal(5);
    expect(await violations(page)).to.deep.equal([]);
    for (const label of [TEXTS.system, TEXTS.identifier, TEXTS.justification])
      expect(await page.getByLabel(label, { exact: true }).getAttribute('aria-invalid')).to.equal('true');
    await alert.getByRole('link', { name: TEXTS.wrongReason }).press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').getAttribute('name')).to.equal('reason');
    for (const [width, scheme] of [
      [360, 'dark'],
      [1440, 'light'],
    ] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 900 });
      const isTooWide = await page.locator('body').evaluate((body) => body.scrollWidth > body.clientWidth);
      expect(isTooWide, `${width}`).to.equal(false);
      expect(await violations(page)).to.deep.equal([]);
    }
    await page.context().close();
  });
});
