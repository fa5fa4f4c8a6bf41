/** Sends mail: text to one address. What it says of a patient is none of its business, and nothing of it is kept. */
import type { Language } from '../../profiles/language.ts';

/** A mail. */
export type Mail = {
  /** Its Message-ID is made of it: sent again it is known as the same (RFC 5322 section 3.6.4). */
  readonly id: string;
  /** One address, as isMailAddress has it. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly language: Language;
};

/** What became of it: a mail server took it, or refused this address or mail for good. */
export type MailOutcome = 'sent' | 'refused';

/** The port. */
export interface Mailer {
  /**
   * Hands a mail to the mail server. Killed on the way it may have been taken all the same.
   * @throws {Fault} transient - it could not be handed over, for now or for a reason that is ours
   */
  send(mail: Mail): Promise<MailOutcome>;
}
