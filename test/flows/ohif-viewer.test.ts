/** OHIF in a real browser, on our DICOMweb: the picture that it draws is ours, and it is led to this study alone. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { Browser, BrowserContext } from 'playwright-core';
import sharp from 'sharp';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { demoStudies, type DemoStudy } from '../../fixtures/dicom/studies.ts';
import { ESTABLISHMENTS, type EstablishmentKey } from '../../fixtures/people.ts';
import { makeReportPdf } from '../../fixtures/report-pdf.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { DICOM_UID, MEDIA_TYPE, oidUri } from '../../profiles/codes.ts';
import { TAG } from '../../profiles/dicom/attributes.ts';
import { formatTag } from '../../profiles/dicom/data-element.ts';
import { toDicomJson } from '../../profiles/dicom/json/json.ts';
import { sample, sampleNames, samplePath } from '../profiles/dicom/samples.ts';
import { runCommand } from '../support/command.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { establishmentCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { headerOf } from '../support/imaging.ts';
import { startBrowser, whyNoBrowser } from '../support/peers/browser.ts';
import { documentsExam } from '../support/viewing/exams.ts';
import { publishExam } from '../support/viewing/viewing.ts';
import { whyNoOhif } from '../support/peers/ohif.ts';
import {
  contrastOf,
  differenceOf,
  drawnImage,
  openFor,
  openPage,
  renderedImage,
  type OhifPage,
} from '../support/peers/ohif-page.ts';

const DEMO: readonly (readonly [string, string, string])[] = [
  ['CT', 'ct-abdomen', 'demo-radiologist'],
  ['MR', 'mr-head', 'demo-radiologist'],
  ['US cine', 'us-heart', 'demo-radiologist'],
  ['CR', 'cr-chest', 'demo-declared'],
  ['colour', 'us-flow', 'demo-patient-lu'],
];
const SAMPLES: readonly (readonly [string, string])[] = [
  ['palette', 'testpattern_palette.dcm'],
  ['JPEG, YBR', 'us_multiframe_jpeg_ybr.dcm'],
  ['JPEG-LS', 'ct_jpegls_lossless_80.dcm'],
  ['JPEG 2000', 'mr_j2k_lossy.dcm'],
  ['mammography', 'mg_synthetic_jpegls.dcm'],
  ['MONOCHROME1', 'cr_j2k_lossy.dcm'],
];

/** Of 255: interpolation differs, and OHIF rounds otherwise. A blank picture has a contrast of 0. */
const MOST_DIFFERENCE = 3;
const LEAST_CONTRAST = 10;
/** A white page on a dark ground. */
const OF_A_PAGE = 50;
/** How long the browser's own reader of PDF takes, which tells nobody when it is done. */
const DRAWN_WITHIN_MS = 3_000;

describe('OHIF', function () {
  this.timeout(240_000);
  let region: Demonstration;
  let browser: Browser;
  const contexts = new Map<string, BrowserContext>();

  before(async function () {
    if (whyNoBrowser() !== undefined || whyNoOhif() !== undefined) this.skip();
    region = await startDemonstration();
    browser = await startBrowser({ hasWebGL: true });
  });

  after(async () => {
    await browser?.close();
    await region?.server.stop();
  });

  async function publish(study: DemoStudy): Promise<void> {
    await sendStudy(region.server, study);
    const establishment = await establishmentCaller(region.server, study.establishment.key);
    await establishment.send('POST', '', await buildReportBundle(study, reportTextOf(study.key)));
    await published(study.establishment.key, study);
  }

  async function published(key: EstablishmentKey, study: Pick<DemoStudy, 'studyInstanceUID'>): Promise<void> {
    const establishment = await establishmentCaller(region.server, key);
    const query = `ImagingStudy?identifier=urn:dicom:uid|${oidUri(study.studyInstanceUID)}&status=available`;
    await eventually(async () => (await establishment.find<ImagingStudy>(query))[0]);
  }

  async function open(uid: string, person: string): Promise<OhifPage> {
    const url = `${region.server.url}/ohif/viewer?StudyInstanceUIDs=${uid}`;
    const context = contexts.get(person);
    if (context !== undefined) return await openPage(context, url);
    const opened = await openFor(browser, person, url);
    contexts.set(person, opened.context);
    return opened;
  }

  async function compare(uid: string, person: string): Promise<void> {
    const { page, context, errors, requests } = await open(uid, person);
    const { rgb, place } = await drawnImage(page);
    const rendered = await renderedImage(context.request, `${region.server.url}/viewer/${uid}`, place);
    expect(contrastOf(rgb), 'contrast').to.be.greaterThan(LEAST_CONTRAST);
    expect(differenceOf(rgb, rendered), 'difference').to.be.lessThan(MOST_DIFFERENCE);
    expect(errors).to.deep.equal([]);
    const origins = new Set(requests.map((url) => new URL(url.replace(/^blob:/, '')).origin));
    expect([...origins]).to.deep.equal([region.server.url]);
    const ours = (await context.cookies()).filter(({ name }) => name.startsWith('passerelle-'));
    const secrets = ours.map(({ value }) => value);
    expect(secrets).to.have.length.greaterThan(1);
    expect(requests.filter((url) => secrets.some((secret) => url.includes(secret)))).to.deep.equal([]);
    await page.close();
  }

  for (const [title, key, person] of DEMO)
    it(`draws what is rendered: ${title}`, async () => {
      const study = demoStudies().find((one) => one.key === key);
      if (study === undefined) throw new Error(`There is no study ${key}`);
      await publish(study);
      await compare(study.studyInstanceUID, person);
    });

  for (const [title, file] of SAMPLES)
    it(`draws what is rendered: ${title}`, async function () {
      if (!sampleNames().includes(file)) this.skip();
      const folder = await mkdtemp(join(tmpdir(), 'passerelle-ohif-'));
      await copyFile(samplePath(file), join(folder, file));
      const { code, stdout, stderr } = await runCommand(
        'send',
        [folder, '--from', ESTABLISHMENTS.strasbourg.aeTitle],
        region.server,
      );
      await rm(folder, { recursive: true });
      expect(code, stdout + stderr).to.equal(0);
      const { Value = [] } = toDicomJson(headerOf(sample(file)))[formatTag(TAG.StudyInstanceUID)] ?? {};
      const studyInstanceUID = String(Value[0]);
      await published('strasbourg', { studyInstanceUID });
      await compare(studyInstanceUID, 'demo-radiologist');
    });

  it('shows a document', async () => {
    const [of] = demoStudies();
    if (of === undefined) throw new Error('There is no study');
    const pdf = Buffer.from(await makeReportPdf(of, reportTextOf(of.key)));
    const attributes = {
      SOPClassUID: `${DICOM_UID.storageClassPrefix}104.1`,
      '00420011:OB': pdf,
      '00420012:LO': MEDIA_TYPE.pdf,
      '00420015:UL': pdf.length,
    } as const;
    const study = aStudy({ key: 'ohif/document', instances: 1, attributes });
    await sendStudy(region.server, study);
    await published('strasbourg', study);
    const { page, errors } = await open(study.studyInstanceUID, 'demo-radiologist');
    await page.locator('object[data^="blob:"]').waitFor();
    await page.waitForTimeout(DRAWN_WITHIN_MS);
    const shown = await page.locator('object').screenshot();
    expect(contrastOf(await sharp(shown).removeAlpha().raw().toBuffer())).to.be.greaterThan(OF_A_PAGE);
    expect(errors).to.deep.equal([]);
    await page.close();
  });

  it('shows a structured report', async () => {
    const study = await documentsExam();
    await publishExam(region, study);
    const { page, errors } = await open(study.studyInstanceUID, 'demo-radiologist');
    await page.locator('object[data^="blob:"]').waitFor();
    await page.locator('[data-cy="study-browser-thumbnail-no-image"]', { hasText: 'Mesures' }).dblclick();
    await page.getByText('Nodule pulmonaire isolé').waitFor();
    expect(errors).to.deep.equal([]);
    await page.close();
  });

  it('is held to the study of its page by the browser, and leads back to ours', async () => {
    const [shown, other] = [region.studies.helene.studyInstanceUID, region.studies.heleneNancy.studyInstanceUID];
    const { page } = await open(shown, 'demo-declared');
    await drawnImage(page);
    const reachable = async (path: string): Promise<unknown> =>
      await page.evaluate(`fetch('${path}').then((answer) => answer.status, () => 'blocked')`);
    expect(await reachable(`/viewer/${shown}/ohif/dicom-web/studies`)).to.equal(200);
    for (const path of [
      `/viewer/${other}/ohif/dicom-web/studies`,
      `/viewer/${other}`,
      `/viewer/${shown}`,
      '/fhir/metadata',
    ])
      expect(await reachable(path), path).to.equal('blocked');
    expect(await page.evaluate('document.cookie')).not.to.include('passerelle');
    expect(await page.getByRole('note').textContent()).to.equal('Ne sert pas au diagnostic');
    await page.getByRole('link', { name: 'Revenir à l’examen' }).click();
    await page.waitForURL(`**/viewer/${shown}`);
    await page.getByRole('link', { name: 'Ouvrir dans OHIF' }).click();
    await drawnImage(page);
    await page.close();
  });

  it('shows the frames of a cine that follow as they are rendered', async () => {
    const study = demoStudies().find(({ key }) => key === 'us-heart');
    const { page, context } = await open(study?.studyInstanceUID ?? '', 'demo-radiologist');
    const first = await drawnImage(page);
    await page.evaluate('window.cornerstone.getEnabledElements()[0].viewport.setImageIdIndex(7)');
    const later = await drawnImage(page);
    const exam = `${region.server.url}/viewer/${study?.studyInstanceUID}`;
    expect(later.place).to.match(/\/frames\/8$/);
    const rendered = await renderedImage(context.request, exam, later.place);
    expect(differenceOf(later.rgb, rendered)).to.be.lessThan(MOST_DIFFERENCE);
    expect(differenceOf(later.rgb, rendered)).to.be.lessThan(differenceOf(first.rgb, rendered));
    await page.close();
  });
});
