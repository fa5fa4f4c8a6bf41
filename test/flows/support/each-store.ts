/** A story on a running server, told once on each store. */
import { hasProgram } from '../../profiles/dicom/samples.ts';
import { EACH_STORE, type OpenedStore } from '../../support/peers/each-store.ts';
import { makeRegionFile, type EditedRegion, type RegionFile } from '../../support/region-file.ts';
import { startServer, type ServerOptions, type TestServer } from '../../support/server.ts';
import { openWorld, type World } from './world.ts';

/** How the server runs; `region` edits the demonstration's region file. */
export type StoryOptions = ServerOptions & { readonly region?: (region: EditedRegion) => void };

/** The server of the store at hand, and the store as `openTrail` wants it. */
export type Running = { readonly server: TestServer; readonly store: string };

/** Describes a story for SQLite and for MongoDB; `running` is for the tests and their hooks, not for before. */
export function onEachStore(
  title: string,
  options: StoryOptions,
  define: (running: () => Running, store: string) => void,
): void {
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
      }, name);
    });
  }
}

/** Describes a story of the world of one study (world.ts), of two slices, in the same way. */
export function onEachWorld(title: string, define: (world: () => World, store: string) => void): void {
  for (const store of EACH_STORE) {
    describe(`${title}, on ${store.name}`, function () {
      this.timeout(180_000);
      let world: World | undefined;
      let close = async (): Promise<void> => {};

      before(async function () {
        if (!hasProgram('storescu') || store.missing() !== undefined) this.skip();
        const opened = await store.open();
        close = opened.close;
        world = await openWorld({ store: opened.store, slices: 2 });
      });
      after(async () => {
        await world?.close();
        await close();
      });

      define(() => {
        if (world === undefined) throw new Error('The world is not open yet');
        return world;
      }, store.name);
    });
  }
}
