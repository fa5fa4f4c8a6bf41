/** The server's side of `npm run import`: files what the command has taken. */
import { Fault, toFault } from '../../profiles/fault.ts';
import type { Import } from '../flows/intake/receive-import.ts';
import type { Log } from '../log.ts';
import { textOf } from './arguments.ts';
import type { ControlCommand } from './door.ts';
import {
  FILED_AT_ONCE,
  readImportedFile,
  type ImportedFile,
  type ImportPlace,
  type ImportProgress,
} from './import-lines.ts';

/** What the command needs. */
export type ImportCommandDeps = {
  /** @throws {Fault} not-found - no establishment is called so */
  readonly placeOf: (called: string) => ImportPlace;
  readonly begin: (organization: string) => Import;
  readonly log: Log;
};

/**
 * Makes the command: its argument is the establishment, what is said after it are files. It ends whatever becomes of
 * the caller.
 */
export function importCommand({ placeOf, begin, log }: ImportCommandDeps): ControlCommand {
  return async (args, tell, _signal, said) => {
    const place = placeOf(textOf(args, 'organization'));
    const importing = begin(place.organization);
    tell({ begun: place } satisfies ImportProgress);
    const running = new Set<Promise<void>>();
    try {
      for await (const one of said) {
        const filing = fileOne(importing, place, readImportedFile(one), log)
          .then((progress) => (progress === undefined ? undefined : tell(progress)))
          .finally(() => running.delete(filing));
        running.add(filing);
        if (running.size >= FILED_AT_ONCE) await Promise.race(running);
      }
    } finally {
      await Promise.allSettled(running);
      await importing.ended();
    }
    return {};
  };
}

/** Never rejects: what is refused is told, and the import goes on. */
async function fileOne(
  importing: Import,
  { organization }: ImportPlace,
  file: ImportedFile,
  log: Log,
): Promise<ImportProgress | undefined> {
  const { number } = file;
  try {
    if ('unfiled' in file)
      return {
        number,
        outcome: await importing.file({ ...file.unfiled, row: { ...file.unfiled.row, source: organization } }),
      };
    await importing.refused(new Fault(file.refused.kind, file.refused.message));
    return undefined;
  } catch (error) {
    const { kind, message } = toFault(error);
    if (kind === 'exception') log.error({ err: error }, 'a file could not be imported');
    return { number, fault: { kind, message } };
  }
}
