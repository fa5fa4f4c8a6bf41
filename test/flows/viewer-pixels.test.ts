/**
 * The pixels of the light viewer, read from its canvas in a real browser, are those of `/dicom-web/…/rendered`: of
 * drawn images and of published samples. Documents are shown, and are not blank.
 */
import { expect } from 'chai';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { hasProgram, sampleNames, samplePath } from '../profiles/dicom/samples.ts';
import { startBrowser, whyNoBrowser } from '../support/peers/browser.ts';
import { compareInPage, frameInPage, type Comparison } from '../support/viewing/canvas.ts';
import { documentsExam, DRAWN, sampleExam } from '../support/viewing/exams.ts';
import { pictureShown, publishExam, readerOf, startViewing, type Viewing } from '../support/viewing/viewing.ts';

/** Published samples of each kind of picture. */
const SAMPLES = {
  'CT, uncompressed': 'ct_small.dcm',
  'CT in JPEG 2000': 'ct_j2k_lossless_90.dcm',
  'MR, uncompressed': 'mr_small.dcm',
  'MR of many frames': 'emr_multiframe.dcm',
  'US cine in JPEG': 'us_multiframe_jpeg_ybr.dcm',
  'US in YBR_FULL_422': 'us_ybr_full_422.dcm',
  'CR in JPEG 2000': 'cr_j2k_lossy.dcm',
  'mammography, uncompressed': 'mg_synthetic.dcm',
  'mammography in JPEG-LS': 'mg_synthetic_jpegls.dcm',
  'colour, uncompressed': 'testpattern_rgb.dcm',
  'palette colour': 'testpattern_palette.dcm',
} as const;

/** The page asks for JPEG and is compared with PNG: so far apart they may be, in the mean and in one of a hundred. */
const MEAN = 2.5;
const FAR = 24;
const MOST_FAR = 0.01;
/** Another window, frame or image is further than this. */
const OTHER = 6;

describe('The pixels of the light viewer', function () {
  this.timeout(90_000);
  let viewing: Viewing;
  let browser: Browser;
  let reader: BrowserContext;

  before(async function () {
    if (whyNoBrowser() !== undefined) this.skip();
    viewing = await startViewing();
    browser = await startBrowser();
    reader = await readerOf(viewing, browser, 'demo-radiologist', { viewport: { width: 1200, height: 760 } });
  });

  after(async () => {
    await browser?.close();
    await viewing?.server.stop();
  });

  async function open(exam: DemoStudy, picture = 1): Promise<Page> {
    await publishExam(viewing, exam);
    const page = await reader.newPage();
    await page.goto(`${viewing.server.url}/viewer/${exam.studyInstanceUID}#1.${picture}`);
    return page;
  }

  /** Compares the first pane with the same frame of `/dicom-web`, through a window or the image's own. */
  async function compare(page: Page, exam: DemoStudy, picture = 1, window?: string): Promise<Comparison> {
    const { path, columns, side } = await page.evaluate(frameInPage, [1, picture] as const);
    const query = `viewport=${side},${side}${window === undefined ? '' : `&window=${window}`}`;
    const address = `${viewing.server.url}/dicom-web/studies/${exam.studyInstanceUID}/${path}/rendered?${query}`;
    const headers = { Authorization: `Bearer ${viewing.strasbourg.token}`, Accept: 'image/png' };
    const answer = await fetch(address, { headers });
    expect(answer.status, path).to.equal(200);
    const png = Buffer.from(await answer.arrayBuffer()).toString('base64');
    return await page.evaluate(compareInPage, [png, columns, FAR] as const);
  }

  function expectAlike({ mean, far, values }: Comparison, what: string): void {
    expect(values, `${what} is blank`).to.be.greaterThan(8);
    expect(mean, `${what}: mean difference`).to.be.lessThan(MEAN);
    expect(far, `${what}: part that is far apart`).to.be.lessThan(MOST_FAR);
  }

  for (const [kind, draw] of Object.entries(DRAWN)) {
    it(`are those of the rendered frame: ${kind}, drawn`, async () => {
      const exam = draw();
      const picture = kind === 'cr' ? 1 : 3;
      const page = await open(exam, picture);
      await pictureShown(page);
      expectAlike(await compare(page, exam, picture), kind);
      if (kind === 'ct') await comparePreset(page, exam);
      await page.close();
    });
  }

  /** Through the window of a preset, and not through that of the image. */
  async function comparePreset(page: Page, exam: DemoStudy): Promise<void> {
    const asked = page.waitForResponse(/window=-600/);
    await page.locator('[data-presets]').selectOption('-600,1500');
    await asked;
    await pictureShown(page);
    expectAlike(await compare(page, exam, 3, '-600,1500,linear'), 'the lung window');
    expect((await compare(page, exam, 3)).mean, 'the image’s own window').to.be.greaterThan(OTHER);
  }

  for (const [kind, name] of Object.entries(SAMPLES)) {
    it(`are those of the rendered frame: ${kind} (${name})`, async function () {
      if (!sampleNames().includes(name) || !hasProgram('dcmodify')) this.skip();
      const exam = sampleExam(samplePath(name), name);
      const page = await open(exam);
      await pictureShown(page);
      expectAlike(await compare(page, exam), name);
      await page.close();
    });
  }

  it('are in documents, too: a PDF and a structured report stand in the page and are not blank', async () => {
    const page = await open(await documentsExam());
    const frame = page.locator('main iframe');
    await frame.scrollIntoViewIfNeeded();
    await page.waitForLoadState('networkidle');
    // The browser draws a PDF when it likes: looked at until something is seen.
    await expectSeen(async () => await frame.screenshot());
    await page.locator('.beside a[href$="/rendered"]', { hasText: 'Mesures' }).click();
    await page.getByText('Nodule pulmonaire isolé').waitFor();
    await page.close();
  });

  async function expectSeen(take: () => Promise<Buffer>): Promise<void> {
    for (let tries = 0; tries < 50; tries += 1) {
      const { channels } = await sharp(await take()).stats();
      if (channels.some(({ stdev }) => stdev > 20)) return;
    }
    throw new Error('The document is blank');
  }
});
