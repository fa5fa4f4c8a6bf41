/** The DIMSE door: listens, and gives every connection to an Association. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTLSServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { Association } from './association.ts';
import { AssociationSlots, DIMSE_LIMITS } from './limits.ts';
import type { DimseLimits } from './limits.ts';
import type { AssociationHook, IdentifyPeer, StoreHandler } from './store-handler.ts';

/** How the door is opened. */
export type DimseOptions = {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** The AE titles that the server answers to. */
  readonly calledAETitles: readonly string[];
  readonly identifyPeer: IdentifyPeer;
  readonly store: StoreHandler;
  readonly onAssociation?: AssociationHook;
  /** Present for DICOM over TLS (PS3.15 B.9): key, cert, ca, requestCert; at least TLS 1.2 whatever it says. */
  readonly tls?: TlsOptions;
  readonly limits?: Partial<DimseLimits>;
  /** Given to doors that share their limit of associations. */
  readonly slots?: AssociationSlots;
};

/** An open door. */
export type DimseListener = {
  readonly address: { readonly host: string; readonly port: number };
  /** Aborts the associations of callers that may call no more. */
  recheck(): void;
  /** Aborts every association, and resolves when each has ended and its unfinished data set was dropped. */
  close(): Promise<void>;
};

/** Opens the door; rejects when the address cannot be bound. */
export async function listenDimse(options: DimseOptions): Promise<DimseListener> {
  const limits: DimseLimits = { ...DIMSE_LIMITS, ...options.limits };
  const { calledAETitles, identifyPeer, store, onAssociation = () => undefined } = options;
  const deps = {
    calledAETitles,
    identifyPeer,
    store,
    onAssociation,
    limits,
    slots: options.slots ?? new AssociationSlots(limits),
  };
  const running = new Map<Association, Promise<void>>();
  const serve = (socket: Socket): void => {
    const association = new Association(socket, deps);
    running.set(
      association,
      association.run().finally(() => running.delete(association)),
    );
    stopOldestWaiting([...running.keys()], limits.maxWaitingConnections);
  };
  const server = createListener(options.tls, limits, serve);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    address: { host: address, port },
    recheck: () => [...running.keys()].forEach((association) => association.recheck()),
    close: async () => await close(server, running, sockets),
  };
}

function createListener(tls: TlsOptions | undefined, limits: DimseLimits, serve: (socket: Socket) => void): Server {
  if (tls === undefined) return createServer(serve);
  const handshakeTimeout = limits.associationTimeoutMs;
  const minVersion = tls.minVersion === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2';
  const server = createTLSServer({ ...tls, minVersion, handshakeTimeout }, serve);
  server.maxConnections = limits.maxAssociations + 2 * limits.maxWaitingConnections;
  // A failed handshake has closed its socket already.
  server.on('tlsClientError', () => undefined);
  return server;
}

/** A flood of silent connections pushes out its own oldest ones, never an association. */
function stopOldestWaiting(associations: readonly Association[], maxWaiting: number): void {
  const waiting = associations.filter(({ isEstablished }) => !isEstablished);
  for (const association of waiting.slice(0, Math.max(0, waiting.length - maxWaiting))) {
    association.stop('Too many connections wait for an association');
  }
}

async function close(
  server: Server,
  running: ReadonlyMap<Association, Promise<void>>,
  sockets: ReadonlySet<Socket>,
): Promise<void> {
  server.close();
  for (const association of running.keys()) association.stop('The server stops');
  await Promise.all(running.values());
  // What is left is in the middle of a TLS handshake.
  for (const socket of sockets) socket.destroy();
}
