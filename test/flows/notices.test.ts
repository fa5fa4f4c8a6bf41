/** Notices to patients by mail, as a server, a mail server and the patient meet them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Communication, CommunicationPayload, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { storedRows } from '../support/data-folder/stored-rows.ts';
import { establishmentCaller, personCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startMailServer, type MailServer, type TakenMail } from '../support/peers/mail-server.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { onEachStore } from './support/each-store.ts';
import { declare } from './support/emergencies.ts';

const HERS = 'helene@example.org';
const REFUSED = 'nobody@example.org';

/** Strasbourg says where Hélène is written to, and in which language. */
async function feed(server: TestServer, telecom: Patient['telecom']): Promise<void> {
  const strasbourg = await establishmentCaller(server, 'strasbourg');
  const said = {
    ...toPatient(PATIENTS.helene, ESTABLISHMENTS.strasbourg),
    ...(telecom === undefined ? {} : { telecom }),
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'de' }] }, preferred: true }],
  };
  const [{ system = '', value = '' } = {}] = said.identifier ?? [];
  const fed = await strasbourg.send('PUT', `Patient?identifier=${system}|${value}`, said);
  expect([200, 201], fed.text).to.include(fed.status);
}

/** Her notices once each has been settled by mail, latest first. */
async function settledNotices(patient: FhirCaller, count: number): Promise<Communication[]> {
  return await eventually(async () => {
    const notices = await patient.find<Communication>('Communication');
    return notices.length === count && notices.every(({ status }) => status !== 'in-progress') ? notices : undefined;
  });
}

function textOf(mail: TakenMail | undefined): string {
  return `${mail?.headerLines.map(({ line }) => line).join('\n')}\n${mail?.text}`;
}

/** Before anything runs: the address of the mail server is in the server's environment. */
const env: { MAIL_URL: string; MAIL_FROM: string } = { MAIL_URL: '', MAIL_FROM: 'avis@region.example' };

describe('Notices by mail', () => {
  let mail: MailServer;
  before(async () => {
    const recipient = (address: string): { code: number; text: string } | undefined =>
      address === REFUSED ? { code: 550, text: 'no such user' } : undefined;
    mail = await startMailServer({ recipient });
    env.MAIL_URL = mail.url;
  });
  after(async () => await mail?.close());

  onEachStore('Patient/$break-glass', { env }, (running) => {
    it('mails the patient at her address in her language, without a name or a number; she reads the rest', async () => {
      const { server } = running();
      const before = mail.mails.length;
      await feed(server, [{ system: 'email', value: HERS }]);
      expect((await declare(await personCaller(server, 'demo-stranger'))).status).to.equal(201);
      const patient = await personCaller(server, 'demo-patient');
      const [notice] = await settledNotices(patient, 1);
      expect(mail.mails.length).to.equal(before + 1);
      const taken = mail.mails.at(-1);
      expect(taken?.envelope).to.deep.equal([HERS]);
      expect([taken?.subject, taken?.from?.text]).to.deep.equal(['Sie haben eine neue Nachricht', env.MAIL_FROM]);
      expect(taken?.messageId).to.equal(`<${notice?.id}@region.example>`);
      expect(taken?.text).to.include('Notfall').and.include(`\n${server.url}\n`);
      const { familyName, givenName, national, localId } = PATIENTS.helene;
      const secrets = [familyName, givenName, national.value, localId.strasbourg, 'Vaudr', 'Practitioner/', 'Consent/'];
      for (const secret of secrets) expect(textOf(taken)).to.not.include(secret);
      expect([notice?.status, notice?.language]).to.deep.equal(['completed', 'de']);
      const [payload] = (notice?.payload ?? []) as (CommunicationPayload & { _contentString?: object })[];
      expect(payload?.contentString).to.match(/^Dr Côme Vaudrémont-Ciel hat einen Notfall erklärt/);
      expect(JSON.stringify(payload?._contentString)).to.include('a déclaré une urgence');
      expect(server.log()).to.not.include(HERS);
    });

    it('tells what became of it: a refusal for good, and no address at all', async () => {
      const { server } = running();
      const patient = await personCaller(server, 'demo-patient');
      const stranger = await personCaller(server, 'demo-stranger');
      await feed(server, [{ system: 'email', value: REFUSED }]);
      expect((await declare(stranger)).status).to.equal(201);
      const [refused] = await settledNotices(patient, 2);
      expect([refused?.status, refused?.statusReason?.coding?.[0]?.code]).to.deep.equal(['stopped', 'refused']);
      await feed(server, undefined);
      expect((await declare(stranger)).status).to.equal(201);
      const [without] = await settledNotices(patient, 3);
      expect([without?.status, without?.statusReason?.coding?.[0]?.code]).to.deep.equal(['not-done', 'no-address']);
      expect(without?.medium?.[0]?.coding?.[0]?.code).to.equal('MAILWRIT');
    });
  });
});

describe('Notices of a server without PASSERELLE_MAIL_URL', function () {
  this.timeout(60_000);
  it('stay in the record, and are for letters', async () => {
    const server = await startServer();
    try {
      await feed(server, [{ system: 'email', value: HERS }]);
      expect((await declare(await personCaller(server, 'demo-stranger'))).status).to.equal(201);
      const [notice] = await settledNotices(await personCaller(server, 'demo-patient'), 1);
      expect([notice?.status, notice?.statusReason?.coding?.[0]?.code]).to.deep.equal(['not-done', 'no-mail']);
    } finally {
      await server.stop();
    }
  });
});

describe('Notices of a server that is killed (SIGKILL) between DATA and what became of it', function () {
  this.timeout(60_000);
  it('are mailed again with the same Message-ID, once, and then told of as sent', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-notices-'));
    const taken = Promise.withResolvers<void>();
    let isHeld = true;
    const mail = await startMailServer({
      data: async () => {
        taken.resolve();
        // The first one is taken, and nobody hears of it.
        if (isHeld) await new Promise(() => undefined);
        return undefined;
      },
    });
    const start = async (): Promise<TestServer> =>
      await startServer({ dataDir, env: { MAIL_URL: mail.url, MAIL_FROM: env.MAIL_FROM } });
    let server = await start();
    try {
      await feed(server, [{ system: 'email', value: HERS }]);
      expect((await declare(await personCaller(server, 'demo-stranger'))).status).to.equal(201);
      await taken.promise;
      const [waiting] = storedRows(dataDir, 'Communication') as unknown as Communication[];
      expect(waiting?.status).to.equal('in-progress');
      await server.kill();
      isHeld = false;
      server = await start();
      const [notice] = await settledNotices(await personCaller(server, 'demo-patient'), 1);
      expect(notice?.status).to.equal('completed');
      const ids = mail.mails.map(({ messageId }) => messageId);
      expect(ids).to.deep.equal([`<${notice?.id}@region.example>`, `<${notice?.id}@region.example>`]);
    } finally {
      await server.stop();
      await mail.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
