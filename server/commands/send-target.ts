/** Where `npm run send` sends, and as whom: what its options say, else the server of the configuration. */
import type { ConnectionOptions } from 'node:tls';
import { Fault } from '../../profiles/fault.ts';
import type { StoreTarget } from '../clients/store-scu/association-request.ts';
import { configFrom } from '../config/config.ts';
import { readEnv } from '../config/env.ts';
import { VARIABLES } from '../config/variables.ts';
import { askServer } from '../control/caller.ts';
import type { DimseFacts } from '../control/protocol.ts';
import { readTLSFiles } from '../endpoints/dimse/tls.ts';
import { dataFolder } from './operator.ts';

/** The options, as they were given. */
export type TargetOptions = {
  readonly to?: string;
  readonly from?: string;
  readonly 'tls-cert'?: string;
  readonly 'tls-key'?: string;
  readonly 'tls-ca'?: string;
};

const AE_TITLE = /^(?! )[ -[\]-~]{1,16}(?<! )$/;
const ADDRESS = /^(?<aeTitle>.{1,16})@(?:\[(?<ipv6>[0-9A-Fa-f:.]+)\]|(?<host>[^:@[\]]+)):(?<port>\d{1,5})$/;

/**
 * Finds the target.
 * @throws {Fault} invalid - an option is malformed, or leaves open what must be said; not-found - no server runs
 */
export async function targetOf(options: TargetOptions): Promise<StoreTarget> {
  const tls = await tlsOf(options);
  if (options.to !== undefined)
    return {
      ...addressOf(options.to),
      callingAE: aeTitleOf(options.from ?? ownAETitle()),
      ...(tls === undefined ? {} : { tls }),
    };
  if (tls !== undefined) throw new Fault('invalid', 'DICOM over TLS needs an address: --to AE@host:port');
  const { aeTitle: calledAE, host, port, localAETitles } = await ownServer();
  return { host, port, calledAE, callingAE: aeTitleOf(options.from ?? onlyOne(localAETitles)) };
}

function addressOf(to: string): Pick<StoreTarget, 'host' | 'port' | 'calledAE'> {
  const { aeTitle = '', ipv6, host = '', port = '' } = ADDRESS.exec(to)?.groups ?? {};
  const number = Number(port);
  if (number < 1 || number > 65_535)
    throw new Fault('invalid', '--to is AE@host:port, as PACS@imaging.example.org:104');
  return { calledAE: aeTitleOf(aeTitle), host: ipv6 ?? host, port: number };
}

function aeTitleOf(text: string): string {
  if (AE_TITLE.test(text)) return text;
  throw new Fault('invalid', 'An AE title has 1 to 16 characters, none of them a backslash');
}

function ownAETitle(): string {
  return readEnv(process.env).DIMSE_AE_TITLE ?? VARIABLES.DIMSE_AE_TITLE.default;
}

/** Of its AE title depends whose the exams are, so nobody guesses it. */
function onlyOne(aeTitles: readonly string[]): string {
  const [only, ...others] = aeTitles;
  if (only !== undefined && others.length === 0) return only;
  const known =
    aeTitles.length === 0
      ? 'the region has none for this machine'
      : `the region has ${aeTitles.join(', ')} for this machine`;
  throw new Fault('invalid', `Say as whom to send: --from AE (${known})`);
}

async function ownServer(): Promise<DimseFacts> {
  const answered = await askServer({ dataDir: dataFolder(), command: 'dimse', args: {} });
  if (answered !== undefined) return answered.answer as DimseFacts;
  const { host, dimsePort: port, dimseAeTitle: aeTitle } = configFrom(readEnv(process.env));
  if (port === 0)
    throw new Fault(
      'not-found',
      `No server runs on ${dataFolder()}: start it, or say where to send: --to AE@host:port`,
    );
  return { host, port, aeTitle, localAETitles: [] };
}

async function tlsOf({
  'tls-cert': cert,
  'tls-key': key,
  'tls-ca': ca,
}: TargetOptions): Promise<ConnectionOptions | undefined> {
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined || ca === undefined)
    throw new Fault('invalid', 'DICOM over TLS needs --tls-cert, --tls-key and --tls-ca');
  const read = await readTLSFiles({ cert, key, ca });
  return { cert: read.cert, key: read.key, ca: read.ca };
}
