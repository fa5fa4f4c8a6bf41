/** A story on a running server, told once on each store. */
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../../support/peers/mongodb-peer.ts';
import { startServer, type ServerOptions, type TestServer } from '../../support/server.ts';

/** The server of the store at hand, and the store as `openTrail` wants it. */
export type Running = { readonly server: TestServer; readonly store: string };

/** Describes a story for SQLite and for MongoDB; `running` is for the tests and their hooks, not for before. */
export function onEachStore(title: string, options: ServerOptions, define: (running: () => Running) => void): void {
  for (const name of ['SQLite', 'MongoDB'] as const) {
    describe(`${title}, on ${name}`, function () {
      this.timeout(120_000);
      let peer: MongoPeer | undefined;
      let running: Running | undefined;

      before(async function () {
        if (name === 'MongoDB' && whyNoMongoPeer() !== undefined) this.skip();
        peer = name === 'MongoDB' ? await startMongoPeer() : undefined;
        const store = peer?.freshUri() ?? 'sqlite';
        running = { store, server: await startServer({ ...options, store }) };
      });

      after(async () => {
        await running?.server.stop();
        await peer?.stop();
      });

      define(() => {
        if (running === undefined) throw new Error('The server does not run yet');
        return running;
      });
    });
  }
}
