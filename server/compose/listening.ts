/** The port of HTTP. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.ts';
import { Fault } from '../../profiles/fault.ts';

/** An address that is bound. */
export type Bound = { readonly host: string; readonly port: number };

/** Lets a server listen where the configuration says. */
export async function listenHttp(server: Server, { host, httpPort }: Config): Promise<Bound> {
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(httpPort, host, () => done());
  });
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}

/** Closes it: what is being answered has five seconds. */
export async function closeHttp(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((done) => server.close(() => done()));
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const late = setTimeout(() => server.closeAllConnections(), 5_000);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}

/** Says which variable to change when a port is taken. */
export function explainPort(variable: string, port: number): (error: unknown) => never {
  return (cause) => {
    if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'EADDRINUSE') throw cause;
    throw new Fault('conflict', `Port ${port} is taken by another process: choose another in ${variable}`, { cause });
  };
}
