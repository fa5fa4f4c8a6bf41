/** Programs that send DICOM files, each told what it said of every file. */
import { writeFile, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasProgram } from '../../../profiles/dicom/samples.ts';
import { answerTo, associateModality } from '../../../hostile/dicom/store.ts';
import { runProgram } from '../../../support/peers/dcmtk.ts';
import { PYTHON } from '../../../support/peers/python-peers.ts';
import { forwardByOrthanc } from './orthanc.ts';
import { PEER_SCRIPT } from './reference.ts';
import type { SampleFile } from './sample-files.ts';
import type { Sending, Verdict } from './sending.ts';

/** A program; `send` gives a verdict for each file by its name. */
export type Sender = {
  readonly name: string;
  readonly isInstalled: () => boolean;
  readonly send: (sending: Sending) => Promise<ReadonlyMap<string, Verdict>>;
};

/** All of them. The raw bytes are sent by the test itself: as in the file, whatever they are. */
export const SENDERS: readonly Sender[] = [
  { name: 'storescu', isInstalled: () => hasProgram('storescu'), send: storescu },
  { name: 'dcmsend', isInstalled: () => hasProgram('dcmsend'), send: dcmsend },
  { name: 'pynetdicom', isInstalled: () => hasProgram(PYTHON), send: pynetdicom },
  { name: 'Orthanc', isInstalled: () => hasProgram('Orthanc'), send: forwardByOrthanc },
  { name: 'raw bytes', isInstalled: () => true, send: rawBytes },
];

/** DCMTK proposes uncompressed syntaxes unless a profile says what it may propose: each pair of the files. */
async function storescu({ files, folder, scratch, to, aeTitle }: Sending): Promise<ReadonlyMap<string, Verdict>> {
  const profile = join(scratch, 'storescu.cfg');
  await writeFile(profile, profileOf(files));
  const { output } = await runProgram('storescu', [
    '-v',
    '-xf',
    profile,
    'Peers',
    '-nh',
    '+sd',
    '-aet',
    aeTitle,
    '-aec',
    to.aeTitle,
    to.host,
    String(to.port),
    folder,
  ]);
  const told = output
    .split(/^I: Sending file: /m)
    .slice(1)
    .map((part): [string, Verdict] => {
      const name = basename(part.slice(0, part.indexOf('\n')).trim());
      const [, said] = /^I: Received Store Response \((.*)\)$/m.exec(part) ?? [];
      if (said === 'Success') return [name, { status: 0 }];
      return [name, { notSent: said ?? [...part.matchAll(/^E: (.*)$/gm)].map(([, line]) => line).join('; ') }];
    });
  return new Map(told);
}

function profileOf(files: readonly SampleFile[]): string {
  const syntaxes = [...new Set(files.map(({ transferSyntaxUID }) => transferSyntaxUID))];
  const pairs = [
    ...new Set(
      files.flatMap(({ sopClassUID, transferSyntaxUID }) =>
        sopClassUID === undefined ? [] : [`${sopClassUID}\\T${syntaxes.indexOf(transferSyntaxUID)}`],
      ),
    ),
  ];
  return [
    '[[TransferSyntaxes]]',
    ...syntaxes.flatMap((uid, at) => [`[T${at}]`, `TransferSyntax1 = ${uid}`]),
    '[[PresentationContexts]]',
    '[Contexts]',
    ...pairs.map((pair, at) => `PresentationContext${at + 1} = ${pair}`),
    '[[Profiles]]',
    '[Peers]',
    'PresentationContexts = Contexts',
    '',
  ].join('\n');
}

async function dcmsend({ folder, scratch, to, aeTitle }: Sending): Promise<ReadonlyMap<string, Verdict>> {
  const report = join(scratch, 'dcmsend.txt');
  const options = [
    '-v',
    '+f',
    '+sd',
    '--no-halt',
    '--decompress-never',
    '+crf',
    report,
    '-aet',
    aeTitle,
    '-aec',
    to.aeTitle,
  ];
  const { output } = await runProgram('dcmsend', [...options, to.host, String(to.port), folder]);
  const ignored = [...output.matchAll(/^W: bad DICOM file: (.*?): (.*), ignoring file$/gm)].map(
    ([, path = '', why = '']): [string, Verdict] => [basename(path), { notSent: why }],
  );
  const reported = (await readFile(report, 'utf8')).matchAll(/^Filename {6}: (.*)$[\s\S]*?^DIMSE Status {2}: (.*)$/gm);
  const sent = [...reported].map(([, path = '', status = '']): [string, Verdict] => [
    basename(path),
    status.startsWith('0x') ? { status: Number.parseInt(status) } : { notSent: status },
  ]);
  return new Map([...ignored, ...sent]);
}

async function pynetdicom({ folder, to, aeTitle }: Sending): Promise<ReadonlyMap<string, Verdict>> {
  const { code, output } = await runProgram(PYTHON, [
    '-W',
    'ignore',
    PEER_SCRIPT,
    'send',
    to.host,
    String(to.port),
    aeTitle,
    to.aeTitle,
    folder,
  ]);
  if (code !== 0) throw new Error(output);
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  const told = lines.map(
    (line) => JSON.parse(line) as { file: string; status?: number; comment?: string; error?: string },
  );
  return new Map(
    told.map(({ file, status = -1, comment = '', error }) => [
      file,
      error === undefined ? { status, comment } : { notSent: error },
    ]),
  );
}

async function rawBytes({ files, to, aeTitle }: Sending): Promise<ReadonlyMap<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  for (const { name, bytes, dataSetOffset, sopClassUID, sopInstanceUID, transferSyntaxUID } of files) {
    if (sopClassUID === undefined || sopInstanceUID === undefined) {
      verdicts.set(name, { notSent: 'No SOP class' });
      continue;
    }
    const association = await associateModality({ dimse: to }, transferSyntaxUID, sopClassUID, aeTitle);
    const answer = await answerTo(association, sopInstanceUID, bytes.subarray(dataSetOffset), sopClassUID).catch(
      String,
    );
    association.socket.destroy();
    verdicts.set(
      name,
      typeof answer === 'string'
        ? { notSent: answer }
        : { status: answer.status ?? -1, comment: answer.errorComment ?? '' },
    );
  }
  return verdicts;
}
