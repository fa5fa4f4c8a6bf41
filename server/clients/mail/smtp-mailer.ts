/**
 * Mail by SMTP. What the server offers for encryption is used, and its certificate must hold; beyond this machine
 * nothing is sent in the clear.
 * @see RFC 5321; RFC 3207 (STARTTLS); RFC 8314
 */
import { readFile } from 'node:fs/promises';
import { createTransport } from 'nodemailer';
import { Fault } from '../../../profiles/fault.ts';
import type { Mail, Mailer, MailOutcome } from '../../ports/mailer.ts';

/** Where mail goes, and who sends it. */
export type MailServer = {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte on. */
  readonly secure: boolean;
  /** Without `secure`: a server that does not offer STARTTLS gets nothing. */
  readonly needsTLS: boolean;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  /** PEM file: the authorities that vouch for the server; undefined: those of the system. */
  readonly ca: string | undefined;
  /** The address of the sender. */
  readonly from: string;
};

const ANSWERS_WITHIN_MS = 30_000;
/** A server that takes the text and then thinks about it. @see RFC 5321 section 4.5.3.2.6 */
const TAKES_WITHIN_MS = 120_000;

/** The adapter: a connection for each mail. */
export class SmtpMailer implements Mailer {
  readonly #server: MailServer;

  constructor(server: MailServer) {
    this.#server = server;
  }

  async send(mail: Mail): Promise<MailOutcome> {
    try {
      await sendBy(this.#server, mail);
      return 'sent';
    } catch (error) {
      if (isRefusal(error)) return 'refused';
      throw this.#troubleOf(error);
    }
  }

  /** Without its cause: replies of mail servers repeat the address. */
  #troubleOf(error: unknown): Fault {
    const { code = 'unknown', responseCode } = error as SmtpError;
    const { host, port } = this.#server;
    const reply = responseCode === undefined ? '' : `, reply ${responseCode}`;
    return new Fault('transient', `A mail could not be handed to ${host}:${port} (${code}${reply})`);
  }
}

async function sendBy(server: MailServer, mail: Mail): Promise<void> {
  const transport = createTransport(await optionsOf(server));
  try {
    await transport.sendMail(messageOf(mail, server.from));
  } finally {
    transport.close();
  }
}

/** What nodemailer throws: its code, the command that failed and the reply to it. */
type SmtpError = {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
};

/** Replies about who sends: authentication is asked for, or security and policy. @see RFC 4954; RFC 3463 section 3.8 */
const ABOUT_US = /^530|^5\d\d[ -]5\.7\./;

/** A permanent reply to the address or the text. One to anything before, or about us, is ours: it is tried again. */
function isRefusal(error: unknown): boolean {
  const { command = '', responseCode = 0, response = '' } = error as SmtpError;
  if (responseCode < 500 || responseCode > 599 || ABOUT_US.test(response)) return false;
  return command === 'RCPT TO' || command === 'DATA';
}

/** The file is read each time, as certificates are renewed while the server runs. */
async function optionsOf({ host, port, secure, needsTLS, credentials, ca }: MailServer) {
  return {
    host,
    port,
    secure,
    requireTLS: !secure && needsTLS,
    ...(credentials === undefined ? {} : { auth: { user: credentials.user, pass: credentials.password } }),
    tls: { minVersion: 'TLSv1.2' as const, ...(ca === undefined ? {} : { ca: await readFile(ca) }) },
    connectionTimeout: ANSWERS_WITHIN_MS,
    greetingTimeout: ANSWERS_WITHIN_MS,
    socketTimeout: TAKES_WITHIN_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function messageOf({ id, to, subject, text, language }: Mail, from: string) {
  return {
    from: { name: '', address: from },
    to: { name: '', address: to },
    subject,
    text,
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'Content-Language': language },
  };
}
