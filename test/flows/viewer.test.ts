/** The viewer in a real browser: from a link without a secret, through the sign-in, to pictures on the screen. */
import { expect } from 'chai';
import type { AuditEvent, ImagingStudy } from '@medplum/fhirtypes';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { demoStudies, type DemoStudy } from '../../fixtures/dicom/studies.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { signInOnPages } from '../../fixtures/sign-in.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { byStudyUid, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { startBrowser, whyNoBrowser } from '../support/peers/browser.ts';

type Opened = { readonly page: Page; readonly context: BrowserContext; readonly errors: string[] };

const SIZE = { width: 1440, height: 900 };

describe('The viewer', function () {
  this.timeout(180_000);
  let region: Demonstration;
  let browser: Browser;
  let study: DemoStudy;
  let link: string;

  before(async function () {
    if (whyNoBrowser() !== undefined) this.skip();
    region = await startDemonstration();
    browser = await startBrowser();
    study = demoStudies().find(({ key }) => key === 'cr-chest') ?? region.studies.helene;
    await sendStudy(region.server, study);
    await region.nancy.send('POST', '', await buildReportBundle(study, reportTextOf(study.key)));
    const found = await eventually(async () => (await region.patient.find(`ImagingStudy?${byStudyUid(study)}`))[0]);
    link = `/voir/${(found as ImagingStudy).id}`;
  });

  after(async () => {
    await browser?.close();
    await region?.server.stop();
  });

  async function open(person: string, path: string): Promise<Opened> {
    const context = await browser.newContext({ viewport: SIZE, locale: 'fr-FR' });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`${region.server.url}${path}`);
    await page.check(`input[value="${person}"]`);
    await page.click('button[type="submit"]');
    await page.waitForLoadState();
    return { page, context, errors };
  }

  /** The pixels of the first canvas, as the reader sees them. */
  async function canvasOf(page: Page): Promise<Uint8Array> {
    const png = await page
      .locator('[data-pane="0"] canvas')
      .evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());
    return await sharp(Buffer.from(png.split(',')[1] ?? '', 'base64'))
      .removeAlpha()
      .raw()
      .toBuffer();
  }

  it('shows the exam behind a lasting link, once a declared professional has signed in', async () => {
    const { page, context, errors } = await open('demo-declared', link);
    expect(new URL(page.url()).pathname).to.equal(link);
    await page.locator('body[data-ready]').waitFor();
    await page.locator('[data-pane="0"] [data-part="notice"]').waitFor({ state: 'hidden' });
    const pixels = await canvasOf(page);
    expect(new Set(pixels).size).to.be.greaterThan(100);
    expect(await page.locator('h1').textContent()).to.equal(study.description);
    expect(errors).to.deep.equal([]);
    await context.close();
  });

  it('offers the other exams of the person, from whichever establishment, and of nobody else', async () => {
    const { helene, heleneNancy, gaetan } = region.studies;
    const { page, context } = await open('demo-declared', `/viewer/${helene.studyInstanceUID}`);
    const links = await page
      .locator('aside a[href^="/viewer/"]')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    expect(links).to.include(`/viewer/${heleneNancy.studyInstanceUID}`);
    for (const { studyInstanceUID } of [helene, gaetan]) expect(links).not.to.include(`/viewer/${studyInstanceUID}`);
    await context.close();
  });

  it('shows nothing to a stranger, and says no more than of an exam that does not exist', async () => {
    const texts: string[] = [];
    for (const path of [link, '/voir/unknown', `/viewer/${study.studyInstanceUID}`, '/viewer/1.2.3']) {
      const { page, context } = await open('demo-stranger', path);
      texts.push((await page.locator('main').textContent()) ?? '');
      expect(await page.locator('canvas').count()).to.equal(0);
      await context.close();
    }
    expect(new Set(texts).size).to.equal(1);
  });

  it('is one line of the patient’s history for each opening', async () => {
    const { server, patient } = region;
    const headers = { Cookie: await signInOnPages({ url: server.url, person: 'demo-declared' }), Accept: 'text/html' };
    const history = async (): Promise<AuditEvent[]> => (await patient.find('AuditEvent?_count=200')) as AuditEvent[];
    const told = new Set((await history()).map(({ id }) => id));
    expect((await fetch(server.url + link, { headers, redirect: 'manual' })).status).to.equal(200);
    const opening = (await history()).filter(
      (event) => !told.has(event.id) && JSON.stringify(event.agent).includes('Practitioner/demo-declared'),
    );
    expect(opening.map(({ subtype, outcome }) => [subtype?.[0]?.code, outcome])).to.deep.equal([['RAD-106', '0']]);
  });
});
