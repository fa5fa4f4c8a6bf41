/** One server to a data folder: a lock that the operating system lets go when the process ends, however it ends. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../../../profiles/fault.ts';

/**
 * Takes the lock of a data folder; the returned function gives it back.
 * @throws {Fault} conflict - another server holds it
 */
export function lockDataFolder(dataDir: string): () => void {
  const handle = new DatabaseSync(join(dataDir, 'lock'));
  try {
    handle.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;');
  } catch (error) {
    handle.close();
    throw new Fault('conflict', 'Another server is running on this data folder', { cause: error });
  }
  return () => handle.close();
}
