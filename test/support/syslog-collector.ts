/** A collector of syslog messages over TLS, as RFC 5425 has it: framed by octet counts, ended by the sender. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { certify, type Certified } from './certificates.ts';

/** A running collector. `messages` are those whose connection has ended. */
export type SyslogCollector = {
  readonly port: number;
  readonly messages: readonly string[];
  /** PEM files: the authority of the collector, and a certificate that it asks senders for. */
  readonly ca: string;
  readonly sender: Certified;
  close(): Promise<void>;
};

/** Starts a collector whose keys lie in a folder. Senders must show a certificate of its authority. */
export async function startCollector(folder: string, port = 0): Promise<SyslogCollector> {
  const ca = await certify(folder, 'authority');
  const [own, sender] = [await certify(folder, 'localhost', ca), await certify(folder, 'passerelle', ca)];
  const messages: string[] = [];
  const open = new Set<Socket>();
  const server = createServer(
    {
      key: await readFile(own.key),
      cert: await readFile(own.cert),
      ca: await readFile(ca.cert),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => collect(socket, messages),
  );
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    ca: ca.cert,
    sender,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function collect(socket: TLSSocket, messages: string[]): void {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.on('end', () => {
    const octets = Buffer.concat(chunks);
    for (let at = 0; at < octets.length;) {
      const space = octets.indexOf(' ', at);
      const length = Number(octets.subarray(at, space).toString());
      messages.push(octets.subarray(space + 1, space + 1 + length).toString());
      at = space + 1 + length;
    }
  });
}
