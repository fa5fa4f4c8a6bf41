/**
 * Invoke Image Display (RAD-106): links of records and reports, followed by browsers of several persons. A link names
 * exams and holds no right: what is found is what its reader may see, and what is hidden is as what does not exist.
 */
import { randomUUID } from 'node:crypto';
import type { AuditEvent, Bundle, DocumentReference, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { Browser, formOf, readableText, type Visit } from '../../fixtures/browser.ts';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { uidOf } from '../../fixtures/dicom/uid.ts';
import { patientIdentifier } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { oidOf } from '../../profiles/codes.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
import { byStudyUid, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { openTrail, type TrailReader } from './support/trail.ts';

const PATH = '/IHEInvokeImageDisplay';
const ABSENT = 'Examen introuvable';
const STRASBOURG = ESTABLISHMENTS.strasbourg;

/** An answer of the door, and the request that its events name. */
type Answer = {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
  readonly headers: Headers;
  readonly requestId: string;
};

type Person = 'demo-declared' | 'demo-stranger' | 'demo-patient';

for (const store of ['SQLite', 'MongoDB'] as const)
  describe(`Invoke Image Display (RAD-106), on ${store}`, function () {
    this.timeout(60_000);
    let peer: MongoPeer | undefined;
    let uri = '';
    let region: Demonstration;
    let trail: TrailReader;
    /** An exam of Hélène whose report nobody has validated. */
    let unvalidated: DemoStudy;
    const browsers = new Map<Person, Browser>();

    before(async function () {
      if (store === 'MongoDB' && whyNoMongoPeer() !== undefined) this.skip();
      peer = store === 'MongoDB' ? await startMongoPeer() : undefined;
      uri = peer?.freshUri() ?? 'sqlite';
      region = await startDemonstration({ store: uri });
      trail = await openTrail(uri, region.server.dataDir);
      unvalidated = aStudy({ key: 'flow/unvalidated', patient: PATIENTS.helene, started: '2026-03-01T08:00:00' });
      await sendStudy(region.server, unvalidated);
      const bundle = asPreliminary(await buildReportBundle(unvalidated, reportTextOf('ct-thorax')));
      expect((await region.strasbourg.send('POST', '', bundle)).status).to.equal(200);
      await eventually(async () => (await region.strasbourg.find(`ImagingStudy?${byStudyUid(unvalidated)}`))[0]);
      for (const person of ['demo-declared', 'demo-stranger', 'demo-patient'] as const) {
        const browser = new Browser();
        await signIn(browser, await browser.open(new URL('/auth/session?to=/', region.server.url)), person);
        browsers.set(person, browser);
      }
    });

    after(async () => {
      await trail?.close();
      await region?.server.stop();
      await peer?.stop(uri);
    });

    async function signIn(browser: Browser, chooser: Visit, person: Person): Promise<Visit> {
      const form = formOf(chooser) ?? expect.fail(`No choice of a person: ${readableText(chooser.text)}`);
      form.fields.set('login', person);
      return await browser.submit(form);
    }

    async function ask(person: Person | undefined, query: string, language = 'fr'): Promise<Answer> {
      const url = new URL(`${PATH}?${query}`, region.server.url);
      const browser = person === undefined ? undefined : browsers.get(person);
      const requestId = randomUUID();
      const response = await fetch(url, {
        redirect: 'manual',
        headers: {
          accept: 'text/html',
          'accept-language': language,
          'x-request-id': requestId,
          cookie: browser?.cookiesAt(url) ?? '',
        },
      });
      const { status, headers } = response;
      return { status, headers, location: headers.get('location'), text: await response.text(), requestId };
    }

    /** What an answer says to whom it matters what exists: all but the request, its address, and the moment. */
    function sayingOf({ status, text, headers }: Answer): unknown {
      const told = [...headers].filter(([name]) => !['x-request-id', 'date', 'content-length'].includes(name));
      const said = text.replaceAll(/(href|action)="\/(IHEInvokeImageDisplay|auth\/session)[^"]*"/g, '$1');
      return { status, said, told };
    }

    async function expectAbsent(person: Person, query: string): Promise<void> {
      const unknown = await ask(person, `requestType=STUDY&studyUID=${uidOf('nowhere')}`);
      const answer = await ask(person, query);
      expect(answer.status, query).to.equal(404);
      expect(answer.text).to.include(ABSENT);
      expect(sayingOf(answer), query).to.deep.equal(sayingOf(unknown));
    }

    async function expectOpened(person: Person, query: string, { studyInstanceUID }: DemoStudy): Promise<void> {
      const { status, location, headers } = await ask(person, query);
      expect([status, location], query).to.deep.equal([303, `/viewer/${studyInstanceUID}`]);
      expect(headers.get('cache-control')).to.equal('no-store');
    }

    /** The exams that a page offers, in order. */
    function offered({ status, text }: Answer): readonly (string | undefined)[] {
      expect(status, text).to.equal(200);
      return [...text.matchAll(/href="\/viewer\/([\d.]+)"/g)].map(([, uid]) => uid);
    }

    const byUID = ({ studyInstanceUID }: DemoStudy): string => `requestType=STUDY&studyUID=${studyInstanceUID}`;
    const ofHelene = (more = ''): string => {
      const { system, value } = PATIENTS.helene.national;
      return `requestType=PATIENT&patientID=${encodeURIComponent(`${value}^^^&${oidOf(system)}&ISO`)}${more}`;
    };
    /** The id that Strasbourg gave the report of an exam, as its system and value. */
    const reportOf = ({ accessionNumber }: DemoStudy): string =>
      encodeURIComponent(`${uidOf('reports of strasbourg')}^CR-${accessionNumber}`);

    it('opens the one exam that a link names: by UID, by accession number, as French reports do', async () => {
      const { helene } = region.studies;
      const { accessionNumber } = helene;
      const issued = `${STRASBOURG.accessionDomain}.${accessionNumber}`;
      for (const query of [
        byUID(helene),
        `${byUID(helene)}&viewerType=IHE_BIR&diagnosticQuality=false&keyImagesOnly=false&lang=de`,
        `requestType=STUDY&accessionNumber=${accessionNumber}`,
        `${byUID(helene)}&Accessionnumber=${issued}&idCDA=${reportOf(helene)}`,
      ])
        await expectOpened('demo-declared', query, helene);
      await expectAbsent(
        'demo-declared',
        `requestType=STUDY&accessionNumber=${ESTABLISHMENTS.nancy.accessionDomain}.1`,
      );
      await expectAbsent(
        'demo-declared',
        `${byUID(helene)}&accessionNumber=${region.studies.heleneNancy.accessionNumber}`,
      );
    });

    it('is not needed where a study or a document of it is found: each leads to the viewer by itself', async () => {
      const { helene } = region.studies;
      const [study] = await region.declared.find<ImagingStudy>(`ImagingStudy?${byStudyUid(helene)}`);
      const uid = `urn:dicom:uid|urn:oid:${helene.studyInstanceUID}`;
      const documents = await eventually(async () => {
        const query = `DocumentReference?related:identifier=${uid}&status=current`;
        const found = await region.declared.find<DocumentReference>(query);
        return found.length === 2 ? found : undefined;
      });
      const lasting = `${region.server.url}/voir/${study?.id}`;
      for (const one of [study, ...documents]) expect(viewersWithin(one), one?.resourceType).to.deep.equal([lasting]);
      const url = new URL(lasting);
      const cookie = browsers.get('demo-declared')?.cookiesAt(url) ?? '';
      const response = await fetch(url, { redirect: 'manual', headers: { accept: 'text/html', cookie } });
      expect(response.status).to.equal(200);
      expect(await response.text()).to.include(`/viewer/${helene.studyInstanceUID}/series/`);
    });

    it('asks that the report on file has the id that a link gives, and shows nothing more for it', async () => {
      const { helene, heleneNancy } = region.studies;
      const documents = await region.strasbourg.find<DocumentReference>(
        'DocumentReference?status=current&type=18748-4',
      );
      const document = documents.find(
        ({ content, context }) =>
          content[0]?.attachment.contentType === 'application/pdf' &&
          JSON.stringify(context).includes(helene.studyInstanceUID),
      );
      const uniqueId = oidOf(document?.masterIdentifier?.value) ?? '';
      for (const id of [reportOf(helene), `CR-${helene.accessionNumber}`, uniqueId])
        await expectOpened('demo-declared', `${byUID(helene)}&idCDA=${id}`, helene);
      for (const id of [reportOf(heleneNancy), `CR-${heleneNancy.accessionNumber}`, uidOf('no report'), 'CR-'])
        await expectAbsent('demo-declared', `${byUID(helene)}&idCDA=${id}`);
      await expectAbsent('demo-stranger', `${byUID(helene)}&idCDA=${reportOf(helene)}`);
    });

    it('offers several exams, the latest first, as many as are asked for, and opens one of them', async () => {
      const { helene, heleneNancy } = region.studies;
      const all = [unvalidated, helene, heleneNancy].map(({ studyInstanceUID }) => studyInstanceUID);
      const page = await ask('demo-declared', ofHelene());
      expect(offered(page)).to.deep.equal(all);
      expect(readableText(page.text)).to.match(/Examen de contrôle \S+ Valbrémont · 15 janvier 2026 · CT/);
      expect(offered(await ask('demo-declared', ofHelene('&mostRecentResults=2')))).to.deep.equal(all.slice(0, 2));
      await expectOpened('demo-declared', ofHelene('&mostRecentResults=1'), unvalidated);
      await expectOpened('demo-declared', ofHelene('&modalitiesInStudy=CR'), heleneNancy);
      const { system, value } = patientIdentifier(PATIENTS.helene, ESTABLISHMENTS.nancy);
      const local = encodeURIComponent(`${value}^^^&${oidOf(system)}&ISO`);
      // She is one person, by whichever number.
      expect(offered(await ask('demo-declared', `requestType=PATIENT&patientID=${local}`))).to.deep.equal(all);
      const named = await ask('demo-declared', `${byUID(helene)},${uidOf('nowhere')},${heleneNancy.studyInstanceUID}`);
      expect(offered(named)).to.deep.equal(all.slice(1));
    });

    it('bounds exams by their beginning: moments, and days of the region', async () => {
      const { helene, heleneNancy } = region.studies;
      // The exam began at 09:30 in Strasbourg.
      await expectOpened('demo-declared', ofHelene('&lowerDateTime=2026-01-15&upperDateTime=2026-01-15'), helene);
      const within = '&lowerDateTime=2026-01-15T08:30:00Z&upperDateTime=2026-01-15T09:30:00';
      await expectOpened('demo-declared', ofHelene(within), helene);
      await expectOpened('demo-declared', ofHelene('&upperDateTime=2026-01-15T09:29:59'), heleneNancy);
      await expectOpened('demo-declared', ofHelene('&lowerDateTime=2026-01-15T09:30:01%2B01:00'), unvalidated);
      await expectAbsent('demo-declared', ofHelene('&upperDateTime=2024-12-31'));
    });

    it('knows no patient of a domain that is unknown, and none whom the reader may not see', async () => {
      const { value } = PATIENTS.helene.national;
      await expectAbsent('demo-declared', `requestType=PATIENT&patientID=${value}^^^%261.2.3.4%26ISO`);
      const gaetan = patientIdentifier(PATIENTS.gaetan, STRASBOURG);
      const id = encodeURIComponent(`${gaetan.value}^^^&${oidOf(gaetan.system)}&ISO`);
      await expectAbsent('demo-declared', `requestType=PATIENT&patientID=${id}`);
      const many = Array.from({ length: 20 }, (_, at) => `1.2.${at}`).join(',');
      await expectAbsent('demo-declared', `requestType=STUDY&studyUID=${many}&accessionNumber=${many}&idCDA=1.2`);
    });

    it('leads who is not signed in to do so, and back to the whole link', async () => {
      const { helene } = region.studies;
      const query = `${byUID(helene)}&accessionNumber=${helene.accessionNumber}&idCDA=${reportOf(helene)}`;
      const { status, location } = await ask(undefined, query);
      expect([status, location]).to.deep.equal([303, `/auth/session?to=${encodeURIComponent(`${PATH}?${query}`)}`]);
      const browser = new Browser();
      const chooser = await browser.open(new URL(`${PATH}?${query}`, region.server.url));
      expect(chooser.text).to.not.include(helene.studyInstanceUID);
      const end = await signIn(browser, chooser, 'demo-declared');
      expect([end.status, end.url.pathname]).to.deep.equal([200, `/viewer/${helene.studyInstanceUID}`]);
    });

    it('shows a stranger nothing, whatever the link knows, and no count', async () => {
      const { helene, heleneNancy } = region.studies;
      for (const query of [
        byUID(helene),
        `${byUID(helene)},${heleneNancy.studyInstanceUID}`,
        `requestType=STUDY&accessionNumber=${helene.accessionNumber}`,
        ofHelene(),
        ofHelene('&mostRecentResults=1'),
      ])
        await expectAbsent('demo-stranger', query);
    });

    it('shows the patient her exams, but the one whose report is not validated', async () => {
      const { helene, heleneNancy, gaetan } = region.studies;
      const own = [helene, heleneNancy].map(({ studyInstanceUID }) => studyInstanceUID);
      expect(offered(await ask('demo-patient', ofHelene()))).to.deep.equal(own);
      await expectAbsent('demo-patient', byUID(unvalidated));
      await expectAbsent('demo-patient', `${byUID(unvalidated)}&idCDA=${reportOf(unvalidated)}`);
      await expectAbsent('demo-patient', byUID(gaetan));
      // Whom she declared may open the exam, and does not know of a report that nobody has validated.
      await expectOpened('demo-declared', byUID(unvalidated), unvalidated);
      await expectAbsent('demo-declared', `${byUID(unvalidated)}&idCDA=${reportOf(unvalidated)}`);
    });

    it('is one line of the history of the patient whose exam is found, and of nobody’s where nothing is', async () => {
      const { helene } = region.studies;
      const { requestId } = await ask('demo-declared', byUID(helene));
      const [line, ...others] = await trail.eventsOf(requestId);
      expect(others).to.deep.equal([]);
      const told = line?.event ?? expect.fail('Nothing was recorded');
      expect([told.type.code, told.subtype?.[0]?.code, told.outcome]).to.deep.equal(['110112', 'RAD-106', '0']);
      expect(told.agent.map(({ who }) => who?.reference)).to.include('Practitioner/demo-declared');
      expect(told.entity?.find(({ role }) => role?.code === '1')?.what?.reference).to.match(/^Patient\//);
      expect(queryOf(told)).to.equal(byUID(helene));
      const history = await region.patient.find<AuditEvent>('AuditEvent?subtype=RAD-106&_count=100');
      expect(history.map(({ id }) => id)).to.include(told.id);
      const hidden = await ask('demo-stranger', ofHelene());
      const [unseen, ...further] = await trail.eventsOf(hidden.requestId);
      expect([further.length, unseen?.persons]).to.deep.equal([0, []]);
      expect(unseen?.event.entity?.find(({ role }) => role?.code === '24')?.detail).to.equal(undefined);
    });

    it('explains a link that it does not understand, to anybody, and names the parameter', async () => {
      const { helene } = region.studies;
      const refused: readonly (readonly [query: string, status: number, name: string])[] = [
        ['', 400, 'requestType'],
        ['requestType=SERIES', 400, 'requestType'],
        ['requestType=STUDY', 400, 'studyUID'],
        ['requestType=STUDY&studyUID=1.2.3%3Cscript%3E', 400, 'studyUID'],
        [`${byUID(helene)}&studyUID=1.2`, 400, 'studyUID'],
        [`${byUID(helene)}&accessionNumber=${'A'.repeat(10_000)}`, 400, 'accessionNumber'],
        [`${byUID(helene)}&%3Cscript%3E=1`, 400, '?script?'],
        [`${byUID(helene)}&access_token=x`, 400, 'access_token'],
        [ofHelene('&lowerDateTime=2026-02-30'), 400, 'lowerDateTime'],
        [ofHelene('&upperDateTime=0000-00-00T99:99:99'), 400, 'upperDateTime'],
        [ofHelene('&mostRecentResults=-1'), 400, 'mostRecentResults'],
        ['requestType=PATIENT&patientID=%00', 400, 'patientID'],
        [`requestType=PATIENT&patientID=${'^'.repeat(1_000)}`, 400, 'patientID'],
        [`${byUID(helene)}&diagnosticQuality=true`, 406, 'diagnosticQuality'],
        [`${byUID(helene)}&keyImagesOnly=true`, 406, 'keyImagesOnly'],
        [`${byUID(helene)}&viewerType=OHIF`, 406, 'viewerType'],
      ];
      for (const [query, status, name] of refused)
        for (const person of [undefined, 'demo-declared'] as const) {
          const answer = await ask(person, query);
          expect(answer.status, query.slice(0, 100)).to.equal(status);
          const text = readableText(answer.text);
          expect(text).to.include('Ce lien ne peut pas être ouvert').and.include(`« ${name} »`);
          expect(answer.text).to.not.include('script>');
          expect(answer.headers.get('content-security-policy')).to.include("default-src 'none'");
        }
      const german = await ask(undefined, `${byUID(helene)}&diagnosticQuality=true`, 'de');
      expect(readableText(german.text)).to.include('zur Befundung');
      const english = await ask(undefined, `${byUID(helene)}&diagnosticQuality=true&lang=en`, 'de');
      expect(readableText(english.text)).to.include('not for diagnosis');
      // Lines of the log are JSON; Node itself says others.
      expect(
        region.server
          .log()
          .split('\n')
          .filter((line) => line.startsWith('{')),
      ).to.deep.equal([]);
    });

    it('shows professionals nothing once the patient has withdrawn, and the patient still her own', async () => {
      const { helene, heleneNancy } = region.studies;
      expect((await region.patient.send('POST', 'Patient/$withdraw')).status).to.equal(201);
      for (const query of [
        byUID(helene),
        `requestType=STUDY&accessionNumber=${helene.accessionNumber}`,
        `${byUID(helene)}&idCDA=${reportOf(helene)}`,
        ofHelene(),
      ])
        await expectAbsent('demo-declared', query);
      const own = [helene, heleneNancy].map(({ studyInstanceUID }) => studyInstanceUID);
      expect(offered(await ask('demo-patient', ofHelene()))).to.deep.equal(own);
    });
  });

function asPreliminary({ entry = [], ...bundle }: Bundle): Bundle {
  return {
    ...bundle,
    entry: entry.map(({ resource, ...rest }) => ({
      ...rest,
      ...(resource !== undefined && {
        resource: resource.resourceType === 'DiagnosticReport' ? { ...resource, status: 'preliminary' } : resource,
      }),
    })),
  };
}

/** The addresses of the Endpoints for browsers within a resource. */
function viewersWithin(resource: ImagingStudy | DocumentReference | undefined): readonly (string | undefined)[] {
  return (resource?.contained ?? []).flatMap((one) =>
    one.resourceType === 'Endpoint' && one.payloadMimeType?.includes('text/html') === true ? [one.address] : [],
  );
}

/** What an event says that was asked for. */
function queryOf({ entity = [] }: AuditEvent): string {
  return Buffer.from(entity.find(({ role }) => role?.code === '24')?.query ?? '', 'base64').toString();
}
