/**
 * A process that does the work that waits in a world, and is killed when it has committed a number of times:
 * `node killed-process.ts STORE FOLDER COMMITS`. It ends by itself when fewer were left.
 */
import { openWorld } from './world.ts';

const [store, folder, commits] = process.argv.slice(2);
const world = await openWorld(store, folder);
const { records } = world.stores;
const commit = records.commit.bind(records);
let left = Number(commits);
Object.assign(records, {
  commit: async (...order: Parameters<typeof commit>) => {
    const receipt = await commit(...order);
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    return receipt;
  },
});
await world.rest();
await world.close();
