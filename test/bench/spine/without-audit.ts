/**
 * Loaded before the server (`--import`): what a requester's read costs when nothing of it is told or written. For the
 * bench alone, as the measure of what the audit costs; the product has no such switch.
 */
import { SqliteRecordStore } from '../../../server/stores/sqlite/records.ts';
import { Writer } from '../../../server/stores/sqlite/write/writer.ts';

const { look } = SqliteRecordStore.prototype;
SqliteRecordStore.prototype.look = async function untold(grant, question, _account) {
  return (await look.call(this, grant, question, () => [] as never)) as never;
};

const { send } = Writer.prototype;
Writer.prototype.send = function unwritten(name, order) {
  return name === 'audit' ? Promise.resolve(undefined as never) : (send.call(this, name, order) as never);
};
