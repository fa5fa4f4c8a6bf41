/**
 * `npm run send -- DIR`: sends the DICOM files of a folder by C-STORE, byte for byte, to the server of the
 * configuration or to another.
 */
import { Fault } from '../../profiles/fault.ts';
import { FileReport } from './file-report.ts';
import { inParallel } from './in-parallel.ts';
import { argumentsOf, folderNamed, interruption, runCommand } from './operator.ts';
import { Progress } from './progress.ts';
import { batchesOf, Sender, type SenderDeps } from './send-files.ts';
import { targetOf } from './send-target.ts';
import { countFiles, walkFiles } from './walk-files.ts';

const USAGE = `Usage: npm run -s send -- DIR [--to AE@host:port] [--from AE] [--parallel N] [--report FILE]
                         [--tls-cert FILE --tls-key FILE --tls-ca FILE]
Sends the DICOM files of a folder and of those below it by C-STORE. Without --to they go to the server that runs on
PASSERELLE_DATA_DIR. --from is the AE title to send as, --parallel the number of associations (1 to 16). The TLS files
are PEM: our certificate, its key, and the authorities of the peer's. --report FILE writes what was not sent, and why,
as JSON.
Exit code 0: all sent; 1: some files were refused or not readable; 2: nothing was sent, or not all was tried.`;

const MOST_PARALLEL = 16;
const text = { type: 'string' } as const;
const OPTIONS = {
  to: text,
  from: text,
  parallel: text,
  report: text,
  'tls-cert': text,
  'tls-key': text,
  'tls-ca': text,
} as const;

async function send(): Promise<void> {
  const { values, positionals } = argumentsOf({ allowPositionals: true, options: OPTIONS }, USAGE);
  const [named = '', ...others] = positionals;
  const parallel = Number(values.parallel ?? 1);
  if (named === '' || others.length > 0 || !Number.isInteger(parallel) || parallel < 1 || parallel > MOST_PARALLEL)
    throw new Fault('invalid', USAGE);
  const [folder, target, signal] = [await folderNamed(named), await targetOf(values), interruption()];
  const report = await FileReport.open(values.report);
  const progress = new Progress('Sending', undefined, process.stderr);
  try {
    await sendAll(
      { target, report, signal, told: () => progress.show(report.done, '') },
      { folder, parallel, progress },
    );
  } finally {
    progress.end();
    process.stdout.write(report.text([['sent', 'sent']]));
    await report.close();
  }
  if (report.hasFailures) process.exitCode = 1;
  if (signal.aborted) throw new Fault('transient', 'Interrupted: not all was sent');
}

type What = { readonly folder: string; readonly parallel: number; readonly progress: Progress };

async function sendAll(deps: SenderDeps, { folder, parallel, progress }: What): Promise<void> {
  const ended = new AbortController();
  void countFiles(folder, AbortSignal.any([deps.signal, ended.signal])).then((count) =>
    count === undefined ? undefined : progress.expect(count),
  );
  const senders = Array.from({ length: parallel }, () => new Sender(deps));
  try {
    // An association that nothing goes over any more may keep a peer from taking the next.
    const leave = async (worker: number): Promise<void> => await senders[worker]?.close();
    await inParallel(
      batchesOf(walkFiles(folder), deps),
      { count: parallel, signal: deps.signal, leave },
      async (batch, worker) => await senders[worker]?.send(batch),
    );
  } finally {
    ended.abort();
  }
}

await runCommand(send);
