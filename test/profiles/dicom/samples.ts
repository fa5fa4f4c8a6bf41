/**
 * The DICOM sample files of the real inputs; absent elsewhere, and then the tests that need them are skipped.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { TESTDATA } from '../../support/testdata.ts';

const FOLDER = join(TESTDATA, 'dicom');

/** Names of the sample files; empty when the folder is absent. */
export function sampleNames(): string[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER).filter((name) => name.endsWith('.dcm'));
}

/** Names of all sample files, the DICOMDIR among them. */
export function allSampleNames(): string[] {
  return sampleNames().length === 0 ? [] : [...sampleNames(), 'DICOMDIR'];
}

/** Path of a sample file. */
export function samplePath(name: string): string {
  return join(FOLDER, name);
}

/** Bytes of a sample file. */
export function sample(name: string): Uint8Array {
  return readFileSync(samplePath(name));
}

/** Whether a program is installed, asked by an argument that makes it name its version. */
export function hasProgram(name: string, argument = '--version'): boolean {
  return spawnSync(name, [argument], { stdio: 'ignore' }).status === 0;
}
