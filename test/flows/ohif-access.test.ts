/**
 * OHIF is opened by who may see the study, and its DICOMweb answers for that study alone: to the session that opened
 * it, as long as it and the right of its person last.
 */
import { expect } from 'chai';
import { Browser, formOf } from '../../fixtures/browser.ts';
import type { AuditEvent, Consent } from '@medplum/fhirtypes';
import { OHIF_ROOT } from '../../server/runtime/ohif-package.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { BUNDLE, installSmallOhif } from '../support/ohif-archive.ts';

const JSON_TYPE = 'application/dicom+json';

describe('OHIF on one study', function () {
  this.timeout(60_000);
  let region: Demonstration;
  let small: Awaited<ReturnType<typeof installSmallOhif>>;
  let [shown, other]: string[] = [];

  before(async () => {
    small = await installSmallOhif();
    region = await startDemonstration({ env: { OHIF: small.folder } });
    [shown, other] = [region.studies.helene.studyInstanceUID, region.studies.heleneNancy.studyInstanceUID];
  });

  after(async () => {
    await region?.server.stop();
    await small?.remove();
  });

  const at = (path: string): URL => new URL(path, region.server.url);
  const pageOf = (study = ''): string => `/viewer/${study}/ohif/viewer?StudyInstanceUIDs=${study}`;
  const dicomweb = (study = ''): string => `/viewer/${study}/ohif/dicom-web`;

  /** A browser in which a person has opened an address, and what it showed. */
  async function opened(path: string, person = 'demo-declared') {
    const browser = new Browser();
    const chooser = formOf(await browser.open(at(path)));
    if (chooser === undefined) throw new Error('Nobody is asked to sign in');
    chooser.fields.set('login', person);
    return { browser, visit: await browser.submit(chooser) };
  }

  async function ask(path: string, cookie: string, headers: Record<string, string> = {}) {
    const answer = await fetch(at(path), { headers: { accept: '*/*', cookie, ...headers } });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  async function askIn(browser: Browser, path: string, headers?: Record<string, string>) {
    return await ask(path, browser.cookiesAt(at(path)), headers);
  }

  it('leads through the sign-in to its page, which holds no secret and may ask for this study alone', async () => {
    const { browser, visit } = await opened(`/ohif/viewer?StudyInstanceUIDs=${shown}`);
    expect([visit.status, visit.url.pathname + visit.url.search]).to.deep.equal([200, pageOf(shown)]);
    const [pass = ''] = visit.headers.getSetCookie();
    expect(pass).to.match(
      new RegExp(`^passerelle-study=[\\w-]{43}; Path=${dicomweb(shown)}; Max-Age=3600; HttpOnly; SameSite=Strict$`),
    );
    const value = pass.slice('passerelle-study='.length, pass.indexOf(';'));
    const session = /passerelle-session=([\w-]+)/.exec(browser.cookiesAt(at('/')))?.[1] ?? 'none';
    for (const secret of [value, session]) expect(visit.text).not.to.include(secret);
    const policy = new Map(
      (visit.headers.get('content-security-policy') ?? '').split('; ').map((directive) => {
        const [name = '', ...sources] = directive.split(' ');
        return [name, sources.map((source) => source.replace(region.server.url, ''))];
      }),
    );
    expect(policy.get('default-src')).to.deep.equal(["'none'"]);
    expect(policy.get('connect-src')).to.deep.equal([OHIF_ROOT, `${dicomweb(shown)}/`, 'blob:', 'data:']);
    expect(policy.get('script-src')).to.include("'wasm-unsafe-eval'").and.not.include("'unsafe-inline'");
    expect(policy.get('script-src')).not.to.include("'unsafe-eval'");
    expect(policy.get('frame-ancestors')).to.deep.equal(["'none'"]);
    expect(visit.text).to.include(`src="${OHIF_ROOT}${BUNDLE}"`);
    expect(visit.text).not.to.match(/<script(?![^>]* src=)/);
  });

  it('reads all of the study, and writes nothing', async () => {
    const { browser } = await opened(pageOf(shown));
    const root = dicomweb(shown);
    const json = async (path: string): Promise<readonly Record<string, { Value?: unknown[] }>[]> => {
      const { status, text } = await askIn(browser, `${root}${path}`, { accept: JSON_TYPE });
      expect(status, text).to.equal(200);
      return JSON.parse(text) as readonly Record<string, { Value?: unknown[] }>[];
    };
    const list = 'limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060';
    for (const query of [`${list}&StudyInstanceUID=${shown}`, `00100020=*&${list}`, list]) {
      const found = await json(`/studies?${query}`);
      expect(found.map((match) => match['0020000D']?.Value)).to.deep.equal([[shown]]);
    }
    const [series] = await json(`/studies/${shown}/series?includefield=00080021`);
    const place = `/studies/${shown}/series/${String(series?.['0020000E']?.Value?.[0])}`;
    const [instance] = await json(`${place}/metadata`);
    const image = `${place}/instances/${String(instance?.['00080018']?.Value?.[0])}`;
    expect(await json(`${place}/instances`)).to.have.length(region.studies.helene.instanceCount);
    for (const path of [`${image}/frames/1`, `${image}/thumbnail?accept=image/jpeg`, `${image}/rendered`, image])
      expect((await askIn(browser, `${root}${path}`)).status, path).to.equal(200);
    const cookie = browser.cookiesAt(at(`${root}/studies`));
    const posted = await fetch(at(`${root}/studies`), { method: 'POST', headers: { cookie }, body: 'x' });
    expect(posted.status).to.equal(404);
  });

  it('gives nothing of another study, nor without the pass, nor to another session', async () => {
    const { browser } = await opened(pageOf(shown));
    const { browser: second } = await opened('/viewer/1.2.3');
    const cookies = browser.cookiesAt(at(`${dicomweb(shown)}/studies`));
    const pass = /passerelle-study=[\w-]+/.exec(cookies)?.[0] ?? '';
    const session = /passerelle-session=[\w-]+/.exec(cookies)?.[0] ?? '';
    const ofSecond = second.cookiesAt(at('/'));
    expect((await ask(`${dicomweb(shown)}/studies`, cookies)).status).to.equal(200);
    const tries: readonly (readonly [string, string])[] = [
      [`${dicomweb(other)}/studies`, cookies],
      [`${dicomweb(other)}/studies/${other}/series`, cookies],
      [`${dicomweb(shown)}/studies/${other}/series`, cookies],
      [`${dicomweb(shown)}/studies/${other}/metadata`, cookies],
      [`${dicomweb(shown)}/studies?StudyInstanceUID=${other}`, cookies],
      [`${dicomweb(shown)}/studies?StudyInstanceUID=${shown}%5C${other}`, cookies],
      [`${dicomweb(shown)}/studies?0020000d=${other}`, cookies],
      [`${dicomweb(shown)}/studies?StudyInstanceUID=${shown}&StudyInstanceUID=${other}`, cookies],
      [`${dicomweb(shown)}/series`, cookies],
      [`${dicomweb(shown)}/studies`, session],
      [`${dicomweb(shown)}/studies`, pass],
      [`${dicomweb(shown)}/studies`, `${pass}; ${ofSecond}`],
      [`${dicomweb(shown)}/studies`, `${session}; passerelle-study=`],
      [`${dicomweb('1.2.3')}/studies`, cookies],
    ];
    const texts = new Set<string>();
    for (const [path, cookie] of tries) {
      const { status, text } = await ask(path, cookie);
      expect(status, `${path} ${cookie}`).to.equal(404);
      texts.add(text);
    }
    const { token } = region.declared;
    const byToken = await ask(`${dicomweb(shown)}/studies`, '', { authorization: `Bearer ${token}` });
    expect(byToken.status).to.equal(404);
    expect((await ask(`${dicomweb(shown)}/studies`, '')).text).to.equal(byToken.text);
    expect([...texts].filter((text) => !/No such study|Nothing is served/.test(text))).to.deep.equal([]);
  });

  it('is absent for a stranger, as a study that is not there', async () => {
    const { browser, visit } = await opened(pageOf(shown), 'demo-stranger');
    expect([visit.status, visit.headers.getSetCookie()]).to.deep.equal([404, []]);
    const unknown = await browser.open(at(pageOf('1.2.3')));
    expect([unknown.status, unknown.text]).to.deep.equal([404, visit.text]);
    expect((await askIn(browser, `${dicomweb(shown)}/studies`)).status).to.equal(404);
  });

  it('ends with the session', async () => {
    const { browser, visit } = await opened(`/viewer/${shown}`);
    expect(visit.text).to.include(`href="/viewer/${shown}/ohif"`);
    expect((await browser.open(at(`/viewer/${shown}/ohif`))).url.href).to.equal(at(pageOf(shown)).href);
    const cookies = browser.cookiesAt(at(`${dicomweb(shown)}/studies`));
    expect((await ask(`${dicomweb(shown)}/studies`, cookies)).status).to.equal(200);
    const signOut = formOf(await browser.open(at(`/viewer/${shown}`)));
    if (signOut === undefined) throw new Error('The page has no way to sign out');
    await browser.submit(signOut);
    expect((await askIn(browser, `${dicomweb(shown)}/studies`)).status, 'the browser').to.equal(404);
    expect((await ask(`${dicomweb(shown)}/studies`, cookies)).status, 'kept cookies').to.equal(401);
  });

  it('is one line of the history for each opening, and ends with the right of its person', async () => {
    const openings = async (): Promise<number> =>
      (await region.patient.find<AuditEvent>('AuditEvent?subtype=RAD-106&_count=200')).length;
    const before = await openings();
    const { browser } = await opened(pageOf(shown));
    expect(await openings()).to.equal(before + 1);
    const [consent] = await region.strasbourg.find<Consent>('Consent');
    const ended = await region.strasbourg.send('PUT', `Consent/${consent?.id}`, { ...consent, status: 'inactive' });
    expect(ended.status, ended.text).to.equal(200);
    expect((await askIn(browser, `${dicomweb(shown)}/studies/${shown}/metadata`)).status).to.equal(404);
    expect((await askIn(browser, `${dicomweb(shown)}/studies`)).text).to.equal('[]');
    expect((await browser.open(at(pageOf(shown)))).status).to.equal(404);
  });
});

describe('Without OHIF', function () {
  this.timeout(60_000);

  it('the page of an exam does not offer it, and nothing is at its addresses', async () => {
    const region = await startDemonstration({ env: { OHIF: '/nowhere' } });
    try {
      const browser = new Browser();
      const exam = `/viewer/${region.studies.helene.studyInstanceUID}`;
      const chooser = formOf(await browser.open(new URL(exam, region.server.url)));
      if (chooser === undefined) throw new Error('Nobody is asked to sign in');
      chooser.fields.set('login', 'demo-declared');
      const { status, text } = await browser.submit(chooser);
      expect(status).to.equal(200);
      expect(text).not.to.match(/href="[^"]*ohif/i);
      for (const path of [
        `${exam}/ohif`,
        `${exam}/ohif/viewer`,
        `${exam}/ohif/dicom-web/studies`,
        `${OHIF_ROOT}${BUNDLE}`,
      ])
        expect((await browser.open(new URL(path, region.server.url))).status, path).to.equal(404);
    } finally {
      await region.server.stop();
    }
  });
});
