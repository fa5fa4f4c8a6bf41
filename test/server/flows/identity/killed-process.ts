/**
 * A process that does the work that waits in a world, and is killed when it has committed a number of times:
 * `node killed-process.ts STORE FOLDER COMMITS`. It ends by itself when fewer were left.
 */
import { killedAfter } from '../../../hostile/kill/killed-after.ts';
import { openWorld } from './world.ts';

const [store, folder, commits] = process.argv.slice(2);
const world = await openWorld(store, folder);
killedAfter(world.stores.records, Number(commits));
await world.rest();
await world.close();
