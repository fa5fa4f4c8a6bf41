/** The world of one study (world.ts), opened once on each store. */
import { hasProgram } from '../../profiles/dicom/samples.ts';
import { EACH_STORE } from '../../support/peers/each-store.ts';
import { openWorld, type World } from './world.ts';

/** Describes a story for SQLite and for MongoDB, told of two slices; `world` is for the tests and their hooks. */
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
