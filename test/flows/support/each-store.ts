/** A story on a running server, told once on each store. */
import { EACH_STORE, type OpenedStore } from '../../support/peers/each-store.ts';
import { makeRegionFile, type EditedRegion, type RegionFile } from '../../support/region-file.ts';
import { startServer, type ServerOptions, type TestServer } from '../../support/server.ts';

/** How the server runs; `region` edits the demonstration's region file. */
export type StoryOptions = ServerOptions & { readonly region?: (region: EditedRegion) => void };

/** The server of the store at hand, and the store as `openTrail` wants it. */
export type Running = { readonly server: TestServer; readonly store: string };

/** Describes a story for SQLite and for MongoDB; `running` is for the tests and their hooks, not for before. */
export function onEachStore(title: string, options: StoryOptions, define: (running: () => Running) => void): void {
  for (const { name, missing, open } of EACH_STORE) {
    describe(`${title}, on ${name}`, function () {
      this.timeout(120_000);
      let opened: OpenedStore | undefined;
      let file: RegionFile | undefined;
      let running: Running | undefined;

      before(async function () {
        if (missing() !== undefined) this.skip();
        const { region, env, ...others } = options;
        opened = await open();
        file = region === undefined ? undefined : await makeRegionFile();
        await file?.write(region);
        const ofRegion = file === undefined ? {} : { REGION: file.path };
        const { store } = opened;
        running = { store, server: await startServer({ ...others, env: { ...env, ...ofRegion }, store }) };
      });

      after(async () => {
        await running?.server.stop();
        await file?.remove();
        await opened?.close();
      });

      define(() => {
        if (running === undefined) throw new Error('The server does not run yet');
        return running;
      });
    });
  }
}
