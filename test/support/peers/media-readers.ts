/** Readers of media that others made: pydicom's FileSet and DCMTK. */
import { fileURLToPath } from 'node:url';
import { PYTHON } from './python-peers.ts';
import { runProgram, type Ran } from './dcmtk.ts';

/** An instance as pydicom finds it by a DICOMDIR; `loaded` is the UID in the file itself. */
export type FoundOnMedia = {
  readonly path: string;
  readonly type: string;
  readonly patient: string;
  readonly study: string;
  readonly series: string;
  readonly instance: string;
  readonly loaded: string;
  readonly name: string;
};

const SCRIPT = fileURLToPath(new URL('read_file_set.py', import.meta.url));

/** Reads a DICOMDIR and every file that it names. */
export async function readByPydicom(dicomdir: string): Promise<readonly FoundOnMedia[]> {
  const { code, output } = await runProgram(PYTHON, [SCRIPT, dicomdir]);
  if (code !== 0) throw new Error(output);
  return JSON.parse(output) as readonly FoundOnMedia[];
}

/** Has DCMTK read the whole tree of a DICOMDIR, and add a file of the folder to it: it warns of every wrong offset. */
export async function addByDcmtk(folder: string, file: string): Promise<Ran> {
  const args = ['+A', '+I', '-Nxc', '-Nec', '-Nrc', '-Pgp', '+id', folder, '+D', `${folder}/DICOMDIR`];
  return await runProgram('dcmmkdir', [...args, file]);
}
