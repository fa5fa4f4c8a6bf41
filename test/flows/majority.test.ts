/** A patient comes of age (access.md 10.3): who represented her reads no more, and she is invited. */
import { expect } from 'chai';
import type { Communication, ContactPoint, Patient } from '@medplum/fhirtypes';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, OFFICERS, PATIENTS, type DemoPatient } from '../../fixtures/people.ts';
import { signIn } from '../../fixtures/sign-in.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { ask, birthday, LOGIN, representing, visiting } from '../support/clients/representing.ts';
import { runCommand } from '../support/command.ts';
import { establishmentCaller, personCaller } from '../support/demonstration.ts';
import { startMailServer, type MailServer } from '../support/peers/mail-server.ts';
import { onEachStore } from './support/each-store.ts';

const PARENTS = 'parents@example.org';
const OWN = 'gaetan@example.org';

/** Before anything runs: the address of the mail server is in the server's environment. */
const env: { MAIL_URL: string; MAIL_FROM: string } = { MAIL_URL: '', MAIL_FROM: 'avis@region.example' };

function mailOf(...addresses: readonly string[]): ContactPoint[] {
  return addresses.map((value) => ({ system: 'email', value }));
}

describe('The majority of a patient', () => {
  let mail: MailServer;
  before(async () => {
    mail = await startMailServer();
    env.MAIL_URL = mail.url;
  });
  after(async () => await mail?.close());

  onEachStore('who was represented', { env }, (running, store) => {
    let strasbourg: FhirCaller;
    before(async () => {
      strasbourg = await establishmentCaller(running().server, 'strasbourg');
    });

    const fed = async (who: DemoPatient, birthDate: string, telecom: ContactPoint[]): Promise<string> => {
      const said: Patient = { ...toPatient(who, ESTABLISHMENTS.strasbourg), birthDate, telecom };
      const [{ system = '', value = '' } = {}] = said.identifier ?? [];
      const path = `Patient?identifier=${system}|${value}`;
      const answer = await strasbourg.send('PUT', path, said);
      expect(answer.status, answer.text).to.be.oneOf([200, 201]);
      return (await strasbourg.findOne<Patient>(path)).id;
    };
    /** Two parents, who have an address. */
    const parentsOf = async (patient: string): Promise<readonly string[]> => {
      expect((await strasbourg.send('POST', 'Encounter', visiting(patient))).status).to.equal(201);
      const telecom = mailOf(PARENTS.toUpperCase());
      const ids: string[] = [];
      for (const code of ['MTH', 'FTH']) {
        const answer = await strasbourg.send('POST', 'RelatedPerson', representing(patient, code, { telecom }));
        expect(answer.status, answer.text).to.equal(201);
        ids.push(/RelatedPerson\/([^/]+)/.exec(answer.headers.get('location') ?? '')?.[1] ?? '');
      }
      return ids;
    };
    const invitations = (address: string): number =>
      mail.mails.filter(({ envelope, text }) => envelope.includes(address) && text?.includes('désormais')).length;
    const letters = async (caller: FhirCaller): Promise<readonly Communication[]> =>
      await caller.find<Communication>('Communication?medium=MAILWRIT&category=majority');

    it('is told by a letter of her establishment where her parents’ address alone is known', async () => {
      const { server } = running();
      const id = await fed(PATIENTS.helene, birthday(18, 1), mailOf(PARENTS));
      const parents = await parentsOf(id);
      const patient = await personCaller(server, 'demo-patient');
      await eventually(async () =>
        (await patient.find('Communication?category=representative')).length === 2 ? true : undefined,
      );
      const { store: address } = running();
      const listed = await runCommand('jobs', ['list', 'tell-news'], { store: address, dataDir: server.dataDir });
      const later = listed.stdout.match(/^tell-news\t.*\twaiting\t0\t\d+ s\t[1-9]\d* s\t/gm);
      expect(later, listed.stdout).to.have.lengthOf(2);
      const token = await signIn({ url: server.url, person: LOGIN, record: `RelatedPerson/${parents[0]}` });
      expect((await ask(server.url, token, 'GET', `Patient/${id}`)).status).to.equal(200);
      const desk = await personCaller(server, OFFICERS.strasbourgDesk.login);
      expect(await letters(desk), 'the day before').to.deep.equal([]);
      await fed(PATIENTS.helene, birthday(18), mailOf(PARENTS));
      const [letter, ...others] = await eventually(async () => {
        const found = await letters(desk);
        return found.length === 0 ? undefined : found;
      });
      expect(others, 'once, of both parents').to.deep.equal([]);
      expect(letter?.subject?.reference).to.equal(`Patient/${id}`);
      expect(letter?.statusReason?.coding?.[0]?.code).to.equal('no-address');
      expect(letter?.payload?.[0]?.contentString).to.include('Vous avez 18 ans');
      expect(invitations(PARENTS)).to.equal(0);
      expect((await ask(server.url, token, 'GET', `Patient/${id}`)).status).to.equal(401);
      expect(await patient.find('Communication?category=majority')).to.have.lengthOf(1);
      for (const other of [OFFICERS.regionDesk.login, 'demo-stranger'])
        expect(await letters(await personCaller(server, other)), other).to.deep.equal([]);
    });

    it('is mailed at an address of her own, which names nobody and nothing', async () => {
      const id = await fed(PATIENTS.gaetan, birthday(18, 1), mailOf(PARENTS, OWN));
      await parentsOf(id);
      await fed(PATIENTS.gaetan, birthday(18), mailOf(PARENTS, OWN));
      const count = store === 'SQLite' ? 1 : 2;
      await eventually(async () => (invitations(OWN) >= count ? true : undefined));
      expect([invitations(OWN), invitations(PARENTS)]).to.deep.equal([count, 0]);
      const { text = '' } = mail.mails.findLast(({ envelope }) => envelope.includes(OWN)) ?? {};
      expect(text).to.include('Vous pouvez désormais ouvrir vous-même votre dossier.');
      for (const secret of [PATIENTS.gaetan.familyName, PATIENTS.gaetan.givenName, '18'])
        expect(text.replaceAll(running().server.url, '')).to.not.include(secret);
    });
  });
});
