/** What people do about notices: desks write letters of what could not be mailed, officers hear at once by mail. */
import type { AuditEvent, Communication, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { patientIdentifier, toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, OFFICERS, PATIENTS, type EstablishmentKey } from '../../fixtures/people.ts';
import { establishmentCaller, personCaller } from '../support/demonstration.ts';
import { eventually, expectOutcome } from '../support/clients/fhir-caller.ts';
import { startMailServer, type MailServer } from '../support/peers/mail-server.ts';
import type { EditedRegion } from '../support/region-file.ts';
import type { TestServer } from '../support/server.ts';
import { onEachStore } from './support/each-store.ts';
import { declare, JUSTIFICATION } from './support/emergencies.ts';

const ADDRESSES = {
  region: 'dpo@region.example',
  strasbourg: 'dpo@strasbourg.example',
  nancy: 'dpo@nancy.example',
  desk: 'desk@region.example',
} as const;

function withContacts(region: EditedRegion): void {
  region.language = 'de';
  region.contacts = [
    { office: 'region-dpo', email: ADDRESSES.region },
    { office: 'region-desk', email: ADDRESSES.desk },
    { office: 'establishment-dpo', organization: 'Organization/demo-strasbourg', email: ADDRESSES.strasbourg },
    { office: 'establishment-dpo', organization: 'Organization/demo-nancy', email: ADDRESSES.nancy },
  ];
}

/** An establishment feeds a patient, without an address. */
async function feed(server: TestServer, person: keyof typeof PATIENTS, at: EstablishmentKey): Promise<void> {
  const caller = await establishmentCaller(server, at);
  const { system, value } = patientIdentifier(PATIENTS[person], ESTABLISHMENTS[at]);
  const said: Patient = toPatient(PATIENTS[person], ESTABLISHMENTS[at]);
  const fed = await caller.send('PUT', `Patient?identifier=${system}|${value}`, said);
  expect([200, 201], fed.text).to.include(fed.status);
}

const env: { MAIL_URL: string; MAIL_FROM: string } = { MAIL_URL: '', MAIL_FROM: 'avis@region.example' };

describe('Letters and officers', () => {
  let mail: MailServer;
  before(async () => {
    mail = await startMailServer();
    env.MAIL_URL = mail.url;
  });
  after(async () => await mail?.close());

  onEachStore('of emergencies', { env, region: withContacts }, (running) => {
    it('the offices that may read the review are mailed, each by itself, and nobody is named', async () => {
      const { server } = running();
      const before = mail.mails.length;
      await feed(server, 'helene', 'strasbourg');
      const declared = await declare(await personCaller(server, OFFICERS.strasbourgDesk.login));
      expect(declared.status, declared.text).to.equal(201);
      const mails = await eventually(async () =>
        mail.mails.length >= before + 2 ? mail.mails.slice(before) : undefined,
      );
      expect(mails.map(({ envelope }) => envelope).toSorted()).to.deep.equal([
        [ADDRESSES.region],
        [ADDRESSES.strasbourg],
      ]);
      for (const { subject, text, headerLines } of mails) {
        expect(subject).to.equal('Ein Notfallzugriff ist zu prüfen');
        expect(text).to.include('break-glass-review').and.include(server.url);
        const { familyName, givenName, national } = PATIENTS.helene;
        const secrets = [familyName, givenName, national.value, OFFICERS.strasbourgDesk.name, JUSTIFICATION];
        for (const secret of secrets) expect(`${JSON.stringify(headerLines)}${text}`, secret).to.not.include(secret);
      }
      const next = mail.mails.length;
      expect((await declare(await personCaller(server, 'demo-stranger'))).status).to.equal(201);
      await eventually(async () => (mail.mails.length > next ? true : undefined));
      expect(mail.mails.slice(next).map(({ envelope }) => envelope)).to.deep.equal([[ADDRESSES.region]]);
    });

    it('of an eleventh in a day they hear as an alert', async () => {
      const { server } = running();
      const doctor = await personCaller(server, 'demo-radiologist');
      const before = mail.mails.length;
      for (let count = 1; count <= 11; count += 1) expect((await declare(doctor)).status).to.equal(201);
      const mails = await eventually(async () =>
        mail.mails.length >= before + 12 ? mail.mails.slice(before) : undefined,
      );
      const alerts = mails.filter(({ subject }) => subject?.startsWith('Alarm:'));
      expect(alerts.map(({ envelope }) => envelope)).to.deep.equal([[ADDRESSES.region]]);
    });

    it('the desk of the establishment lists the letters of its own patients alone, and they hear of it', async () => {
      const { server } = running();
      await feed(server, 'josee', 'luxembourg');
      const stranger = await personCaller(server, 'demo-declared');
      expect((await declare(stranger, { identifier: PATIENTS.josee.national })).status).to.equal(201);
      const josee = await personCaller(server, 'demo-patient-lu');
      const [hers] = await eventually(async () => {
        const notices = await josee.find<Communication>('Communication?status=not-done');
        return notices.length === 1 ? notices : undefined;
      });
      const desk = await personCaller(server, OFFICERS.strasbourgDesk.login);
      const { system, value } = patientIdentifier(PATIENTS.helene, ESTABLISHMENTS.strasbourg);
      const letters = await eventually(async () => {
        const found = await desk.find<Communication>('Communication?medium=MAILWRIT&status=stopped,not-done&_count=50');
        return found.length >= 13 ? found : undefined;
      });
      for (const { subject, statusReason, category } of letters) {
        expect(subject?.identifier, 'the desk’s own number of her').to.deep.include({ system, value });
        expect(statusReason?.coding?.[0]?.code).to.equal('no-address');
        expect(category?.[0]?.coding?.[0]?.code).to.equal('emergency');
      }
      expectOutcome(await desk.get(`Communication/${hers?.id}`), 404, 'not-found');
      expect(await desk.find<Communication>('Communication?category=new-document')).to.deep.equal([]);
      expect(await desk.find<Communication>(`Communication?sent=gt${letters[0]?.sent}`)).to.deep.equal([]);
      for (const other of ['demo-region-desk', 'demo-region-dpo', 'demo-stranger'])
        expect(await (await personCaller(server, other)).find<Communication>('Communication'), other).to.deep.equal([]);
      const helene = await personCaller(server, 'demo-patient');
      const query = `AuditEvent?agent=${OFFICERS.strasbourgDesk.reference}&type=rest`;
      expect((await helene.find<AuditEvent>(query)).length, 'she reads who listed them').to.be.greaterThan(0);
    });
  });
});
