/** A further type is one further file: the suites that are for each type run for it in a copy of this checkout. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { isStoredType } from '../../profiles/types/visibility.ts';
import { copyCheckout } from './support/checkout.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';

/** What nobody has written yet: the file that the README of the folder asks for. */
const NAME = 'Specimen';
const FILE = `/** What was taken from a person to be examined. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, token } from './search-parameter.ts';

/** Specimen. @see https://hl7.org/fhir/R4/specimen.html */
export const Specimen = {
  class: 'item',
  subject: 'subject',
  label: 'own',
  release: ['available', 'unavailable', 'unsatisfactory'],
  writers: 'source',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'Specimen-identifier'),
    token('accession', 'Specimen-accession'),
    patient('Specimen-patient', 'Specimen.subject'),
    reference('subject', 'Specimen-subject', ['Patient', 'Group', 'Device', 'Location']),
    date('collected', 'Specimen-collected'),
    codeToken('status', 'Specimen-status', 'specimen-status'),
    token('type', 'Specimen-type'),
    reference('parent', 'Specimen-parent', ['Specimen']),
  ],
  sort: { by: 'collected', elements: ['collection.collectedDateTime', 'collection.collectedPeriod.start'] },
  words: 'les prélèvements',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
`;

/** Suites that are for each type, and those of the house. */
const EACH_TYPE = [
  'test/profiles/types/each-type.test.ts',
  'test/contract/sqlite.test.ts',
  'test/contract/mongodb.test.ts',
  'test/flows/each-type.test.ts',
];
const HOUSE = ['test/architecture.test.ts', 'test/profiles/types/one-file-a-type.test.ts'];

const LIMIT_MS = 240_000;
const run = promisify(execFile);

type Report = { readonly passes: readonly { readonly fullTitle: string }[]; readonly failures: readonly unknown[] };

describe('A type that is added by one file', () => {
  let checkout = '';
  before(async function copy() {
    if (!hasProgram('git')) this.skip();
    this.timeout(60_000);
    expect(isStoredType(NAME), `${NAME} is a type of the product: choose another`).to.equal(false);
    checkout = await mkdtemp(join(tmpdir(), 'passerelle-new-type-'));
    await copyCheckout(checkout, { otherTypes: true });
    await writeFile(join(checkout, 'profiles', 'types', 'specimen.ts'), FILE);
    await node(checkout, 'server/runtime/check.mjs');
  });
  after(async () => await rm(checkout, { recursive: true, force: true }));

  it('passes the checks of types and of style', async function check() {
    this.timeout(LIMIT_MS);
    await node(checkout, 'node_modules/typescript/bin/tsc', '--noEmit');
    await node(checkout, 'node_modules/oxlint/bin/oxlint', '--deny-warnings');
  });

  it('keeps the rules of the house, and is in the list', async function keep() {
    this.timeout(LIMIT_MS);
    const { passes } = await tests(checkout, HOUSE);
    expect(passes).to.not.have.lengthOf(0);
  });

  it('passes every suite that is for each type, unedited', async function pass() {
    this.timeout(LIMIT_MS);
    const { passes } = await tests(checkout, EACH_TYPE, '--grep', `\\b${NAME}\\b`);
    const titles = passes.map(({ fullTitle }) => fullTitle);
    for (const suite of [
      'Each type by its file',
      'Each type in a RecordStore: SQLite',
      'Each type over FHIR, by its file',
    ]) {
      expect(
        titles.filter((title) => title.startsWith(`${suite} ${NAME}`)),
        suite,
      ).to.have.lengthOf.at.least(2);
    }
  });
});

async function node(cwd: string, ...args: readonly string[]): Promise<void> {
  try {
    await run(process.execPath, args, { cwd, timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${args[0]} failed:\n${stdout.slice(-4_000)}${stderr.slice(-4_000)}`, { cause: error });
  }
}

/** Runs tests; a failure names those that failed, with their reasons. */
async function tests(cwd: string, files: readonly string[], ...options: readonly string[]): Promise<Report> {
  const path = join(cwd, `report-${files.length}.json`);
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${path}`];
  const ended = node(cwd, 'node_modules/mocha/bin/mocha.js', '--exit', ...reporter, ...options, ...files);
  const failed = await ended.then(
    () => undefined,
    (error: unknown) => error,
  );
  const report = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Partial<Report>;
  expect(report.failures ?? failed).to.deep.equal([]);
  return report as Report;
}
