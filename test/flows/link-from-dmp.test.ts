/** A link in a national record leads, by sign-in at the reader's own provider, to the images of that exam. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { Browser, formOf, type Visit } from '../../fixtures/browser.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { IDENTIFIER_SYSTEM } from '../../profiles/codes.ts';
import { SESSION_TEXTS } from '../../server/endpoints/smart/session/session-texts.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { signInAt } from '../support/clients/signed-in-browser.ts';
import { byStudyUid, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { freePort } from '../support/free-port.ts';
import { startProSanteConnect, type CardHolder, type ProSanteConnect } from '../support/peers/pro-sante-connect.ts';
import { writeProviders } from '../support/region.ts';
import { startServer, type TestServer } from '../support/server.ts';

const NAME = 'Pro Santé Connect';
/** Dr Brandessart, whom Hélène declared, and Dr Vaudrémont-Ciel, whom nobody did; the directory names them so. */
const DECLARED = '899700990031';
const STRANGER = '899700990049';
const HOLDERS: readonly CardHolder[] = [
  { sub: 'f:550dc1c8:declared', nationalId: DECLARED },
  { sub: 'f:550dc1c8:stranger', nationalId: STRANGER },
  // The subject of Hélène at the other provider.
  { sub: 'demo-patient', nationalId: DECLARED },
  { sub: 'f:550dc1c8:unknown', nationalId: '899700999999' },
  { sub: 'f:550dc1c8:nameless', nationalId: undefined },
];

describe('A link from a national record to an exam', () => {
  let folder: string;
  let region: Demonstration;
  let server: TestServer;
  let provider: ProSanteConnect;
  let unreported: DemoStudy;
  let link: string;
  before(async function start() {
    this.timeout(60_000);
    folder = await mkdtemp(join(tmpdir(), 'passerelle-link-'));
    const port = await freePort();
    const options = { dataDir: join(folder, 'data'), env: { HTTP_PORT: String(port) } };
    region = await startDemonstration(options);
    unreported = aStudy({ key: 'link/unreported', patient: PATIENTS.helene, started: '2026-03-01T08:00:00' });
    await sendStudy(region.server, unreported);
    const report = await buildReportBundle(unreported, reportTextOf('ct-thorax'));
    const preliminary = JSON.stringify(report).replaceAll('"status":"final"', '"status":"preliminary"');
    const accepted = await region.strasbourg.send(
      'POST',
      '',
      preliminary.replaceAll('"docStatus":"final"', '"docStatus":"preliminary"'),
    );
    expect(accepted.status, accepted.text).to.equal(200);
    await eventually(async () => (await region.strasbourg.find(`ImagingStudy?${byStudyUid(unreported)}`))[0]);
    await region.server.stop();
    provider = await startProSanteConnect(`http://127.0.0.1:${port}/auth/signed-in`, HOLDERS);
    await writeFile(join(folder, 'secret'), `${provider.secret}\n`, { mode: 0o600 });
    await writeProviders(join(folder, 'region.json'), [entryOf(provider), { issuer: 'development' }]);
    server = await startServer({ ...options, env: { ...options.env, REGION: join(folder, 'region.json') } });
    link = await linkTo(region.studies.helene);
  });
  after(async () => {
    await server?.stop();
    await provider?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  function entryOf({ issuer, discovery, clientId }: ProSanteConnect) {
    return {
      issuer,
      discovery,
      name: NAME,
      client_id: clientId,
      client_secret_file: 'secret',
      scope: 'openid scope_all',
      requiredAcr: ['eidas1'],
      userinfo: true,
      identifierClaims: [{ claim: 'SubjectNameID', system: IDENTIFIER_SYSTEM.professional, kinds: ['practitioner'] }],
    };
  }

  async function linkTo(study: DemoStudy): Promise<string> {
    const { id } = await region.strasbourg.findOne(`ImagingStudy?${byStudyUid(study)}`);
    return `${server.url}/voir/${id}`;
  }

  /** The link to a provider on the page of their choice. */
  function choiceOf(page: Visit, name: string): URL {
    const links = [...page.text.matchAll(/<a class="button" href="([^"]*)">([^<]*)<\/a>/g)];
    const [, href = ''] = links.find(([, , text]) => text === name) ?? [];
    return new URL(href.replaceAll('&amp;', '&'), page.url);
  }

  /** Signs in with the card of somebody; gives the page that it leads to, or the address that `stop` accepts. */
  async function byCard(
    browser: Browser,
    choice: Visit,
    sub: string,
    { acr = 'eidas1', stop }: { readonly acr?: string; readonly stop?: (url: URL) => boolean } = {},
  ): Promise<Visit> {
    const page = await browser.open(choiceOf(choice, NAME));
    const form = formOf(page) ?? expect.fail(page.text);
    return await browser.submit({ ...form, fields: new URLSearchParams({ login: sub, acr }) }, stop);
  }

  async function openByCard(url: string, sub: string): Promise<{ readonly browser: Browser; readonly page: Visit }> {
    const browser = new Browser();
    return { browser, page: await byCard(browser, await browser.open(new URL(url)), sub) };
  }

  async function openAsPatient(url: string): Promise<{ readonly browser: Browser; readonly page: Visit }> {
    const browser = new Browser();
    const chooser = await browser.open(choiceOf(await browser.open(new URL(url)), 'Démonstration'));
    return { browser, page: await signInAt(browser, chooser, 'demo-patient') };
  }

  /** Who opened exams, as the patient reads it; the latest first. */
  async function openings(): Promise<readonly AuditEvent[]> {
    return await region.patient.find<AuditEvent>('AuditEvent?subtype=RAD-106&outcome=0&_count=100');
  }

  /** The session of a browser, as its requests bear it. */
  function sessionOf(browser: Browser): string {
    return browser.cookiesAt(new URL(server.url));
  }

  /** How every address at which something of an exam is shown answers in a session. */
  async function answersOf(study: DemoStudy, cookie: string): Promise<readonly string[]> {
    const viewer = `/viewer/${study.studyInstanceUID}`;
    const [{ seriesInstanceUID, sopInstanceUID } = expect.fail('It has no instance')] = study.instances();
    const series = `${viewer}/series/${seriesInstanceUID}`;
    const instance = `${series}/instances/${sopInstanceUID}`;
    const paths = [viewer, `${series}/thumbnail`, `${instance}/thumbnail`, `${instance}/rendered`];
    const answers = [];
    for (const path of [...paths, `${instance}/frames/1/rendered`]) {
      const url = new URL(path, server.url);
      const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
      answers.push(`${answer.status} ${(await answer.text()).replaceAll(/2\.25\.[0-9]+/g, 'UID')}`);
    }
    return answers;
  }

  it('leads by the provider that the reader chooses, and back, to the exam', async () => {
    const browser = new Browser();
    const choice = await browser.open(new URL(link));
    expect(choice.text.match(/\/auth\/session\/provider\//g)).to.have.length(2);
    const away = await browser.open(choiceOf(choice, NAME), (url) => url.pathname.endsWith('/openid-connect/auth'));
    expect(Object.fromEntries(away.url.searchParams)).to.include({
      client_id: provider.clientId,
      scope: 'openid scope_all',
      acr_values: 'eidas1',
      code_challenge_method: 'S256',
      redirect_uri: `${server.url}/auth/signed-in`,
    });
    expect(away.url.href).to.not.contain(region.studies.helene.studyInstanceUID).and.not.contain('voir');
    const page = await byCard(browser, choice, 'f:550dc1c8:declared');
    expect([page.status, page.url.href]).to.deep.equal([200, link]);
    expect(page.text).to.contain(region.studies.helene.description).and.contain(PATIENTS.helene.familyName);
    const asked = new Set(provider.asked.map((path) => path.slice(path.lastIndexOf('/') + 1)));
    expect([...asked]).to.include.members(['wallet-openid-configuration', 'token', 'certs', 'userinfo']);
    expect([...asked]).to.not.include('openid-configuration');
    expect(server.log()).to.not.include('"level"');
  });

  it('is one opening in the history of the patient, with the name of who opened it', async () => {
    const before = (await openings()).length;
    await openByCard(link, 'f:550dc1c8:declared');
    const [event, ...others] = await openings();
    expect(others).to.have.length(before);
    expect(event?.agent.find(({ requestor }) => requestor)).to.deep.include({
      who: { reference: 'Practitioner/demo-declared', display: 'Dr Maëlle Brandessart' },
    });
  });

  it('asks for another sign-in where the card was not shown with enough assurance', async () => {
    const browser = new Browser();
    const choice = await browser.open(new URL(link));
    for (const acr of ['eidas0', '', 'eidas2']) {
      const page = await byCard(browser, choice, 'f:550dc1c8:declared', { acr });
      expect(page.status, acr).to.equal(403);
      expect(page.text).to.contain(SESSION_TEXTS.fr.weakTitle);
    }
    expect((await browser.open(new URL(link))).text).to.contain(SESSION_TEXTS.fr.chooseLead);
  });

  it('refuses the answer to a sign-in of another browser, or to none, and that of another time', async () => {
    const browser = new Browser();
    const choice = await browser.open(new URL(link));
    const isAnswer = (url: URL): boolean => url.pathname === '/auth/signed-in';
    const answer = await byCard(browser, choice, 'f:550dc1c8:declared', { stop: isAnswer });
    const invented = new URL(answer.url);
    invented.searchParams.set('state', 'x'.repeat(43));
    for (const [other, url] of [
      [new Browser(), answer.url],
      [browser, invented],
    ] as const) {
      expect((await other.open(url)).status).to.equal(400);
      expect((await other.open(new URL(link))).text).to.contain(SESSION_TEXTS.fr.chooseLead);
    }
    expect((await browser.open(answer.url)).status, 'the browser that asked').to.equal(200);
    expect((await browser.open(answer.url)).status, 'a second time').to.equal(400);
    const another = await byCard(new Browser(), choice, 'f:550dc1c8:declared', { stop: isAnswer });
    const underWay = new Browser();
    await underWay.open(choiceOf(await underWay.open(new URL(link)), NAME));
    expect((await underWay.open(another.url)).status, 'of another that is under way').to.equal(400);
    expect((await underWay.open(new URL(link))).text).to.contain(SESSION_TEXTS.fr.chooseLead);
  });

  it('keeps accounts of two providers apart that have the same subject there', async () => {
    const professional = await openByCard(link, 'demo-patient');
    const patient = await openAsPatient(link);
    expect([professional.page.status, patient.page.status]).to.deep.equal([200, 200]);
    const who = (await openings())
      .slice(0, 2)
      .map(({ agent }) => agent.find(({ requestor }) => requestor)?.who?.reference);
    expect(who[1]).to.equal('Practitioner/demo-declared');
    expect(who[0]).to.match(/^Patient\//);
  });

  it('opens nothing for a card that nobody in the region is known by', async () => {
    for (const [sub, status, text] of [
      ['f:550dc1c8:unknown', 403, SESSION_TEXTS.fr.unknownTitle],
      ['f:550dc1c8:nameless', 400, SESSION_TEXTS.fr.brokenTitle],
    ] as const) {
      const { browser, page } = await openByCard(link, sub);
      expect([page.status, page.text.includes(text)], sub).to.deep.equal([status, true]);
      expect((await browser.open(new URL(link))).text).to.contain(SESSION_TEXTS.fr.chooseLead);
    }
  });

  it('shows a patient her own exam, and none that no validated report names, not even in a list', async () => {
    const { browser, page } = await openAsPatient(link);
    expect(page.status).to.equal(200);
    expect(page.text).to.contain(region.studies.helene.description);
    expect(page.text).to.not.contain(unreported.studyInstanceUID);
    const absent = await browser.open(new URL(`${server.url}/voir/unknown`));
    const hidden = await browser.open(new URL(await linkTo(unreported)));
    expect([hidden.status, hidden.text.replaceAll(hidden.url.pathname, '')]).to.deep.equal([
      404,
      absent.text.replaceAll(absent.url.pathname, ''),
    ]);
    const neverSent = aStudy({ key: 'link/never-sent', patient: PATIENTS.helene });
    expect(await answersOf(unreported, sessionOf(browser))).to.deep.equal(
      await answersOf(neverSent, sessionOf(browser)),
    );
  });

  it('shows nothing to a stranger or a browser that is signed out, as if there were nothing', async () => {
    const neverSent = aStudy({ key: 'link/never-sent', patient: PATIENTS.helene });
    const { browser, page } = await openByCard(link, 'f:550dc1c8:stranger');
    expect(page.status).to.equal(404);
    const seen = await answersOf(region.studies.helene, sessionOf(browser));
    expect(seen.map((answer) => answer.slice(0, 3))).to.deep.equal(Array.from({ length: seen.length }, () => '404'));
    expect(seen).to.deep.equal(await answersOf(neverSent, sessionOf(browser)));
    const declared = await openByCard(link, 'f:550dc1c8:declared');
    const form = formOf(declared.page) ?? expect.fail('The page has no form to sign out');
    const cookie = sessionOf(declared.browser);
    expect((await answersOf(region.studies.helene, cookie))[4]?.slice(0, 3)).to.equal('200');
    await declared.browser.submit(form);
    for (const out of [cookie, sessionOf(declared.browser), '']) {
      const answers = await answersOf(region.studies.helene, out);
      expect(answers.map((answer) => answer.slice(0, 3))).to.deep.equal(['303', '401', '401', '401', '401']);
      expect(answers).to.deep.equal(await answersOf(neverSent, out));
    }
  });

  it('shows nothing of a patient who has withdrawn, from the next request of an open session on', async () => {
    const { browser, page } = await openByCard(link, 'f:550dc1c8:declared');
    expect(page.status).to.equal(200);
    expect((await region.patient.send('POST', 'Patient/$withdraw')).status).to.equal(201);
    const neverSent = aStudy({ key: 'link/never-sent', patient: PATIENTS.helene });
    expect((await browser.open(new URL(link))).status).to.equal(404);
    expect(await answersOf(region.studies.helene, sessionOf(browser))).to.deep.equal(
      await answersOf(neverSent, sessionOf(browser)),
    );
  });
});
