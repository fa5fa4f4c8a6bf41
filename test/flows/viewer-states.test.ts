/** The light viewer on a slow network and without one, and when the session ends; reload, bookmark, history, tabs. */
import { expect } from 'chai';
import { whyNoBrowser } from '../support/peers/browser.ts';
import { LARGE, announced, captionOf, READER, Reading, says } from '../support/viewing/reading.ts';
import { pictureShown, signInOn } from '../support/viewing/viewing.ts';

describe('The light viewer', function () {
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

  describe('when something is missing', () => {
    it('keeps what is loaded without a network, says so, and goes on when asked to', async () => {
      const page = await reading.open('#1.6');
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
      const page = await reading.open('#1.1');
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
      const page = await reading.open('#2.3');
      // What is near has come, too: the session ends under what was not looked at yet.
      await page.waitForLoadState('networkidle');
      await page.context().clearCookies();
      const third = page.locator('.strip button').nth(2);
      await third.click();
      const again = page.locator('[data-pane="0"] .notice').getByRole('link', { name: 'Sign in again' });
      await again.waitFor();
      await page.locator('.strip button').nth(1).click();
      await pictureShown(page);
      await third.click();
      await again.waitFor();
      expect(await page.locator('[data-pane="0"] .notice a').count(), 'once, however often it is tried').to.equal(1);
      await again.click();
      await page.check(`input[value="${READER}"]`);
      await page.click('button[type="submit"]');
      await pictureShown(page);
      expect(await captionOf(page)).to.contain('Série 3 · image 6 of 12');
    });

    it('leads who opens a part of an exam in a tab of its own to the sign-in, and no script', async () => {
      const part = reading.address('/series/1.2/instances/3.4/rendered');
      expect((await fetch(part)).status).to.equal(401);
      const page = await (await reading.signedOut()).newPage();
      await page.goto(part);
      await page.check(`input[value="${READER}"]`);
      await page.click('button[type="submit"]');
      await page.waitForURL(part);
      expect(await page.locator('h1').textContent()).to.equal('This page does not exist');
    });

    it('shows a small picture first on a slow network, and breaks off what is not looked at any more', async () => {
      const page = await (await reading.signedIn()).newPage();
      const broken: string[] = [];
      const asked: string[] = [];
      const isSmall = (url: string): boolean => url.includes('viewport=256');
      page.on('request', (request) => void (request.url().includes('/rendered?') && asked.push(request.url())));
      page.on('requestfailed', (request) => void broken.push(request.url()));
      let isSlow = true;
      await page.route('**/rendered?**', async (route) => {
        if (!isSlow || isSmall(route.request().url())) await route.continue();
      });
      await page.goto(reading.address('#1.1', LARGE));
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
      const page = await reading.open('#2.4');
      await page.locator('[data-pane="0"] canvas').focus();
      await page.keyboard.press('ArrowDown');
      await page.waitForURL(/#2\.5$/);
      await page.reload();
      await says(page, 'Série 2 · image 5 of 12');
      await page.getByRole('link', { name: 'Radiographie', exact: true }).click();
      await pictureShown(page);
      await page.goBack();
      await says(page, 'Série 2 · image 5 of 12');
      await page.goForward();
      await says(page, 'image 1 of 1');
      await page.goto(reading.address('#3.2~1.7'));
      await says(page, 'Série 3 · image 2 of 12');
      await says(page, 'Série 1 · image 7 of 12', 1);
      await page.goto(reading.address('#999999.999999'));
      await says(page, 'Série 1 · image 12 of 12');
    });

    it('holds nothing but numbers in its address', async () => {
      const page = await reading.open();
      await page.waitForURL(/\/viewer\/[\d.]+#1\.6$/);
    });

    it('is open in two tabs, which tell the end of the session that one of them ends', async () => {
      const context = await reading.signedOut();
      const first = await context.newPage();
      await signInOn(first, reading.address('#1.1'), READER);
      await pictureShown(first);
      const second = await context.newPage();
      await second.goto(reading.address('#3.9'));
      await says(second, 'Série 3 · image 9 of 12');
      await says(first, 'Série 1 · image 1 of 12');
      await first.getByRole('button', { name: 'Sign out' }).click();
      await first.waitForURL(`${reading.viewing.server.url}/`);
      await first.goBack();
      await first.locator('input[name="login"]').first().waitFor();
      await second.locator('.strip button').nth(1).click();
      await second.locator('[data-pane="0"] .notice').getByText('Your session has ended.').waitFor();
    });
  });
});
