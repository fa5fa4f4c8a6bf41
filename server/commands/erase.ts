/**
 * `npm run erase -- STUDY_INSTANCE_UID`: erases a study as if it had never been, on the running server of the data
 * folder, or on the folder itself when no server runs. It cannot be undone, so it asks for the UID again, or for
 * `--yes`. `npm run erase -- verify FILE` verifies the certificate of the erasure of a record.
 */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { isUID } from '../../profiles/dicom/uid.ts';
import { Fault } from '../../profiles/fault.ts';
import { composeStopped, type Stopped } from '../compose/compose.ts';
import { publicKeyOf, verifyCertificate } from '../compose/erasure-key.ts';
import { configFrom } from '../config/config.ts';
import { readEnv } from '../config/env.ts';
import { askServer } from '../control/caller.ts';
import type { ErasedStudy } from '../flows/erase/erase-study.ts';
import { openLog } from '../log.ts';
import { argumentsOf, dataFolder, runCommand } from './operator.ts';
import { codeOf } from './walk-files.ts';

const USAGE = `Usage: npm run -s erase -- STUDY_INSTANCE_UID [--yes]
Erases the images, manifests and metadata of a study, the reports that are of this study alone, and what the audit trail
tells of it. The study can be received again. --yes does not ask.
       npm run -s erase -- verify FILE [--key FILE]
Verifies the certificate (a compact JWS) of the erasure of a record, and prints what it says; without a server. --key is
the public key of the server, by default the file beside PASSERELLE_AUDIT_ANCHOR_KEY that ends in .erasure.pub.
       npm run -s erase -- readmit SYSTEM VALUE
Takes what comes in of somebody who was erased from now on, by a number of hers. Nothing comes back.`;

async function erase(): Promise<void> {
  const { values, positionals } = argumentsOf(
    { allowPositionals: true, options: { yes: { type: 'boolean' }, key: { type: 'string' } } } as const,
    USAGE,
  );
  const [studyInstanceUID = '', ...others] = positionals;
  if (studyInstanceUID === 'verify') return await verify(others, values.key);
  if (studyInstanceUID === 'readmit') return await readmit(others);
  if (!isUID(studyInstanceUID) || others.length > 0) throw new Fault('invalid', USAGE);
  if (values.yes !== true) await confirm(studyInstanceUID);
  const answered = await askServer({ dataDir: dataFolder(), command: 'erase', args: { studyInstanceUID } });
  const { instances, resources, events } =
    answered === undefined
      ? await onFolder(async (flows) => await flows.eraseStudy(studyInstanceUID))
      : (answered.answer as ErasedStudy);
  process.stdout.write(`erased: ${instances} instances, ${resources} resources; ${events} audit events tell less\n`);
}

async function verify([file = '', ...others]: readonly string[], keyFile: string | undefined): Promise<void> {
  if (file === '' || others.length > 0) throw new Fault('invalid', USAGE);
  const certificate = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Fault('invalid', `${file} cannot be read (${codeOf(cause)})`, { cause });
  });
  const content = await verifyCertificate(certificate.trim(), keyFile ?? publicKeyOf(readEnv(process.env)));
  process.stdout.write(`whole: ${content}\n`);
}

async function readmit([system = '', value = '', ...others]: readonly string[]): Promise<void> {
  if (system === '' || value === '' || others.length > 0) throw new Fault('invalid', USAGE);
  const number = { system, value };
  const answered = await askServer({ dataDir: dataFolder(), command: 'readmit', args: number });
  if (answered === undefined) await onFolder(async (flows) => await flows.readmit(number));
  process.stdout.write('readmitted: what comes in of this person is taken from now on\n');
}

async function confirm(studyInstanceUID: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Fault('invalid', `This cannot be undone: say --yes\n${USAGE}`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const typed = await terminal.question('This cannot be undone. Type the Study Instance UID again: ');
  terminal.close();
  if (typed.trim() !== studyInstanceUID) throw new Fault('invalid', 'That is another UID: nothing was erased');
}

async function onFolder<T>(work: (flows: Stopped['flows']) => Promise<T>): Promise<T> {
  const config = configFrom(readEnv(process.env));
  const { flows, close } = await composeStopped(config, openLog({ level: config.logLevel }));
  try {
    return await work(flows);
  } finally {
    await close();
  }
}

await runCommand(erase);
