/** Commands whose reader has read enough, as `npm run region -- show | head` has, end without a word. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';
import { startCommand } from '../../support/command.ts';

/** 128 and the number of SIGPIPE, as shells tell of other programs. */
const READ_ENOUGH = 141;

describe('A command whose output nobody reads any more', function () {
  this.timeout(60_000);
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-enough-'));
    const stores = await openSqliteStores({ dataDir });
    await stores.close();
  });
  after(async () => await rm(dataDir, { recursive: true, force: true }));

  for (const [name, ...args] of [['region', 'schema'], ['region', 'show'], ['jobs', 'list'], ['audit:verify']] as const)
    it(`npm run ${name} ${args.join(' ')} ends without a word, with the code of SIGPIPE`, async () => {
      const { child, ended } = startCommand(name, args, { dataDir });
      child.stdout?.destroy();
      const { code, stderr } = await ended;
      expect([code, stderr]).to.deep.equal([READ_ENOUGH, '']);
    });
});
