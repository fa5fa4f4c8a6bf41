/** The DICOM sample files of the development machine; absent elsewhere, and then the tests that need them are skipped. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';

const FOLDER = fileURLToPath(new URL('../../../../shared/testdata/dicom/', import.meta.url));

/** Names of the sample files; empty when the folder is absent. */
export function sampleNames(): string[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER).filter((name) => name.endsWith('.dcm'));
}

/** Path of a sample file. */
export function samplePath(name: string): string {
  return FOLDER + name;
}

/** Bytes of a sample file. */
export function sample(name: string): Uint8Array {
  return readFileSync(samplePath(name));
}

/** Whether a program is installed, asked by an argument that makes it name its version. */
export function hasProgram(name: string, argument = '--version'): boolean {
  return spawnSync(name, [argument], { stdio: 'ignore' }).status === 0;
}
