/** What the variables of mail say together. */
import { isMailAddress } from '../../profiles/notices/recipient.ts';
import { PREFIX, type Environment } from './env.ts';

/** A mail server. Without `secure` TLS begins by STARTTLS. */
export type MailPlace = {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
};

/** Submission, in TLS from the first byte on and by STARTTLS. @see RFC 8314 section 3.3; RFC 6409 section 3.1 */
const PORTS = { 'smtps:': 465, 'smtp:': 587 } as const;

/** Reads `PASSERELLE_MAIL_URL`: user, password, host and port. Undefined of other than `smtp://` and `smtps://`. */
export function mailPlace(value: string): MailPlace | undefined {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:')) return undefined;
  const { hostname, username, password, pathname, search, hash } = url;
  if (hostname === '' || !['', '/'].includes(pathname) || search !== '' || hash !== '') return undefined;
  if ((username === '') !== (password === '')) return undefined;
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === undefined || secret === undefined) return undefined;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? PORTS[url.protocol] : Number(url.port),
    secure: url.protocol === 'smtps:',
    credentials: user === '' ? undefined : { user, password: secret },
  };
}

/** What is wrong with them, a line each. */
export function mailErrors({ MAIL_URL, MAIL_FROM, MAIL_TLS_CA }: Environment): readonly string[] {
  const errors: string[] = [];
  if (MAIL_URL !== undefined && MAIL_FROM === undefined)
    errors.push(`${PREFIX}MAIL_FROM is required with ${PREFIX}MAIL_URL`);
  if (MAIL_URL === undefined)
    for (const [name, value] of Object.entries({ MAIL_FROM, MAIL_TLS_CA }))
      if (value !== undefined) errors.push(`${PREFIX}${name} is for ${PREFIX}MAIL_URL, which is not set`);
  return errors;
}

/** Whether a text is one address, as mail may come from it. */
export function isSender(value: string): boolean {
  return isMailAddress(value);
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
