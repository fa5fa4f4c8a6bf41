/** A cine of 2 GB: stored, rendered frame by frame and looked at in a browser, in memory that does not grow with it. */
import { expect } from 'chai';
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { PATIENTS } from '../../fixtures/people.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { costOf } from '../hostile/dicom/store.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { byStudyUid, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { startBrowser, whyNoBrowser } from '../support/peers/browser.ts';
import { whyNoOhif } from '../support/peers/ohif.ts';
import { contrastOf, differenceOf, drawnImage, openFor, renderedImage } from '../support/peers/ohif-page.ts';
import { FRAME_SIDE, frameOf, largeStudy, stowLarge } from '../support/examples/large-multiframe.ts';

/** Two gibibytes: offsets beyond 31 bits. */
const FRAMES = 2_048;
const MIDDLE = FRAMES / 2;
/** Beside the buffers of a body and the threads that render, which start meanwhile. */
const MOST_MEGABYTES = 300;
/** Of a picture that was scaled twice: by the server and on the canvas. */
const MOST_DIFFERENCE = 3;
/** A blank picture has a contrast of 0. */
const LEAST_CONTRAST = 10;

describe('A multi-frame of 2 GB', function () {
  this.timeout(180_000);
  const study = largeStudy({ key: 'flow/large', patient: PATIENTS.helene, modality: 'US' }, FRAMES);
  let region: Demonstration;
  let instance: string;
  before(async () => {
    region = await startDemonstration();
    const [only] = study.instances();
    instance = `studies/${study.studyInstanceUID}/series/${only?.seriesInstanceUID}/instances/${only?.sopInstanceUID}`;
  });
  after(async () => await region?.server.stop());

  async function rendered(frame: number, query = ''): Promise<Buffer> {
    const response = await fetch(`${region.server.url}/dicom-web/${instance}/frames/${frame}/rendered${query}`, {
      headers: { Authorization: `Bearer ${region.strasbourg.token}`, Accept: 'image/png' },
    });
    expect(response.status, `frame ${frame}`).to.equal(200);
    return Buffer.from(await response.arrayBuffer());
  }

  it('is stored, and its frames are rendered as they were sent, in memory that stays flat', async () => {
    const { server, strasbourg } = region;
    const { megabytes } = await costOf(server, async () => {
      expect(await stowLarge({ url: server.url, token: strasbourg.token }, study, FRAMES)).to.equal(200);
      await eventually(async () => (await strasbourg.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`))[0]);
      for (const frame of [1, 2, MIDDLE, FRAMES - 1, FRAMES]) {
        const { data, info } = await sharp(await rendered(frame))
          .extractChannel(0)
          .raw()
          .toBuffer({ resolveWithObject: true });
        expect([info.width, info.height]).to.deep.equal([FRAME_SIDE, FRAME_SIDE]);
        expect(data.equals(frameOf(frame)), `pixels of frame ${frame}`).to.equal(true);
      }
    });
    expect(megabytes).to.be.lessThan(MOST_MEGABYTES);
  });

  describe('in the viewer', () => {
    let browser: Browser;
    let page: Page;
    before(async function () {
      if (whyNoBrowser() !== undefined) this.skip();
      const report = await region.strasbourg.send('POST', '', await buildReportBundle(study, reportTextOf('us-heart')));
      expect(report.status, report.text).to.equal(200);
      browser = await startBrowser();
      page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    });
    after(async () => await browser?.close());

    /** What the reader sees of the picture: the canvas without the black beside it. */
    async function seen(): Promise<Buffer> {
      const png = await page
        .locator('[data-pane="0"] canvas')
        .evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());
      const image = sharp(Buffer.from(png.split(',')[1] ?? '', 'base64'));
      const { width, height } = await image.metadata();
      const side = Math.min(width, height);
      const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)];
      return await image.extract({ left, top, width: side, height: side }).toBuffer();
    }

    async function small(picture: Buffer): Promise<Buffer> {
      return await sharp(picture).resize(64, 64, { fit: 'fill', kernel: 'cubic' }).extractChannel(0).raw().toBuffer();
    }

    async function expectSeen(frame: number): Promise<void> {
      const expected = await small(await rendered(frame));
      const difference = async (): Promise<number> => {
        const shown = await small(await seen());
        return shown.reduce((sum, value, at) => sum + Math.abs(value - (expected[at] ?? 0)), 0) / shown.length;
      };
      await eventually(async () => ((await difference()) < MOST_DIFFERENCE ? true : undefined)).catch(() => undefined);
      expect(await difference(), `frame ${frame}`).to.be.lessThan(MOST_DIFFERENCE);
    }

    it('opens from a small page, and its first, middle and last frame are those of /rendered', async () => {
      const { megabytes } = await costOf(region.server, async () => {
        await page.goto(`${region.server.url}/viewer/${study.studyInstanceUID}`);
        await page.check('input[value="demo-declared"]');
        const [answer] = await Promise.all([
          page.waitForResponse((response) => response.url().endsWith(`/viewer/${study.studyInstanceUID}`)),
          page.click('button[type="submit"]'),
        ]);
        expect((await answer.body()).length).to.be.lessThan(50_000);
        await page.locator('body[data-ready]').waitFor();
        await expectSeen(MIDDLE);
        await page.keyboard.press('Home');
        await expectSeen(1);
        await page.keyboard.press('End');
        await expectSeen(FRAMES);
      });
      expect(megabytes).to.be.lessThan(MOST_MEGABYTES);
    });
  });

  describe('in OHIF', () => {
    let browser: Browser;
    before(async function () {
      if (whyNoBrowser() !== undefined || whyNoOhif() !== undefined) this.skip();
      browser = await startBrowser({ hasWebGL: true });
    });
    after(async () => await browser?.close());

    it('is drawn as it is rendered, from its frames one by one', async () => {
      const url = `${region.server.url}/ohif/viewer?StudyInstanceUIDs=${study.studyInstanceUID}`;
      const { page, context, errors } = await openFor(browser, 'demo-declared', url);
      const { rgb, place } = await drawnImage(page);
      await page.close();
      const root = `${region.server.url}/viewer/${study.studyInstanceUID}`;
      expect(contrastOf(rgb), 'contrast').to.be.greaterThan(LEAST_CONTRAST);
      expect(differenceOf(rgb, await renderedImage(context.request, root, place))).to.be.lessThan(MOST_DIFFERENCE);
      expect(errors).to.deep.equal([]);
    });
  });
});
