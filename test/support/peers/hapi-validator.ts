/** The HAPI validator, run as a program: one virtual machine judges resource after resource. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hasProgram } from '../../profiles/dicom/samples.ts';
import { TESTDATA } from '../testdata.ts';

const SOURCE = fileURLToPath(new URL('../../peers/java/Validate.java', import.meta.url));
const CLASSPATH = fileURLToPath(new URL('../../../node_modules/.cache/java-peers/classpath', import.meta.url));

/** What it says of a resource. `at` is where, as a FHIRPath; null of the whole. */
export type Finding = {
  readonly severity: 'information' | 'warning' | 'error' | 'fatal';
  readonly at: string | null;
  readonly id: string;
  readonly message: string;
};

/** Folders of the guides of IHE whose profiles what we write claims. */
export const GUIDES = ['balp', 'mhd', 'pcf', 'pdqm'].map((name) => join(TESTDATA, 'ihe', name));

/** Why there is no validator; undefined when there is one. */
export function whyNoHapi(): string | undefined {
  if (!hasProgram('java')) return 'no java: install a JDK and Maven';
  if (!GUIDES.every((guide) => existsSync(guide))) return 'no guides of IHE: set PASSERELLE_TESTDATA';
  return existsSync(CLASSPATH) ? undefined : 'no validator: run test/support/peers/install-java-peers.sh';
}

/** A running validator. */
export type HapiValidator = {
  /** What makes a resource invalid by R4 and by its meta.profile: where, and why. Empty of a valid one. */
  errorsOf(resource: object): Promise<readonly string[]>;
  /** Ends the virtual machine. */
  stop(): Promise<void>;
};

/** Starts it. It knows R4 and {@link GUIDES}; a profile that it does not know is an error. */
export function startHapiValidator(): HapiValidator {
  const options = ['-Xmx1g', '-cp', readFileSync(CLASSPATH, 'utf8'), SOURCE];
  const child = spawn('java', [...options, ...GUIDES]);
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint = `${complaint}${chunk.toString()}`.slice(-2_000)));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async errorsOf(resource) {
      child.stdin.write(`${JSON.stringify(resource)}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new Error(`The validator ended: ${complaint}`);
      const findings = JSON.parse(value) as Finding[];
      return findings.filter(isError).map(({ at, message }) => `${at ?? ''}: ${message}`);
    },
    stop: async () => await stop(child),
  };
}

function isError({ severity }: Finding): boolean {
  return severity === 'error' || severity === 'fatal';
}

async function stop(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null) return;
  child.stdin.end();
  await once(child, 'exit');
}
