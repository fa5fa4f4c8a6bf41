/**
 * Anchors at a collector of syslog messages over TLS. It cannot be asked what it has, so the last anchor is kept in a
 * file as well, beside the key.
 * @see RFC 5425
 */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { connect, type ConnectionOptions } from 'node:tls';
import { formatSyslog, frameSyslog } from '../../../ihe/syslog/message.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Anchor, AuditAnchor } from '../../ports/audit-anchor.ts';
import type { AnchorKey } from './anchor-key.ts';
import { writeAnchor } from './anchor-text.ts';
import { FileAnchor } from './file-anchor.ts';

/** Where the collector is. Paths of PEM files; without `ca` the authorities of the system vouch for it. */
export type Collector = {
  readonly host: string;
  readonly port: number;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
};

/** Facility log audit, severity notice. @see RFC 5424 section 6.2.1 */
const [LOG_AUDIT, NOTICE] = [13, 5] as const;
const ANSWERS_WITHIN_MS = 10_000;

/** The adapter. */
export class SyslogAnchor implements AuditAnchor {
  readonly isNew: boolean;
  readonly #collector: Collector;
  readonly #key: Uint8Array;
  readonly #sent: FileAnchor;

  /** `sentPath` is the file of the last anchor that was sent. */
  constructor(collector: Collector, sentPath: string, key: AnchorKey) {
    this.isNew = key.isNew;
    this.#collector = collector;
    this.#key = key.key;
    this.#sent = new FileAnchor(sentPath, key);
  }

  async last(): Promise<Anchor | undefined> {
    return await this.#sent.last();
  }

  async write(anchor: Anchor): Promise<void> {
    const message = formatSyslog({
      facility: LOG_AUDIT,
      severity: NOTICE,
      timestamp: anchor.at,
      hostname: hostname(),
      appName: 'passerelle',
      procId: String(process.pid),
      msgId: 'AUDIT-ANCHOR',
      message: writeAnchor(anchor, this.#key),
    });
    try {
      await send(await optionsOf(this.#collector), frameSyslog(message));
    } catch (cause) {
      const { host, port } = this.#collector;
      throw new Fault('transient', `The audit anchor could not be sent to ${host}:${port}`, { cause });
    }
    await this.#sent.write(anchor);
  }
}

/** The files are read each time, as certificates are renewed while the server runs. */
async function optionsOf({ host, port, ca, cert, key }: Collector): Promise<ConnectionOptions> {
  const read = async (path: string | undefined) => (path === undefined ? undefined : await readFile(path));
  return {
    host,
    port,
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ca: await read(ca),
    cert: await read(cert),
    key: await read(key),
  };
}

/**
 * Sends octets on a connection of their own. Syslog has no answers: that the collector closes its side after ours tells
 * that it has read to the end (RFC 5425 section 4.4).
 */
async function send(options: ConnectionOptions, octets: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(options, () => socket.end(octets));
  socket.setTimeout(ANSWERS_WITHIN_MS, () => socket.destroy(new Error('The collector does not answer')));
  let hasEnded = false;
  socket.on('end', () => (hasEnded = true));
  socket.on('error', reject);
  socket.on('close', () => (hasEnded ? resolve() : reject(new Error('The collector broke the connection off'))));
  socket.resume();
  await promise;
}
