/** The address of an exam that a professional may not see, and the emergency that is declared there. */
import { expect } from 'chai';
import type { AuditEvent, Communication } from '@medplum/fhirtypes';
import { formOf, type Browser, type Visit } from '../../fixtures/browser.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { ABSENT_TEXTS } from '../../server/endpoints/viewer/absent/texts.ts';
import { storedRows } from '../support/data-folder/stored-rows.ts';
import { openSignedIn, signInAt } from '../support/clients/signed-in-browser.ts';
import { chainedBodies } from '../support/data-folder/chained-bodies.ts';
import { byStudyUid, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { eventsOf } from '../support/clients/fhir-caller.ts';

const TEXTS = ABSENT_TEXTS.fr;
const JUSTIFICATION = 'Patiente inconsciente aux urgences, antécédents inconnus';
const EMERGENCY = {
  system: PATIENTS.helene.national.system,
  identifier: PATIENTS.helene.national.value,
  reason: 'ETREAT',
  justification: JUSTIFICATION,
  confirmed: 'yes',
};
type Fields = Readonly<Record<string, string>>;

/** A page without what differs from one address and session to the next; its length does by that of the address. */
function comparable({ url, status, headers, text }: Visit): unknown {
  const kept = [...headers].filter(([name]) => !['date', 'content-length', 'x-request-id'].includes(name));
  return JSON.stringify({ status, kept, text: text.replace(/name="proof" value="[^"]+"/, '') })
    .replaceAll(url.pathname, 'PATH')
    .replaceAll(encodeURIComponent(url.pathname), 'PATH');
}

describe('An exam that is not shown at its address', () => {
  let region: Demonstration;
  let link: string;
  let viewer: string;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
    const [study] = await region.patient.find(`ImagingStudy?${byStudyUid(region.studies.helene)}`);
    link = `${region.server.url}/voir/${study?.id ?? ''}`;
    viewer = `${region.server.url}/viewer/${region.studies.helene.studyInstanceUID}`;
  });
  after(async () => await region?.server.stop());

  /** Posts the form of a page, with these fields in place of right ones; a browser has signed in before. */
  async function declare(browser: Browser, page: Visit, changes: Fields = {}): Promise<Visit> {
    const form = formOf(page);
    const fields = new URLSearchParams({ proof: form?.fields.get('proof') ?? '', ...EMERGENCY, ...changes });
    return await browser.submit({ action: new URL(page.url), fields });
  }

  function declarations(): number {
    return storedRows(region.server.dataDir, 'Task').length;
  }

  it('is told of in the same words and bytes as one that does not exist', async () => {
    const { browser, page } = await openSignedIn(link, 'demo-stranger');
    const unknown = [viewer, `${region.server.url}/voir/unknown`, `${region.server.url}/viewer/1.2.3`, `${viewer}.1`];
    const others = await Promise.all(unknown.map(async (url) => await browser.open(new URL(url))));
    expect(page.status).to.equal(404);
    for (const other of others) expect(comparable(other), other.url.href).to.equal(comparable(page));
    expect(page.text)
      .to.contain(TEXTS.title)
      .and.not.contain(PATIENTS.helene.familyName)
      .and.not.contain(region.studies.helene.description);
    const machine = await fetch(viewer, { headers: { cookie: browser.cookiesAt(new URL(viewer)) } });
    expect([machine.status, machine.headers.get('content-type')]).to.deep.equal([
      404,
      'application/fhir+json; charset=utf-8',
    ]);
  });

  it('offers a professional the emergency access, with its rules, in each language', async () => {
    const { browser, page } = await openSignedIn(link, 'demo-stranger');
    for (const text of [TEXTS.emergency, TEXTS.onlyEmergency, TEXTS.normalOnly, TEXTS.patientTold, TEXTS.reviewed])
      expect(page.text).to.contain(text);
    expect(page.text).to.contain('L’accès dure 4\u00A0heures');
    const durations = { de: '4 Stunden', en: '4 hours' } as const;
    for (const language of ['de', 'en'] as const) {
      const translated = await browser.open(new URL(`${link}?lang=${language}`));
      expect(translated.text)
        .to.contain(`lang="${language}"`)
        .and.contain(ABSENT_TEXTS[language].emergency)
        .and.contain(durations[language]);
      const refused = await declare(browser, translated, { reason: '' });
      expect(refused.text).to.contain(ABSENT_TEXTS[language].wrongReason);
    }
  });

  it('keeps what the link says beside its path', async () => {
    const query = 'requestType=STUDY&name=%22%3E%3Cb%3E';
    const { browser } = await openSignedIn(link, 'demo-stranger');
    const page = await browser.open(new URL(`${viewer}?${query}&lang=de`));
    expect(formOf(page)?.action.search).to.equal(`?${query}&lang=de`);
    const fields = new URLSearchParams({ ...EMERGENCY, identifier: '299999999999945' });
    fields.set('proof', formOf(page)?.fields.get('proof') ?? '');
    const back = await browser.submit({ action: formOf(page)?.action ?? page.url, fields });
    expect([back.status, back.url.search]).to.deep.equal([404, `?${query}&lang=de&emergency=declared`]);
    expect(back.text).to.contain(ABSENT_TEXTS.de.declaredLead).and.not.contain('<b>');
    expect(formOf(back)?.action.search).to.equal(`?${query}&lang=de`);
  });

  it('offers nothing to a patient, and refuses what one posts', async () => {
    const gaetan = `${region.server.url}/viewer/${region.studies.gaetan.studyInstanceUID}`;
    const { browser, page } = await openSignedIn(gaetan, 'demo-patient');
    expect(page.status).to.equal(404);
    expect(page.text).to.contain(TEXTS.own).and.not.contain('<form').and.not.contain(TEXTS.emergency);
    const own = await browser.open(new URL(viewer));
    expect(own.status).to.equal(200);
    const before = declarations();
    const national = PATIENTS.gaetan.national;
    const answer = await declare(browser, own, { system: national.system, identifier: national.value });
    expect(answer.status).to.equal(403);
    expect((await browser.open(new URL(gaetan))).status).to.equal(404);
    expect(declarations()).to.equal(before);
  });

  it('leads who is not signed in to the sign-in, whatever is posted', async () => {
    const body = new URLSearchParams({ ...EMERGENCY, proof: 'x' });
    const answer = await fetch(link, { method: 'POST', body, redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).to.deep.equal([
      303,
      `/auth/session?to=${encodeURIComponent(new URL(link).pathname)}`,
    ]);
  });

  it('takes no form without the proof of this session, and shows nothing of what it said (CWE-352)', async () => {
    const { browser, page } = await openSignedIn(link, 'demo-stranger');
    const other = await openSignedIn(link, 'demo-stranger');
    const before = declarations();
    const foreign = formOf(other.page)?.fields.get('proof') ?? '';
    expect(foreign).to.match(/^[\w-]{43}$/);
    for (const proof of ['', foreign, 'é'.repeat(43)]) {
      const answer = await declare(browser, page, { proof });
      expect(answer.status).to.equal(403);
      expect(answer.text).to.contain(TEXTS.foreignForm).and.not.contain(JUSTIFICATION);
    }
    expect(declarations()).to.equal(before);
  });

  it('says beside each field what is wrong, keeps what was typed, and declares nothing', async () => {
    const { browser, page } = await openSignedIn(link, 'demo-stranger');
    const before = declarations();
    const wrong: readonly (readonly [string, string, string])[] = [
      ['system', '', TEXTS.wrongSystem],
      ['system', 'urn:oid:1.2.3', TEXTS.wrongSystem],
      ['identifier', '   ', 'Écrivez le numéro'],
      ['identifier', '9'.repeat(65), 'Écrivez le numéro'],
      ['identifier', '12\u0000', 'Écrivez le numéro'],
      ['reason', 'HRESCH', TEXTS.wrongReason],
      [
        'justification',
        ' trop court '.padEnd(200),
        'Écrivez une justification de 15\u00A0à 2\u202F000\u00A0caractères',
      ],
      ['justification', 'x'.repeat(2001), 'Écrivez une justification'],
      ['justification', `${JUSTIFICATION}\u0007`, 'Écrivez une justification'],
      ['confirmed', '', TEXTS.wrongConfirmed],
    ];
    for (const [field, value, text] of wrong) {
      const answer = await declare(browser, page, { [field]: value });
      expect(answer.status, `${field}=${value}`).to.equal(400);
      expect(answer.text).to.contain(`href="#${field}"`).and.contain(`id="${field}-wrong"`).and.contain(text);
      expect(answer.text.match(/-wrong"/g)).to.have.length.within(1, 2);
      expect(formOf(answer)?.fields.get('proof')).to.equal(formOf(page)?.fields.get('proof'));
    }
    const kept = await declare(browser, page, { justification: `${JUSTIFICATION} "><script>`, reason: '' });
    expect(kept.text).to.contain(`${JUSTIFICATION} &quot;>&lt;script>`).and.contain(EMERGENCY.identifier);
    expect((await declare(browser, page, { justification: 'x'.repeat(40_000) })).status).to.equal(413);
    const cookie = browser.cookiesAt(new URL(link));
    const json = await fetch(link, { method: 'POST', headers: { cookie, 'content-type': 'application/json' } });
    expect(json.status).to.equal(400);
    expect(declarations()).to.equal(before);
  });

  it('asks for a fresh sign-in before the emergency, and leads back to the form', async () => {
    const longAgo = Math.floor(Date.now() / 1000) - 400;
    const { browser, page } = await openSignedIn(link, 'demo-stranger', longAgo);
    expect(page.text).to.contain('plus de 5\u00A0minutes').and.not.contain('<form');
    const old = await openSignedIn(viewer, 'demo-declared', longAgo);
    const before = declarations();
    const refused = await declare(old.browser, old.page);
    expect([refused.status, refused.text.includes('plus de 5\u00A0minutes')]).to.deep.equal([403, true]);
    expect(declarations()).to.equal(before);
    const again = /href="(\/auth\/session\?prompt=login&amp;to=[^"]+)"/.exec(page.text)?.[1] ?? '';
    const signIn = new URL(again.replaceAll('&amp;', '&'), link);
    const asked = await browser.open(signIn, (url) => url.searchParams.has('nonce'));
    expect(asked.url.searchParams.get('prompt')).to.equal('login');
    const chooser = await browser.open(asked.url);
    const back = await signInAt(browser, chooser, 'demo-stranger');
    expect([back.url.href, back.status]).to.deep.equal([link, 404]);
    expect(formOf(back)?.fields.get('proof')).to.match(/^[\w-]{43}$/);
  });

  it('answers the same to a wrong patient, an unknown one and one who has withdrawn', async () => {
    const { browser, page } = await openSignedIn(link, 'demo-stranger');
    const wrong = await declare(browser, page, { identifier: PATIENTS.gaetan.national.value });
    const unknown = await declare(browser, page, { identifier: '299999999999945' });
    expect((await region.patient.send('POST', 'Patient/$withdraw')).status).to.equal(201);
    const withdrawn = await declare(browser, page);
    expect((await region.patient.send('POST', 'Patient/$reconsent')).status).to.equal(201);
    expect(wrong.status).to.equal(404);
    expect(wrong.text).to.contain(TEXTS.declaredLead);
    for (const other of [unknown, withdrawn]) expect(comparable(other)).to.equal(comparable(wrong));
    expect(withdrawn.text).to.not.contain(PATIENTS.helene.national.value).and.not.contain(JUSTIFICATION);
  });
});

describe('An emergency that is declared at the address of an exam', () => {
  let region: Demonstration;
  let link: string;
  let browser: Browser;
  let opened: Visit;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
    const [study] = await region.patient.find(`ImagingStudy?${byStudyUid(region.studies.helene)}`);
    link = `${region.server.url}/voir/${study?.id ?? ''}`;
    const arrival = await openSignedIn(link, 'demo-stranger');
    browser = arrival.browser;
    const grouped = PATIENTS.helene.national.value.replace(/(.)(..)(..)(.*)/, '$1 $2 $3\u00A0$4');
    const proof = formOf(arrival.page)?.fields.get('proof') ?? '';
    const fields = new URLSearchParams({ ...EMERGENCY, identifier: grouped, reason: 'BTG', proof });
    opened = await browser.submit({ action: new URL(link), fields });
  });
  after(async () => await region?.server.stop());

  it('leads back to the address, which then shows the exam', async () => {
    expect([opened.status, opened.url.pathname]).to.deep.equal([200, new URL(link).pathname]);
    expect(opened.text).to.contain(PATIENTS.helene.familyName);
    expect((await browser.open(new URL(link))).status).to.equal(200);
  });

  it('is in the patient’s history with its purpose, and so is the exam that was opened by it', async () => {
    const [start, ...others] = await eventsOf(region.patient, '110127');
    expect(others).to.deep.equal([]);
    expect(JSON.stringify(start?.purposeOfEvent)).to.include('"BTG"');
    expect(JSON.stringify(start?.agent)).to.include('Practitioner/demo-stranger');
    const [notice] = await region.patient.find<Communication>('Communication');
    const consent = notice?.about?.[0]?.reference ?? expect.fail('The patient is not told');
    const views = (await region.patient.find<AuditEvent>('AuditEvent?subtype=RAD-106')).map((event) =>
      JSON.stringify(event),
    );
    expect(views.filter((view) => view.includes('demo-stranger') && view.includes(consent))).to.have.length(2);
  });

  it('is reviewed: a task holds the justification and the reason', () => {
    const [task, ...others] = storedRows(region.server.dataDir, 'Task');
    expect(others).to.deep.equal([]);
    expect(task).to.deep.include({ status: 'requested', description: JUSTIFICATION });
    expect(JSON.stringify(task)).to.include('"BTG"').and.include('Practitioner/demo-stranger');
    expect(chainedBodies(region.server.dataDir, JUSTIFICATION)).to.deep.equal([]);
  });

  it('shows nothing any more once the patient has withdrawn', async () => {
    expect((await region.patient.send('POST', 'Patient/$withdraw')).status).to.equal(201);
    const page = await browser.open(new URL(link));
    expect(page.status).to.equal(404);
    expect(page.text).to.contain(TEXTS.title).and.not.contain(PATIENTS.helene.familyName);
  });
});
