/** What the variables of the audit anchor say together. */
import { dirname, resolve, sep } from 'node:path';
import { PREFIX, type Environment } from './env.ts';
import { VARIABLES } from './variables.ts';

/** Where anchors go: a file (absolute path), or a collector of syslog messages. */
export type AnchorPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'syslog'; readonly host: string; readonly port: number };

/** @see RFC 5425 section 4.1 */
const SYSLOG_TLS_PORT = 6514;

/** Reads `PASSERELLE_AUDIT_ANCHOR`; undefined when it is a URI of another form than `syslog+tls://host:port`. */
export function anchorPlace(value: string): AnchorPlace | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return { kind: 'file', path: resolve(value) };
  const [, host, port] = /^syslog\+tls:\/\/(\[[0-9a-f:.]+\]|[^/?#@:\s]+)(?::([0-9]{1,5}))?\/?$/i.exec(value) ?? [];
  if (host === undefined) return undefined;
  const number = port === undefined ? SYSLOG_TLS_PORT : Number(port);
  if (number < 1 || number > 65_535) return undefined;
  return { kind: 'syslog', host: host.replace(/^\[|\]$/g, ''), port: number };
}

/**
 * What is wrong with the anchor, a line each. It is required outside development, with a key that lies neither in the
 * data folder nor beside the anchors: with either of them alone nobody can make an anchor that fits.
 */
export function anchorErrors(environment: Environment): readonly string[] {
  const { AUDIT_ANCHOR: anchor, AUDIT_ANCHOR_KEY: key, DEVELOPMENT: development } = environment;
  const [cert, certKey] = [environment['AUDIT_ANCHOR_TLS_CERT'], environment['AUDIT_ANCHOR_TLS_KEY']];
  const dataDir = resolve(environment['DATA_DIR'] ?? VARIABLES.DATA_DIR.default);
  const errors: string[] = [];
  const say = (name: string, trouble: string): void => void errors.push(`${PREFIX}${name} ${trouble}`);
  if (anchor === undefined && development !== '1') say('AUDIT_ANCHOR', 'is required outside development');
  if (anchor !== undefined && key === undefined) say('AUDIT_ANCHOR_KEY', `is required with ${PREFIX}AUDIT_ANCHOR`);
  const place = anchor === undefined ? undefined : anchorPlace(anchor);
  if (place?.kind === 'file' && lies(place.path, dataDir)) say('AUDIT_ANCHOR', `must lie outside ${PREFIX}DATA_DIR`);
  if (key !== undefined && lies(resolve(key), dataDir)) say('AUDIT_ANCHOR_KEY', `must lie outside ${PREFIX}DATA_DIR`);
  if (key !== undefined && place?.kind === 'file' && dirname(resolve(key)) === dirname(place.path))
    say('AUDIT_ANCHOR_KEY', `must lie in another folder than ${PREFIX}AUDIT_ANCHOR`);
  if ((cert === undefined) !== (certKey === undefined))
    say(cert === undefined ? 'AUDIT_ANCHOR_TLS_CERT' : 'AUDIT_ANCHOR_TLS_KEY', 'is required, for the other is named');
  return errors;
}

function lies(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}
