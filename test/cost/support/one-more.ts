/** Loaded before a server that is counted: reads that are recorded or go on, and writes, run a statement more each. */
import { systemGrant } from '../../../server/access/grant.ts';
import { MongoRecordStore } from '../../../server/stores/mongodb/records.ts';
import { SqliteRecordStore } from '../../../server/stores/sqlite/records.ts';

for (const { prototype } of [SqliteRecordStore, MongoRecordStore]) {
  for (const name of ['look', 'follow', 'commit'] as const) {
    const method = prototype[name];
    const dearer = async function dearer(this: SqliteRecordStore, ...args: unknown[]): Promise<unknown> {
      await this.instanceOf(systemGrant('erase-study', 'whole', 0), 'none');
      return await (Reflect.apply(method, this, args) as Promise<unknown>);
    };
    Object.assign(prototype, { [name]: dearer });
  }
}
