/** What `npm run screenshots` takes pictures of: each page, in each of its states. */
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { DEMO_APP } from '../../fixtures/sign-in.ts';
import { pictureShown, signInOn } from '../support/viewing/viewing.ts';

/** The servers that stand, and the exams on the first. */
export type Places = {
  readonly url: string;
  /** A server with two identity providers. */
  readonly choiceUrl: string;
  /** A server where a patient represents two children. */
  readonly recordsUrl: string;
  /** A server whose pages fail where they are asked to. */
  readonly failingUrl: string;
  readonly exams: Readonly<Record<'ct' | 'mr' | 'cr' | 'us' | 'flow' | 'documents' | 'bare', DemoStudy>>;
};

/** One state: who is signed in, and how a page gets there. */
export type State = {
  readonly name: string;
  readonly person?: string;
  /** The browser runs no scripts. */
  readonly isWithoutScript?: true;
  readonly reach: (page: Page, places: Places, context: BrowserContext) => Promise<void>;
};

const READER = 'demo-declared';
const PATIENT = 'demo-patient';

async function view(page: Page, { url }: Places, exam: DemoStudy): Promise<void> {
  await page.goto(`${url}/viewer/${exam.studyInstanceUID}`);
  await pictureShown(page);
}

/** A request for authorization as an application sends it; `changes` makes it another one. */
function authorization({ url }: Pick<Places, 'url'>, changes: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: DEMO_APP.clientId,
    redirect_uri: DEMO_APP.redirectUri,
    scope: 'openid fhirUser patient/*.rs patient/Consent.cud offline_access',
    aud: `${url}/fhir`,
    state: 'a-state-of-the-application',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...changes,
  });
  return `${url}/auth/authorize?${query}`;
}

/** The next picture, once the network or the session is gone. */
async function goOn(page: Page): Promise<void> {
  await page.locator('[data-pane="0"] canvas').focus();
  await page.keyboard.press('End');
  await page.locator('[data-pane="0"] .notice:not([hidden]) :is(a, button)').waitFor();
}

/** What a browser is set to for a state. */
export function browserOf({ isWithoutScript }: State): BrowserContextOptions {
  return { javaScriptEnabled: isWithoutScript !== true };
}

/** The states. */
export const STATES: readonly State[] = [
  { name: 'start', reach: async (page, { url }) => void (await page.goto(url)) },
  { name: 'absent', reach: async (page, { url }) => void (await page.goto(`${url}/nowhere`)) },
  { name: 'failed', reach: async (page, { failingUrl }) => void (await page.goto(`${failingUrl}/broken`)) },
  { name: 'refused', reach: async (page, { failingUrl }) => void (await page.goto(`${failingUrl}/refused`)) },
  { name: 'providers', reach: async (page, { choiceUrl }) => void (await page.goto(`${choiceUrl}/auth/session`)) },
  {
    name: 'provider-away',
    reach: async (page, { choiceUrl }) => void (await page.goto(`${choiceUrl}/auth/session/provider/0?to=/`)),
  },
  { name: 'sign-in', reach: async (page, { url }) => void (await page.goto(`${url}/auth/session`)) },
  {
    name: 'sign-in-expired',
    reach: async (page, { url }) => void (await page.goto(`${url}/auth/session/signed-in?state=old&code=old`)),
  },
  {
    name: 'record-choice',
    reach: async (page, { recordsUrl }) => await signInOn(page, `${recordsUrl}/auth/session`, PATIENT),
  },
  {
    name: 'record-not-chosen',
    reach: async (page, { recordsUrl }) => {
      await signInOn(page, `${recordsUrl}/auth/session`, PATIENT);
      await page
        .locator('main form')
        .evaluate((form) => ((form as unknown as { noValidate: boolean }).noValidate = true));
      await page.locator('main form button[type="submit"]').click();
      await page.locator('[role="alert"]').waitFor();
    },
  },
  {
    name: 'consent-for-a-child',
    reach: async (page, { recordsUrl }) => {
      await signInOn(page, authorization({ url: recordsUrl }), PATIENT);
      await page.locator('input[value="RelatedPerson/leo"]').check();
      await page.locator('main form button[type="submit"]').click();
      await page.locator('button[value="allow"]').waitFor();
    },
  },
  { name: 'consent', reach: async (page, places) => await signInOn(page, authorization(places), PATIENT) },
  {
    name: 'application-wrong',
    reach: async (page, places) => void (await page.goto(authorization(places, { client_id: 'nobody' }))),
  },
  {
    name: 'stranger',
    person: 'demo-stranger',
    reach: async (page, { url, exams }) => void (await page.goto(`${url}/viewer/${exams.ct.studyInstanceUID}`)),
  },
  { name: 'exams', person: READER, reach: async (page, { url }) => void (await page.goto(`${url}/voir`)) },
  { name: 'no-exams', person: 'demo-stranger', reach: async (page, { url }) => void (await page.goto(`${url}/voir`)) },
  {
    name: 'emergency-wrong',
    person: 'demo-stranger',
    reach: async (page, { url, exams }) => {
      await page.goto(`${url}/viewer/${exams.ct.studyInstanceUID}`);
      await page
        .locator('main form')
        .evaluate((form) => ((form as unknown as { noValidate: boolean }).noValidate = true));
      await page.locator('main form button[type="submit"]').click();
      await page.waitForLoadState();
    },
  },
  {
    name: 'link-choice',
    person: PATIENT,
    reach: async (page, { url }) => {
      const { system, value } = PATIENTS.helene.national;
      const patient = encodeURIComponent(`${value}^^^&${system.replace('urn:oid:', '')}&ISO`);
      await page.goto(`${url}/IHEInvokeImageDisplay?requestType=PATIENT&patientID=${patient}`);
    },
  },
  {
    name: 'link-refused',
    reach: async (page, { url }) => void (await page.goto(`${url}/IHEInvokeImageDisplay?requestType=ALL`)),
  },
  { name: 'viewer-ct', person: READER, reach: async (page, places) => await view(page, places, places.exams.ct) },
  { name: 'viewer-cr', person: READER, reach: async (page, places) => await view(page, places, places.exams.cr) },
  { name: 'viewer-us', person: READER, reach: async (page, places) => await view(page, places, places.exams.us) },
  { name: 'viewer-flow', person: READER, reach: async (page, places) => await view(page, places, places.exams.flow) },
  {
    name: 'viewer-compare',
    person: READER,
    reach: async (page, places) => {
      await view(page, places, places.exams.mr);
      await page.locator('[data-action="compare"]').click();
      await page.locator('[data-pane="1"][data-state="shown"]').waitFor();
    },
  },
  {
    name: 'viewer-measure',
    person: PATIENT,
    reach: async (page, places) => {
      await view(page, places, places.exams.ct);
      await page.locator('[data-tool="measure"]').click();
      await page.locator('[data-pane="0"] canvas').focus();
      for (let step = 0; step < 12; step += 1) await page.keyboard.press('Shift+ArrowRight');
    },
  },
  {
    name: 'viewer-documents',
    person: READER,
    reach: async (page, { url, exams }) =>
      void (await page.goto(`${url}/viewer/${exams.documents.studyInstanceUID}`, { waitUntil: 'networkidle' })),
  },
  { name: 'viewer-bare', person: READER, reach: async (page, places) => await view(page, places, places.exams.bare) },
  {
    name: 'viewer-without-script',
    person: READER,
    isWithoutScript: true,
    reach: async (page, { url, exams }) =>
      void (await page.goto(`${url}/viewer/${exams.mr.studyInstanceUID}`, { waitUntil: 'networkidle' })),
  },
  {
    name: 'viewer-keys',
    person: READER,
    reach: async (page, places) => {
      await view(page, places, places.exams.ct);
      await page.locator('.beside summary').click();
      await page.locator('.beside details').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'viewer-expired',
    person: READER,
    reach: async (page, places, context) => {
      await view(page, places, places.exams.ct);
      await context.clearCookies();
      await goOn(page);
    },
  },
  {
    name: 'viewer-offline',
    person: READER,
    reach: async (page, places, context) => {
      await view(page, places, places.exams.ct);
      await context.setOffline(true);
      await goOn(page);
    },
  },
  {
    name: 'viewer-slow',
    person: READER,
    reach: async (page, places, context) => {
      await context.route('**/rendered?**', (route) =>
        route.request().url().includes('viewport=256') ? route.continue() : undefined,
      );
      await page.goto(`${places.url}/viewer/${places.exams.cr.studyInstanceUID}`);
      await page.locator('[data-pane="0"][data-state="small"]').waitFor();
    },
  },
];
