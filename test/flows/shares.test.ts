/**
 * Shares by e-mail (access.md and 3; smart-security.md E08 to E11): what `$share` and `$revoke-share` write,
 * whom they mail, and what ends a share. What its link shows is test/contract/shares.contract.ts.
 */
import { expect } from 'chai';
import type { AuditEvent, Communication, Consent, ImagingStudy, ParametersParameter } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { byStudyUid, fillDemonstration, type Demonstration } from '../support/demonstration.ts';
import { eventually, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startMailServer, type MailServer, type TakenMail } from '../support/peers/mail-server.ts';
import { onEachStore } from './support/each-store.ts';

const TEMPORARY = 'urn:passerelle:CodeSystem:temporary-access';
const SHARES = `Consent?category=${TEMPORARY}|share`;
const DAY_MS = 86_400_000;
const fromNow = (ms: number): string => new Date(Date.now() + ms).toISOString();

/** Before anything runs: the address of the mail server is in the server's environment. */
const env: { MAIL_URL: string; MAIL_FROM: string } = { MAIL_URL: '', MAIL_FROM: 'avis@region.example' };

const email = (valueString: string): ParametersParameter => ({ name: 'email', valueString });
const REASON: ParametersParameter = { name: 'reason', valueString: 'Deuxième avis' };

describe('Shares by e-mail', () => {
  let mail: MailServer;
  before(async () => {
    mail = await startMailServer();
    env.MAIL_URL = mail.url;
  });
  after(async () => await mail?.close());

  const mailsTo = (address: string): readonly TakenMail[] =>
    mail.mails.filter(({ envelope }) => envelope.includes(address));
  const mailed = async (address: string, count: number): Promise<readonly TakenMail[]> =>
    await eventually(async () => {
      const taken = mailsTo(address);
      return taken.length >= count ? taken : undefined;
    });

  onEachStore('$share and $revoke-share', { env }, (running, store) => {
    let region: Demonstration;
    let exam: string;
    before(async function () {
      this.timeout(120_000);
      region = await fillDemonstration(running().server);
      const { id } = await region.patient.findOne<ImagingStudy>(`ImagingStudy?${byStudyUid(region.studies.helene)}`);
      exam = `ImagingStudy/${id}`;
    });

    const share = async (
      by: FhirCaller,
      item: string,
      ...parameter: readonly ParametersParameter[]
    ): Promise<FhirAnswer> => await by.send('POST', `${item}/$share`, { resourceType: 'Parameters', parameter });
    const shared = async (...parameter: readonly ParametersParameter[]): Promise<string> => {
      const answer = await share(region.patient, exam, ...parameter);
      expect(answer.status, answer.text).to.equal(201);
      return answer.headers.get('location')?.replace(/.*\/fhir\//, '') ?? '';
    };
    const read = async (reference: string): Promise<Consent> => (await region.patient.get(reference)).json<Consent>();
    const address = (name: string): string => `${name}.${store.toLowerCase()}@example.org`;

    it('the share is a Consent that the patient alone reads and finds, with its end, uses and download', async () => {
      const to = address('friend');
      const end = fromNow(3 * DAY_MS);
      const uses: ParametersParameter = { name: 'uses', valuePositiveInt: 3 };
      const reference = await shared(email(to), REASON, { name: 'end', valueDateTime: end }, uses);
      const consent = await read(reference);
      expect(consent.provision?.period?.end).to.equal(end);
      expect(consent.provision?.data?.[0]?.reference.reference).to.equal(exam);
      const said = Object.fromEntries(
        (consent.extension ?? []).map(({ url, ...value }) => [url.replace(/.*-/, ''), Object.values(value)[0]]),
      );
      expect(said).to.deep.equal({ reason: 'Deuxième avis', uses: 3, download: false });
      expect(await region.patient.find<Consent>(SHARES)).to.have.length(1);
      for (const other of [region.strasbourg, region.declared, region.stranger]) {
        expect((await other.get(reference)).status).to.equal(404);
        expect(await other.find<Consent>(SHARES)).to.deep.equal([]);
      }
      const events = await region.patient.find<AuditEvent>(`AuditEvent?entity=${reference}`);
      const made = events.map(({ entity }) => JSON.stringify(entity)).filter((text) => text.includes('"share"'));
      expect(made).to.have.length(1);
      expect(made[0]).to.include(exam);
      const notice = await eventually(async () => {
        const all = await region.patient.find<Communication>('Communication');
        return all.find(({ about = [] }) => about.some((one) => one.reference === reference));
      });
      expect(notice.payload?.[0]?.contentString).to.match(/^Vous partagez un document de votre dossier avec /);
    });

    it('the recipient is mailed its end and nothing that names anybody, or leads anywhere yet', async () => {
      const to = address('other');
      await shared(email(to), REASON);
      const [one] = await mailed(to, 1);
      const text = `${one?.subject}\n${one?.text}`;
      const day = new Intl.DateTimeFormat('fr', { dateStyle: 'long', timeZone: 'Europe/Paris' });
      expect(text)
        .to.include('partage avec vous un document')
        .and.to.include(day.format(Date.now() + 30 * DAY_MS));
      expect(text).to.not.match(/http|Deuxième|ImagingStudy/);
      for (const name of ['Hélène', region.studies.helene.studyInstanceUID]) expect(text).to.not.include(name);
    });

    it('E08: what is not hers, or hidden from her, is answered as what nobody has', async () => {
      const [gaetans] = await region.strasbourg.find<ImagingStudy>(`ImagingStudy?${byStudyUid(region.studies.gaetan)}`);
      const mask = async (...parameter: readonly object[]): Promise<void> => {
        const body = { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
        expect((await region.strasbourg.send('POST', `${exam}/$set-confidentiality`, body)).status).to.equal(200);
      };
      const masked = { system: 'urn:oid:1.2.250.1.213.1.1.4.13', code: 'INVISIBLE_PATIENT' };
      await mask({ name: 'confidentiality', valueCoding: masked });
      const answers = [];
      for (const item of [exam, `ImagingStudy/${gaetans?.id}`, 'ImagingStudy/nothing', 'DiagnosticReport/nothing'])
        answers.push(await share(region.patient, item, email(address('e08')), REASON));
      await mask();
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).to.equal(1);
      expectOutcome(answers[0] as FhirAnswer, 404, 'not-found');
      for (const other of [region.strasbourg, region.declared])
        expectOutcome(await share(other, exam, email(address('e08')), REASON), 403, 'forbidden');
      expect(mailsTo(address('e08'))).to.deep.equal([]);
    });

    it('E09: takes one address, a reason, and an end and uses within their bounds', async () => {
      const to = email(address('e09'));
      const end = (valueDateTime: string): ParametersParameter => ({ name: 'end', valueDateTime });
      const uses = (valuePositiveInt: number): ParametersParameter => ({ name: 'uses', valuePositiveInt });
      for (const bad of ['nobody', 'a@b.example,c@d.example', 'a@b.example\r\nBcc: c@d.example', 'A <a@b.example>'])
        expectOutcome(await share(region.patient, exam, email(bad), REASON), 400);
      for (const bad of [
        [to],
        [REASON],
        [to, { ...REASON, valueString: 'x'.repeat(501) }],
        [to, REASON, end(fromNow(-1_000))],
        [to, REASON, end(fromNow(91 * DAY_MS))],
        [to, REASON, end('2026-12-24')],
        [to, REASON, uses(101)],
      ])
        expectOutcome(await share(region.patient, exam, ...bad), 400);
      expect(mailsTo(address('e09'))).to.deep.equal([]);
    });

    it('ends by $revoke-share alone, once, and the recipient is mailed', async () => {
      const to = address('revoked');
      const reference = await shared(email(to), REASON);
      await mailed(to, 1);
      expectOutcome(await region.patient.send('DELETE', reference), 501, 'not-supported');
      for (const other of [region.strasbourg, region.declared])
        expectOutcome(await other.send('POST', `${reference}/$revoke-share`), 403, 'forbidden');
      for (let time = 1; time <= 2; time += 1) {
        expect((await region.patient.send('POST', `${reference}/$revoke-share`)).status).to.equal(200);
        expect((await read(reference)).status).to.equal('inactive');
      }
      expectOutcome(await region.patient.send('POST', 'Consent/nothing/$revoke-share'), 404, 'not-found');
      const [, ended, ...others] = await mailed(to, 2);
      expect(ended?.text).to.include('y a mis fin');
      expect(others).to.deep.equal([]);
    });

    it('E10: ends with a withdrawal, and stays ended; meanwhile nothing is shared', async () => {
      const to = address('withdrawn');
      const reference = await shared(email(to), REASON);
      await mailed(to, 1);
      expect((await region.patient.send('POST', 'Patient/$withdraw')).status).to.equal(201);
      expect((await read(reference)).status).to.equal('inactive');
      expectOutcome(await share(region.patient, exam, email(to), REASON), 422, 'business-rule');
      expect((await region.patient.send('POST', 'Patient/$reconsent')).status).to.equal(201);
      expect((await read(reference)).status).to.equal('inactive');
      expect((await mailed(to, 2))[1]?.text).to.include('y a mis fin');
    });

    it('R-11: ends by itself, and is given by its operation alone', async () => {
      const reference = await shared(email(address('short')), REASON, { name: 'end', valueDateTime: fromNow(1_500) });
      await eventually(async () => ((await read(reference)).status === 'inactive' ? true : undefined));
      const category = [{ coding: [{ system: TEMPORARY, code: 'share' }] }];
      expectOutcome(await region.patient.send('POST', 'Consent', { ...demoConsent(), category }), 501, 'not-supported');
    });

    it('mails nobody without end: twenty shares in a day', async () => {
      const made = async (): Promise<number> =>
        (await share(region.patient, exam, email(address('flood')), REASON)).status;
      const { length } = await region.patient.find<Consent>(`${SHARES}&_count=50`);
      for (let at = length; at < 20; at += 1) expect(await made()).to.equal(201);
      expect(await made()).to.equal(429);
    });
  });
});
