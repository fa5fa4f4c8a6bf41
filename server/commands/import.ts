/**
 * `npm run import -- DIR --organization O`: imports the former archive of an establishment into the running server of
 * the data folder, or into the folder itself when no server runs. It may be broken off at any time and started again.
 */
import { realpath } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { isReferencedPixelData } from '../../profiles/dicom/file/transfer-syntax.ts';
import { isStorageClass } from '../../profiles/dicom/storage-class.ts';
import { Fault, toFault, type FaultKind } from '../../profiles/fault.ts';
import { openImport, type ImportDesk } from '../compose/import.ts';
import { readEnv } from '../config/env.ts';
import type { UnfiledInstance } from '../flows/intake/receive-bytes.ts';
import { openLog } from '../log.ts';
import { dataSetOf, readHead, type DicomFileHead } from './dicom-file.ts';
import { FileReport } from './file-report.ts';
import { ImportJournal } from './import-journal.ts';
import { inParallel } from './in-parallel.ts';
import { argumentsOf, dataFolder, folderNamed, interruption, runCommand } from './operator.ts';
import { Progress } from './progress.ts';
import { countFiles, walkFiles, type LeftOut, type WalkedFile } from './walk-files.ts';

const USAGE = `Usage: npm run -s import -- DIR --organization ESTABLISHMENT [--report FILE] [--again]
Imports the DICOM files of a folder and of those below it as exams of an establishment of the region: its id, its name,
or one of its AE titles. Exams are marked as imported. Files that an earlier run has done are passed over; --again takes
them anew, to no effect when they stand. --report FILE writes what was left out, and why, as JSON.
Exit code 0: all done; 1: some files were refused or not readable; 2: the import did not take place, or ended early.`;

const log = openLog({ level: 'error' })('import');
const AT_ONCE = 8;
/** What may go better a moment later. */
const PASSING: ReadonlySet<FaultKind> = new Set(['transient', 'throttled']);
const MOST_TRIES = 4;
const FIRST_PAUSE_MS = 250;
const OUTCOMES = [
  ['stored', 'imported'],
  ['already', 'stood already'],
  ['other-transfer-syntax', 'stood already in another transfer syntax'],
  ['quarantined', 'kept aside, for they contradict what stands'],
  ['dropped', 'not kept, for the patient is opposed'],
  ['done', 'done by an earlier run'],
] as const;

type Importing = {
  readonly desk: ImportDesk;
  readonly journal: ImportJournal;
  readonly again: boolean;
  readonly report: FileReport;
};

async function importFolder(): Promise<void> {
  const options = { organization: { type: 'string' }, report: { type: 'string' }, again: { type: 'boolean' } } as const;
  const { values, positionals } = argumentsOf({ allowPositionals: true, options }, USAGE);
  const [named = '', ...others] = positionals;
  if (named === '' || others.length > 0 || values.organization === undefined) throw new Fault('invalid', USAGE);
  const [folder, dataDir, signal] = [await folderNamed(named), dataFolder(), interruption()];
  const desk = await openImport(readEnv(process.env), dataDir, values.organization);
  try {
    const report = await FileReport.open(values.report);
    const journal = await ImportJournal.open(dataDir);
    try {
      await importAll({ desk, journal, again: values.again === true, report }, { folder, dataDir, signal });
    } finally {
      journal.close();
      process.stdout.write(report.text(OUTCOMES));
      await report.close();
    }
    if (!desk.isRunning) process.stdout.write('The exams are published as soon as a server runs.\n');
    if (report.hasFailures) process.exitCode = 1;
    if (signal.aborted) throw new Fault('transient', 'The import was interrupted: start it again to go on');
  } finally {
    await desk.close();
  }
}

type Where = { readonly folder: string; readonly dataDir: string; readonly signal: AbortSignal };

async function importAll(importing: Importing, { folder, dataDir, signal }: Where): Promise<void> {
  const { desk, report } = importing;
  const progress = new Progress('Importing', undefined, process.stderr);
  const ended = new AbortController();
  void countFiles(folder, AbortSignal.any([signal, ended.signal])).then((count) =>
    count === undefined ? undefined : progress.expect(count),
  );
  try {
    await inParallel(walkFiles(folder, await realpath(dataDir)), { count: AT_ONCE, signal }, async (file) => {
      if (file.kind === 'file') await importOne(importing, file);
      else report.name(file.kind, file.name, file.reason);
      progress.show(report.done, '');
    });
  } finally {
    ended.abort();
    progress.end();
    if (desk.gone() === undefined) await desk.ended();
  }
}

async function importOne(importing: Importing, file: WalkedFile): Promise<void> {
  const { desk, journal, again, report } = importing;
  const key = ImportJournal.key(desk.place.organization, file);
  if (!again && journal.has(key)) return report.count('done');
  const head = await readHead(file.path);
  if ('kind' in head) return await leaveOut(importing, { ...head, name: file.name });
  for (let tries = 1; ; tries += 1) {
    try {
      report.count(await desk.file(await takeFile(importing, file, head)));
      return journal.add(key);
    } catch (error) {
      const fault = toFault(error);
      if (!isOfTheFile(desk, fault)) throw error;
      if (fault.kind === 'exception') log.error({ err: error }, 'a file could not be imported');
      if (!PASSING.has(fault.kind) || tries === MOST_TRIES) return report.name('refused', file.name, fault.message);
      // The bytes are taken anew: of the first ones nobody knows whether a row has them.
      await pause(FIRST_PAUSE_MS * 2 ** tries);
    }
  }
}

/** After a full disk, or when the server has gone, no other file would do better. */
function isOfTheFile(desk: ImportDesk, { kind }: Fault): boolean {
  return desk.gone() === undefined && kind !== 'no-store';
}

async function leaveOut(
  { desk, report }: Importing,
  { kind, name, reason }: LeftOut | { kind: 'refused'; name: string; reason: string },
): Promise<void> {
  if (kind === 'refused') await desk.refused(new Fault('invalid', reason));
  report.name(kind, name, reason);
}

/** Takes the bytes of a file; what is refused meanwhile is recorded. */
async function takeFile(
  { desk }: Importing,
  file: WalkedFile,
  { meta, dataSetOffset }: DicomFileHead,
): Promise<UnfiledInstance> {
  try {
    if (!isStorageClass(meta.sopClassUID))
      throw new Fault('not-supported', 'The SOP class is not one of storage', { expression: 'SOPClassUID' });
    if (isReferencedPixelData(meta.transferSyntaxUID))
      throw new Fault('invalid', 'The pixels stay elsewhere in this transfer syntax', {
        expression: 'TransferSyntaxUID',
      });
    if (file.size - dataSetOffset > desk.place.maxInstanceBytes)
      throw new Fault('too-long', `An instance has at most ${desk.place.maxInstanceBytes} bytes`);
    return await bytesOf(desk, file, { meta, dataSetOffset });
  } catch (error) {
    const fault = toFault(error);
    if (isOfTheFile(desk, fault)) await desk.refused(fault);
    throw error;
  }
}

async function bytesOf(
  { receiveBytes, place }: ImportDesk,
  file: WalkedFile,
  { meta, dataSetOffset }: DicomFileHead,
): Promise<UnfiledInstance> {
  const receiving = receiveBytes({ ...meta, peer: { organization: place.organization } });
  try {
    for await (const chunk of dataSetOf(file.path, dataSetOffset)) await receiving.write(chunk);
  } catch (error) {
    await receiving.abort();
    throw error;
  }
  const { unfiled, durable } = await receiving.finish();
  await durable;
  return unfiled;
}

await runCommand(importFolder);
