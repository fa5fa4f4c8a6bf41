/** Which sources are mutated, and the tests nearest to them. */

/** Tests to run: files as mocha takes them, and a pattern of names where a file holds far more. */
export type Tests = { readonly files: readonly string[]; readonly named?: string };

/** Sources, by their path or that of their folder, and their tests: step by step, until one fails. */
export type Nearest = { readonly name: string; readonly sources: readonly string[]; readonly tests: readonly Tests[] };

const SQLITE_CONTRACT = 'test/contract/sqlite.test.ts';
const MONGODB_CONTRACT = 'test/contract/mongodb.test.ts';

/** Begins a pattern that leaves out the tests which take a good part of the limit on their own. */
const NOT_LONG =
  '^(?!.*(more than a bound|more than a thousand|too many matches|cut at|kept as they|kept once|number of readers))';

/** The groups. As many mutants are drawn from each. */
export const NEAREST: readonly Nearest[] = [
  {
    name: 'access',
    sources: ['server/access/'],
    tests: [
      { files: ['test/server/access/**/*.test.ts'] },
      { files: [SQLITE_CONTRACT], named: 'RecordStore|filter.everything|derived.all' },
      { files: ['test/server/flows/**/*.test.ts', 'test/flows/assertion-purpose.test.ts'] },
    ],
  },
  {
    name: 'guard',
    sources: ['server/flows/guard.ts'],
    tests: [
      { files: ['test/server/flows/retrieve/viewings.test.ts', 'test/server/endpoints/xds/registry.test.ts'] },
      { files: ['test/flows/break-glass.test.ts', 'test/flows/fhir-read.test.ts'] },
    ],
  },
  {
    name: 'visibility on SQLite',
    sources: [
      'server/stores/sqlite/read/visible.ts',
      'server/stores/sqlite/read/candidates.ts',
      'server/stores/sqlite/read/include.ts',
      'server/stores/sqlite/read/links.ts',
      'server/stores/sqlite/read/sort-values.ts',
      'server/stores/ordered-page.ts',
      'server/stores/sqlite/rights/',
    ],
    tests: [
      { files: ['test/server/stores/sqlite/**/*.test.ts'] },
      { files: [SQLITE_CONTRACT], named: 'RecordStore|filter.everything|derived.all|AuditEvents' },
    ],
  },
  {
    name: 'searches on MongoDB',
    sources: ['criteria', 'linked', 'listing', 'plan', 'search', 'sort-values'].map(
      (name) => `server/stores/mongodb/read/${name}.ts`,
    ),
    tests: [
      { files: ['test/server/stores/mongodb/read/**/*.test.ts'] },
      {
        files: [MONGODB_CONTRACT],
        named: `${NOT_LONG}.*(criteria|order and pages|orders|totals|include|grant of the server)`,
      },
      { files: [MONGODB_CONTRACT], named: 'fixed seed' },
    ],
  },
  {
    name: 'visibility on MongoDB',
    sources: [
      ...['instances', 'parts', 'quarantine', 'read', 'reader'].map((name) => `server/stores/mongodb/read/${name}.ts`),
      ...['materialise', 'acl-rows', 'give-rights'].map((name) => `server/stores/mongodb/write/${name}.ts`),
    ],
    tests: [
      { files: [MONGODB_CONTRACT], named: 'ceiling|state of the patient|classes of types|several rights|times and' },
      {
        files: [MONGODB_CONTRACT],
        named: `${NOT_LONG}.*(of a study|of a question|across|quarantined|look|follow|grant of the server)`,
      },
      { files: [MONGODB_CONTRACT], named: `${NOT_LONG}.*rows that change` },
      { files: [MONGODB_CONTRACT], named: 'former versions|deleted rows|fixed seed|quarantined are kept once' },
    ],
  },
  {
    name: 'write pipeline',
    sources: ['server/flows/write/'],
    tests: [
      { files: ['test/server/flows/write/**/*.test.ts', 'test/flows/fhir-write.test.ts'] },
      { files: ['test/flows/fhir-write-consent.test.ts', 'test/flows/end-declaration.test.ts'] },
      {
        files: [
          'fhir-conditional',
          'fhir-bundles',
          'fhir-patch-delete',
          'fhir-history',
          'fhir-report',
          'each-type',
        ].map((name) => `test/flows/${name}.test.ts`),
      },
    ],
  },
];
