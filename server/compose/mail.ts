/** Opens the way to the mail server. */
import { SmtpMailer } from '../clients/mail/smtp-mailer.ts';
import { isLoopback, type Config } from '../config/config.ts';
import { mailPlace } from '../config/mail.ts';
import type { Mailer } from '../ports/mailer.ts';

/** Makes the mailer; undefined where the region sends no mail. */
export function openMailer({ mailUrl, mailFrom, mailTlsCa: ca }: Config): Mailer | undefined {
  const place = mailUrl === undefined ? undefined : mailPlace(mailUrl);
  if (place === undefined || mailFrom === undefined) return undefined;
  return new SmtpMailer({ ...place, needsTLS: !isLoopback(place.host), ca, from: mailFrom });
}
