/**
 * What `npm run import` and the server say to each other: the command has made the bytes durable, the server files
 * them.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import { Fault, FAULT_KINDS, type FaultKind } from '../../profiles/fault.ts';
import type { UnfiledInstance } from '../flows/intake/receive-bytes.ts';

/** A refusal as data. */
export type SaidFault = { readonly kind: FaultKind; readonly message: string };

/** One file, numbered by the command: taken, or refused while it was read. */
export type ImportedFile =
  | { readonly number: number; readonly unfiled: UnfiledInstance }
  | { readonly number: number; readonly refused: SaidFault };

/** What the server tells: where the import goes, then what became of each file that was taken. */
export type ImportProgress =
  | { readonly begun: ImportPlace }
  | { readonly number: number; readonly outcome: string }
  | { readonly number: number; readonly fault: SaidFault };

/** Where an import goes. `organization` is `Organization/id`. */
export type ImportPlace = {
  readonly organization: string;
  readonly patientIdSystem: string;
  readonly maxInstanceBytes: number;
};

/** Files that a server files at a time. */
export const FILED_AT_ONCE = 16;

const uid = { type: 'string', pattern: '^[0-9.]{1,64}$' } as const;
const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const number = { type: 'integer' } as const;

function object(properties: Readonly<Record<string, object>>, required = Object.keys(properties)): object {
  return { type: 'object', properties, required };
}

const ROW = object(
  {
    studyInstanceUID: uid,
    seriesInstanceUID: uid,
    sopInstanceUID: uid,
    sopClassUID: uid,
    transferSyntaxUID: uid,
    instanceNumber: number,
    seriesNumber: number,
    blob: object({ name: { type: 'string', pattern: '^[0-9a-f-]{36}$' }, size: count }),
    dataSetOffset: count,
    dataSetDigest: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    metadata: text,
    source: text,
  },
  [
    'studyInstanceUID',
    'seriesInstanceUID',
    'sopInstanceUID',
    'sopClassUID',
    'transferSyntaxUID',
    'blob',
    'dataSetOffset',
    'dataSetDigest',
    'metadata',
    'source',
  ],
);
const NAMED = object({
  patient: object({ resourceType: { const: 'Patient' } }),
  identity: object({ system: text, value: text }),
});
const FILE = {
  oneOf: [
    object({ number: count, unfiled: object({ row: ROW, named: NAMED }) }),
    object({
      number: count,
      refused: object({ kind: { enum: FAULT_KINDS }, message: { type: 'string', maxLength: 1_000 } }),
    }),
  ],
};

let compiled: ValidateFunction<ImportedFile> | undefined;

/** Reads what a command said of a file. @throws {Fault} invalid - it is of another shape */
export function readImportedFile(said: unknown): ImportedFile {
  compiled ??= new Ajv({ strict: false }).compile<ImportedFile>(FILE);
  if (!compiled(said)) throw new Fault('invalid', 'What the command said is not of a file');
  if ('refused' in said) return said;
  // JSON has no member for what is not there.
  const { row, named } = said.unfiled;
  return {
    number: said.number,
    unfiled: { named, row: { ...row, instanceNumber: row.instanceNumber, seriesNumber: row.seriesNumber } },
  };
}
