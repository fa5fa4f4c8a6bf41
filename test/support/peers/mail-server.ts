/** A mail server for tests: real SMTP, with replies that a test says, and the mails that it took. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Certified } from '../certificates.ts';

/** A mail that was taken, and to whom its envelope said it goes. */
export type TakenMail = ParsedMail & { readonly envelope: readonly string[]; readonly isSecure: boolean };

/** What the server answers; left out it takes everything. */
export type Replies = {
  /** The reply to an address: a code and a text; none takes it. */
  readonly recipient?: (address: string) => { readonly code: number; readonly text: string } | undefined;
  readonly sender?: () => { readonly code: number; readonly text: string } | undefined;
  /** The reply to the text; it is taken before. It may wait. */
  readonly data?: () => Promise<{ readonly code: number; readonly text: string } | undefined>;
};

/** How it is started. With a certificate it offers STARTTLS, or with `secure` speaks TLS from the first byte on. */
export type MailServerOptions = Replies & {
  readonly certificate?: Certified;
  readonly secure?: boolean;
  readonly credentials?: { readonly user: string; readonly password: string };
};

/** A running one. `url` names it by `localhost`, which certificates can. */
export type MailServer = {
  readonly port: number;
  readonly url: string;
  readonly mails: readonly TakenMail[];
  /** Commands MAIL FROM that came. */
  readonly tried: () => number;
  close(): Promise<void>;
};

/** Starts one. */
export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { certificate, secure = false, credentials } = options;
  const mails: TakenMail[] = [];
  const counts = { tried: 0 };
  const server = new SMTPServer({
    secure,
    ...(certificate === undefined
      ? { hideSTARTTLS: true }
      : { key: await readFile(certificate.key), cert: await readFile(certificate.cert) }),
    authOptional: credentials === undefined,
    ...handlersOf(options, mails, counts),
  });
  server.on('error', () => undefined);
  const listening = server.listen(0, 'localhost');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  return {
    port,
    url: `${secure ? 'smtps' : 'smtp'}://localhost:${port}`,
    mails,
    tried: () => counts.tried,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

type Handlers = Pick<SMTPServerOptions, 'onAuth' | 'onMailFrom' | 'onRcptTo' | 'onData'>;

function handlersOf(
  { recipient, sender, data, credentials }: MailServerOptions,
  mails: TakenMail[],
  counts: { tried: number },
): Handlers {
  return {
    onAuth: ({ username, password }, _session, done) => {
      const isKnown = username === credentials?.user && password === credentials?.password;
      done(isKnown ? null : replyOf({ code: 535, text: 'who are you' }), isKnown ? { user: username } : undefined);
    },
    onMailFrom: (_address, _session, done) => {
      counts.tried += 1;
      done(replyOf(sender?.()));
    },
    onRcptTo: ({ address }, _session, done) => done(replyOf(recipient?.(address))),
    onData: (stream, session, done) => {
      const take = async (): Promise<void> => {
        const mail = await simpleParser(stream);
        const envelope = session.envelope.rcptTo.map(({ address }) => address);
        mails.push(Object.assign(mail, { envelope, isSecure: session.secure }));
        done(replyOf(await data?.()));
      };
      // A connection that breaks off has no reply.
      take().catch(() => undefined);
    },
  };
}

function replyOf(reply: { readonly code: number; readonly text: string } | undefined): Error | null {
  return reply === undefined ? null : Object.assign(new Error(reply.text), { responseCode: reply.code });
}
