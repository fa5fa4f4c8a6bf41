/** C-STORE of raw bytes to a running server. */
import { readFile, writeFile } from 'node:fs/promises';
import { DICOM_UID } from '../../../profiles/codes.ts';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { parseCommandSet, type CommandSet } from '../../../ihe/dimse/command-set.ts';
import { CT_IMAGE, dataPDU, RawCaller, storeRequest } from '../../server/endpoints/dimse/door.ts';
import type { TestServer } from '../../support/server.ts';
import { processorMsOf } from '../../support/run/cpu-time.ts';

const FRAGMENT_BYTES = 200_000;
const CONTEXT = 3;

/** Associates with one context; as the modality of Strasbourg, for CT images, when nothing else is said. */
export async function associateModality(
  { dimse }: Pick<TestServer, 'dimse'>,
  transferSyntaxUID: string = DICOM_UID.explicitLittleEndian,
  sopClassUID: string = CT_IMAGE,
  calling: string = ESTABLISHMENTS.strasbourg.aeTitle,
): Promise<RawCaller> {
  const contexts = [{ id: CONTEXT, abstractSyntax: sopClassUID, transferSyntaxes: [transferSyntaxUID] }];
  return await RawCaller.associate({ address: dimse }, contexts, { calling, called: dimse.aeTitle });
}

/** Sends one data set on an association; gives the status of the answer. */
export async function storeBytes(
  caller: RawCaller,
  sopInstanceUID: string,
  dataSet: Uint8Array,
  sopClassUID: string = CT_IMAGE,
): Promise<number> {
  return (await answerTo(caller, sopInstanceUID, dataSet, sopClassUID)).status ?? -1;
}

/** Sends one data set on an association; gives the answer. */
export async function answerTo(
  caller: RawCaller,
  sopInstanceUID: string,
  dataSet: Uint8Array,
  sopClassUID: string,
): Promise<CommandSet> {
  caller.socket.write(storeRequest(sopInstanceUID, { sopClassUID }));
  for (let at = 0; at === 0 || at < dataSet.length; at += FRAGMENT_BYTES) {
    const isLast = at + FRAGMENT_BYTES >= dataSet.length;
    caller.socket.write(dataPDU(CONTEXT, dataSet.subarray(at, at + FRAGMENT_BYTES), { isLast }));
  }
  const answer = await caller.pdu();
  if (answer?.[0] !== 0x04) throw new Error(`No answer but ${answer?.toString('hex') ?? 'the end'}`);
  return parseCommandSet(answer.subarray(12));
}

/** What work costs a server: milliseconds of processor time, and megabytes above what it held, at their highest. */
export async function costOf<T>(
  { pid }: TestServer,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly processorMs: number; readonly megabytes: number }> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  const before = await memoryOf(pid, 'VmRSS');
  const began = processorMsOf(pid);
  const result = await work();
  return { result, processorMs: processorMsOf(pid) - began, megabytes: (await memoryOf(pid, 'VmHWM')) - before };
}

async function memoryOf(pid: number, name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const [, kilobytes = '0'] =
    new RegExp(`${name}:\\s+(\\d+) kB`).exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
