/**
 * A process that opens the data of an earlier server and is killed when it has made a number of steps of adopting
 * identities: `node adopt-process.ts PLACE STEPS`. PLACE is a data folder or the URI of a MongoDB database. It ends by
 * itself when fewer were left.
 */
import { readFile } from 'node:fs/promises';
import { parseRegion } from '../../../../server/config/region.ts';
import { upgradeRecords } from '../../../../server/flows/upgrade/upgrade-records.ts';
import { indexRegion } from '../../../../server/flows/identity/region-index.ts';
import { openLog } from '../../../../server/log.ts';
import { systemClock } from '../../../../server/ports/clock.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openMongoStores } from '../../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { killedAfter } from '../../../hostile/kill/killed-after.ts';

const [place = '', steps = ''] = process.argv.slice(2);
const REGION = new URL('../../../../fixtures/region/region.json', import.meta.url);

const { records, close } = await (place.startsWith('mongodb')
  ? openMongoStores({ uri: place })
  : openSqliteStores({ dataDir: place }));
const { indexer } = await loadDefinitions();
killedAfter(records, Number(steps));
await upgradeRecords({
  records,
  clock: systemClock,
  indexer,
  region: indexRegion(parseRegion(JSON.parse(await readFile(REGION, 'utf8')))),
  log: openLog({ level: 'error' })('identity'),
}).run();
await close();
