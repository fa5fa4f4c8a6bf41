import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SmtpMailer, type MailServer as Settings } from '../../../../server/clients/mail/smtp-mailer.ts';
import type { Mail } from '../../../../server/ports/mailer.ts';
import { certify, type Certified } from '../../../support/certificates.ts';
import { expectFault } from '../../../support/faults.ts';
import { startMailServer, type MailServer, type MailServerOptions } from '../../../support/peers/mail-server.ts';
import { hasProgram } from '../../../profiles/dicom/samples.ts';

const MAIL: Mail = {
  id: '019a0000-0000-7000-8000-000000000001',
  to: 'helene@example.org',
  subject: 'Vous avez un nouveau message',
  text: 'Bonjour,\n\nLe détail vous attend à l’adresse ci-dessous.\n',
  language: 'fr',
};

describe('Mail by SMTP (RFC 5321)', () => {
  let server: MailServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function mailerTo(options: MailServerOptions, settings: Partial<Settings> = {}): Promise<SmtpMailer> {
    server = await startMailServer(options);
    return new SmtpMailer({
      host: 'localhost',
      port: server.port,
      secure: options.secure ?? false,
      needsTLS: false,
      credentials: undefined,
      ca: undefined,
      from: 'notices@region.example',
      ...settings,
    });
  }

  it('250: hands over a text to one address, from one, that says it is automatic and in which language', async () => {
    const mailer = await mailerTo({});
    expect(await mailer.send(MAIL)).to.equal('sent');
    const [mail] = server?.mails ?? [];
    expect(mail?.envelope).to.deep.equal([MAIL.to]);
    expect([mail?.from?.text, mail?.subject, mail?.html]).to.deep.equal([
      'notices@region.example',
      MAIL.subject,
      false,
    ]);
    expect(mail?.text).to.equal(MAIL.text);
    expect(mail?.headers.get('auto-submitted')).to.equal('auto-generated');
    expect(mail?.headers.get('content-language')).to.equal('fr');
  });

  it('RFC 5322 3.6.4: the same mail sent again has the same Message-ID, another one another', async () => {
    const mailer = await mailerTo({});
    for (const id of [MAIL.id, MAIL.id, 'other']) await mailer.send({ ...MAIL, id });
    const [one, again, other] = (server?.mails ?? []).map(({ messageId }) => messageId);
    expect(one).to.equal(`<${MAIL.id}@region.example>`);
    expect(again).to.equal(one);
    expect(other).to.not.equal(one);
  });

  it('5yz to the address or to the text is a refusal for good', async () => {
    for (const replies of [
      { recipient: () => ({ code: 550, text: 'no such user' }) },
      { data: async () => ({ code: 554, text: 'no' }) },
    ]) {
      const mailer = await mailerTo(replies);
      expect(await mailer.send(MAIL)).to.equal('refused');
      await server?.close();
    }
  });

  it('4yz, a sender that is refused, and no server at all are tried again; no address is in what is said', async () => {
    for (const replies of [
      { recipient: () => ({ code: 450, text: 'helene@example.org: later' }) },
      { data: async () => ({ code: 451, text: 'helene@example.org: later' }) },
      { sender: () => ({ code: 550, text: 'not from you' }) },
      // About who sends, though it comes to the address. @see RFC 3463 section 3.8; RFC 4954
      { recipient: () => ({ code: 554, text: '5.7.1 Relay access denied' }) },
      { recipient: () => ({ code: 530, text: '5.7.0 Authentication required' }) },
    ]) {
      const mailer = await mailerTo(replies);
      const fault = await expectFault(mailer.send(MAIL), 'transient');
      expect(fault.message).to.match(/, reply \d{3}\)$/);
      expect(`${fault.message} ${String(fault.cause)}`).to.not.include('helene');
      await server?.close();
    }
    const mailer = await mailerTo({});
    await server?.close();
    const fault = await expectFault(mailer.send(MAIL), 'transient');
    expect(fault.message)
      .to.include('localhost:')
      .and.match(/E(?:CONNECTION|SOCKET)/)
      .and.not.include('helene');
  });

  it('a file of authorities that is missing is ours, and tried again', async () => {
    const mailer = await mailerTo({}, { ca: '/nowhere/authorities.pem' });
    await expectFault(mailer.send(MAIL), 'transient');
  });

  it('RFC 4954: signs in where it is given a name and a password; what is wrong with them is ours', async () => {
    const credentials = { user: 'region', password: 'a:b@c' };
    const mailer = await mailerTo({ credentials }, { credentials });
    expect(await mailer.send(MAIL)).to.equal('sent');
    await server?.close();
    const wrong = await mailerTo({ credentials }, { credentials: { ...credentials, password: 'x' } });
    await expectFault(wrong.send(MAIL), 'transient');
    expect(server?.mails).to.deep.equal([]);
  });

  it('needs STARTTLS beyond this machine: a server without it gets nothing', async () => {
    const mailer = await mailerTo({}, { needsTLS: true });
    await expectFault(mailer.send(MAIL), 'transient');
    expect([server?.mails, server?.tried()]).to.deep.equal([[], 0]);
  });

  describe('over TLS', () => {
    let folder: string;
    let authority: Certified;
    let own: Certified;
    before(async function certificates() {
      if (!hasProgram('openssl', 'version')) this.skip();
      folder = await mkdtemp(join(tmpdir(), 'passerelle-mail-'));
      authority = await certify(folder, 'authority');
      own = await certify(folder, 'localhost', authority);
    });
    after(async () => {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    for (const secure of [false, true]) {
      const how = secure ? 'RFC 8314: TLS from the first byte on' : 'RFC 3207: STARTTLS';
      it(`${how}, with a certificate that the authority vouches for`, async () => {
        const mailer = await mailerTo({ certificate: own, secure }, { needsTLS: true, ca: authority.cert });
        expect(await mailer.send(MAIL)).to.equal('sent');
        expect(server?.mails.map(({ isSecure }) => isSecure)).to.deep.equal([true]);
      });

      it(`${how}: a certificate that nobody vouches for, or of another name, gets nothing`, async () => {
        const elsewhere = await certify(folder, 'elsewhere', authority);
        for (const [certificate, ca] of [
          [own, undefined],
          [elsewhere, authority.cert],
        ] as const) {
          const mailer = await mailerTo({ certificate, secure }, { ca });
          await expectFault(mailer.send(MAIL), 'transient');
          expect([server?.mails, server?.tried()]).to.deep.equal([[], 0]);
          await server?.close();
        }
      });
    }
  });
});
