/** What becomes of a notice when mail servers refuse, put off and come back: no test over the wire waits for that. */
import type { Communication, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { oidUri } from '../../../../profiles/codes.ts';
import { buildErrorNotice } from '../../../../profiles/documents/error-notice.ts';
import { buildPaperNotice } from '../../../../profiles/notices/news.ts';
import type { NoticeFacts } from '../../../../profiles/notices/notice.ts';
import type { PersonKey } from '../../../../server/access/requester.ts';
import { itemIn } from '../../../../server/access/right.ts';
import { SmtpMailer } from '../../../../server/clients/mail/smtp-mailer.ts';
import { noticeParts } from '../../../../server/flows/notices/notice-parts.ts';
import { sendNotice, type SendNoticeDeps } from '../../../../server/flows/notices/send-notice.ts';
import { joinParts } from '../../../../server/flows/write/plan-parts.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import type { TakenJob } from '../../../../server/ports/job-queue.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { expectFault } from '../../../support/faults.ts';
import { registerIdentity } from '../../../support/identities.ts';
import { startMailServer, type MailServer, type Replies } from '../../../support/peers/mail-server.ts';
import { anId, NOW, SYSTEM } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { CLINIC, openClinic, PATIENT_DOMAIN, type Clinic } from '../../endpoints/clinic.ts';

const ATTEMPTS = 3;
const ADDRESS = 'claire@example.org';

describe('Sending a notice', () => {
  let clinic: Clinic;
  let server: MailServer | undefined;
  before(async () => {
    clinic = await openClinic();
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });
  after(async () => await clinic?.close());

  /** Somebody whom the clinic knows, and a notice to her. */
  async function aNotice(
    said: Partial<Patient> = { telecom: [{ system: 'email', value: ADDRESS }] },
    build: Parameters<typeof noticeParts>[3] = buildErrorNotice,
  ): Promise<{
    readonly id: string;
    readonly own: { readonly system: string; readonly value: string };
  }> {
    const { indexer } = await loadDefinitions();
    const { stores, region } = clinic;
    const id = anId();
    const own = { system: oidUri(PATIENT_DOMAIN), value: anId() };
    const patient: Patient & { id: string } = { resourceType: 'Patient', id, identifier: [own], ...said };
    const person = await registerIdentity(
      { records: stores.records, indexer, region },
      { source: CLINIC, own, said: patient },
    );
    return { id: await tell(person, `Patient/${id}`, build), own };
  }

  async function tell(
    person: PersonKey,
    patient: string,
    build: Parameters<typeof noticeParts>[3] = buildErrorNotice,
  ): Promise<string> {
    const { indexer } = await loadDefinitions();
    const parts = noticeParts(indexer, { person, patient }, NOW, build);
    // What asks for it is tested over the wire: here the work is called.
    await commitPlan(clinic.stores.records, joinParts({ puts: parts.puts ?? [] }));
    return parts.puts?.[0]?.id ?? '';
  }

  async function work(options: Partial<SendNoticeDeps> = {}): Promise<(id: string, attempts: number) => Promise<void>> {
    const { indexer } = await loadDefinitions();
    const { stores, region, guard } = clinic;
    const publicUrl = (): string => 'https://imaging.example.org';
    const mailer =
      server === undefined
        ? undefined
        : new SmtpMailer({
            host: 'localhost',
            port: server.port,
            secure: false,
            needsTLS: false,
            credentials: undefined,
            ca: undefined,
            from: 'notices@region.example',
          });
    const { records } = stores;
    const deps = { records, clock: guard.clock, indexer, region, mailer, publicUrl, attempts: ATTEMPTS, ...options };
    const send = sendNotice(deps);
    return async (id, attempts) => await send({ subject: id, attempts } as TakenJob<'send-notice'>);
  }

  async function mailing(replies: Replies): Promise<(id: string, attempts: number) => Promise<void>> {
    server = await startMailServer(replies);
    return await work();
  }

  async function standing(id: string): Promise<Communication> {
    const row = await clinic.stores.records.peek(SYSTEM, { kind: 'resource', type: 'Communication', id });
    return openedResource<Communication>(row ?? expect.fail('The notice is gone'));
  }

  async function fateOf(id: string): Promise<readonly (string | undefined)[]> {
    const { status, statusReason, medium } = await standing(id);
    return [status, statusReason?.coding?.[0]?.code, medium?.[0]?.coding?.[0]?.code];
  }

  /** Offices that may read it. */
  async function officesOf(id: string): Promise<readonly string[]> {
    const { records } = clinic.stores;
    const row = await records.peek(SYSTEM, { kind: 'resource', type: 'Communication', id });
    const rights = row?.person === undefined ? [] : await records.rightsOf(SYSTEM, row.person, `Communication/${id}`);
    const item = ({ scope }: (typeof rights)[number]): boolean => itemIn(scope) === `Communication/${id}`;
    return rights
      .filter(item)
      .map(({ principal }) => principal)
      .filter((principal) => principal.startsWith('of:'));
  }

  it('waits while it is put off, and is mailed once it is taken', async () => {
    const { id } = await aNotice();
    const replies = [{ code: 450, text: 'later' }];
    const send = await mailing({ recipient: () => replies.pop() });
    await expectFault(send(id, 1), 'transient');
    expect(await fateOf(id)).to.deep.equal(['in-progress', undefined, undefined]);
    await send(id, 2);
    expect(await fateOf(id)).to.deep.equal(['completed', undefined, 'EMAILWRIT']);
    expect(server?.mails.map(({ envelope }) => envelope)).to.deep.equal([[ADDRESS]]);
    expect(await officesOf(id), 'mailed: no letter').to.deep.equal([]);
  });

  it('of a signed paper it is mailed, and goes by letter, too', async () => {
    const build = (facts: NoticeFacts): Communication => buildPaperNotice({ ...facts, consent: 'Consent/c' });
    const { id, own } = await aNotice(undefined, build);
    const send = await mailing({});
    for (const attempt of [1, 2]) await send(id, attempt);
    expect(server?.mails).to.have.length(1);
    expect(await fateOf(id)).to.deep.equal(['completed', 'letter-too', 'MAILWRIT']);
    const { medium, subject } = await standing(id);
    expect(medium?.[1]?.coding?.[0]?.code).to.equal('EMAILWRIT');
    expect(subject?.identifier).to.deep.equal(own);
    expect(await officesOf(id)).to.deep.equal([`of:establishment-desk|${CLINIC}`]);
  });

  it('is mailed no second time when it is settled, nor when it is gone', async () => {
    const { id } = await aNotice();
    const send = await mailing({});
    for (const attempt of [1, 2]) await send(id, attempt);
    await send(anId(), 1);
    expect(server?.mails).to.have.length(1);
  });

  it('refused for good it goes by letter, which the desk of the clinic reads, with its number of her', async () => {
    const { id, own } = await aNotice();
    const send = await mailing({ recipient: () => ({ code: 550, text: 'no such user' }) });
    await send(id, 1);
    expect(await fateOf(id)).to.deep.equal(['stopped', 'refused', 'MAILWRIT']);
    expect(await officesOf(id)).to.deep.equal([`of:establishment-desk|${CLINIC}`]);
    expect((await standing(id)).subject?.identifier).to.deep.equal(own);
  });

  it('put off for days it goes by letter at the last attempt, and not before', async () => {
    const { id } = await aNotice();
    const send = await mailing({ recipient: () => ({ code: 450, text: 'later' }) });
    for (const attempt of [1, ATTEMPTS - 1]) await expectFault(send(id, attempt), 'transient');
    expect((await standing(id)).status).to.equal('in-progress');
    await send(id, ATTEMPTS);
    expect(await fateOf(id)).to.deep.equal(['stopped', 'undeliverable', 'MAILWRIT']);
  });

  it('without an address, or without a mail server, it goes by letter', async () => {
    const phone = await aNotice({ telecom: [{ system: 'phone', value: '+33 3 88 00 00 00' }] });
    const send = await mailing({});
    await send(phone.id, 1);
    expect(await fateOf(phone.id)).to.deep.equal(['not-done', 'no-address', 'MAILWRIT']);
    const other = await aNotice();
    await (
      await work({ mailer: undefined })
    )(other.id, 1);
    expect(await fateOf(other.id)).to.deep.equal(['not-done', 'no-mail', 'MAILWRIT']);
    expect(server?.mails).to.deep.equal([]);
  });

  it('E09 an address with a line break or a second one is none, and names go into no mail', async () => {
    for (const value of ['claire@example.org\r\nBcc: evil@example.org', 'claire@example.org, evil@example.org']) {
      const { id } = await aNotice({ telecom: [{ system: 'email', value }] });
      const send = await mailing({});
      await send(id, 1);
      expect(await fateOf(id)).to.deep.equal(['not-done', 'no-address', 'MAILWRIT']);
      expect(server?.tried()).to.equal(0);
      await server?.close();
    }
    const { id } = await aNotice({
      name: [{ family: 'Dupont\r\nBcc: evil@example.org\r\n\r\n<script>', given: ['Quetzal${7*7}'] }],
      telecom: [{ system: 'email', value: ADDRESS }],
    });
    const send = await mailing({});
    await send(id, 1);
    const [mail] = server?.mails ?? [];
    expect(mail?.envelope).to.deep.equal([ADDRESS]);
    expect(JSON.stringify([mail?.headerLines, mail?.text])).to.not.match(/evil|Dupont|script|Quetzal|7\*7/);
  });

  it('speaks her language, the region’s where none of ours is said, and so does the Communication', async () => {
    const speaks = (code: string): Partial<Patient> => ({
      telecom: [{ system: 'email', value: ADDRESS }],
      communication: [{ language: { coding: [{ code }] }, preferred: true }],
    });
    const send = await mailing({});
    for (const [code, language, subject] of [
      ['de-LU', 'de', 'Sie haben eine neue Nachricht'],
      ['en', 'en', 'You have a new message'],
      ['pt', 'fr', 'Vous avez un nouveau message'],
    ] as const) {
      const { id } = await aNotice(speaks(code));
      await send(id, 1);
      expect(server?.mails.at(-1)?.subject).to.equal(subject);
      expect((await standing(id)).language).to.equal(language);
    }
    const region = { ...clinic.region, language: 'de' as const };
    const { id } = await aNotice();
    await (
      await work({ region })
    )(id, 1);
    expect(server?.mails.at(-1)?.subject).to.equal('Sie haben eine neue Nachricht');
  });
});
