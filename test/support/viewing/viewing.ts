/** A running server with exams to look at, and readers who are signed in on its pages in a real browser. */
import type { ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { demoConsent } from '../../../fixtures/consent.ts';
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { buildReportBundle } from '../../../fixtures/reports.ts';
import { reportTextOf } from '../../../fixtures/report-texts.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { StoreAssociation } from '../../../server/clients/store-scu/store-association.ts';
import { eventually, type FhirCaller } from '../clients/fhir-caller.ts';
import { byStudyUid, establishmentCaller } from '../demonstration.ts';
import { startServer, type ServerOptions, type TestServer } from '../server.ts';

/** The server, the establishment that sends to it, and the sessions of those who have signed in. */
export type Viewing = {
  readonly server: TestServer;
  readonly strasbourg: FhirCaller;
  readonly sessions: Map<string, BrowserContextOptions['storageState']>;
};

/** Starts it, empty but for the consent by which Hélène declares Dr Brandessart. */
export async function startViewing(options: ServerOptions = {}): Promise<Viewing> {
  const server = await startServer(options);
  try {
    return { server, strasbourg: await establishmentCaller(server, 'strasbourg'), sessions: new Map() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Hélène declares Dr Brandessart; she must be known by an exam. */
export async function declare({ strasbourg }: Viewing): Promise<void> {
  const entry = [{ resource: demoConsent(), request: { method: 'POST', url: 'Consent' } }];
  const answer = await strasbourg.send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
  expect(answer.status, answer.text).to.equal(200);
}

/** Sends an exam, with the report of a demonstration study when one is named, and waits until it is closed. */
export async function publishExam(
  { server, strasbourg }: Pick<Viewing, 'server' | 'strasbourg'>,
  exam: DemoStudy,
  report?: string,
): Promise<void> {
  const { host, port, aeTitle } = server.dimse;
  const target = { host, port, calledAE: aeTitle, callingAE: exam.establishment.aeTitle };
  const contexts = new Map<string, { sopClassUID: string; transferSyntaxUID: string }>();
  for (const { bytes } of exam.instances()) {
    const { sopClassUID = '', transferSyntaxUID = '' } = parseFileMeta(bytes);
    contexts.set(`${sopClassUID} ${transferSyntaxUID}`, { sopClassUID, transferSyntaxUID });
  }
  const association = await StoreAssociation.open(target, [...contexts.values()]);
  for (const { bytes } of exam.instances()) expect(await association.storeFile(bytes), exam.description).to.equal(0);
  await association.release();
  if (report !== undefined) {
    const answer = await strasbourg.send('POST', '', await buildReportBundle(exam, reportTextOf(report)));
    expect(answer.status, answer.text).to.equal(200);
  }
  await eventually(
    async () => (await strasbourg.find<ImagingStudy>(`ImagingStudy?${byStudyUid(exam)}&status=available`))[0],
  );
}

/** A browser of somebody who is signed in: once for each person, whose session the next ones take over. */
export async function readerOf(
  { server, sessions }: Viewing,
  browser: Browser,
  person: string,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const known = sessions.get(person);
  const context = await browser.newContext({ ...options, ...(known === undefined ? {} : { storageState: known }) });
  if (known !== undefined) return context;
  const page = await context.newPage();
  await signInOn(page, `${server.url}/auth/session`, person);
  sessions.set(person, await context.storageState());
  await page.close();
  return context;
}

/** Goes to an address that asks for a sign-in, and signs in. */
export async function signInOn(page: Page, address: string, person: string): Promise<void> {
  await page.goto(address);
  await page.check(`input[value="${person}"]`);
  await page.click('button[type="submit"]');
  await page.waitForLoadState();
}

/** Waits until the first pane shows a picture in its full size. */
export async function pictureShown(page: Page): Promise<void> {
  await page.locator('[data-pane="0"][data-state="shown"]').waitFor();
}
