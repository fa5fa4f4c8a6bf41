/** A region of many identities: one that the product wrote, copied by SQL with other numbers, name and birth date. */
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Patient } from '@medplum/fhirtypes';
import { toPatient } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import type { DemoEstablishment } from '../../../fixtures/people.ts';
import { establishmentCaller } from '../../support/demonstration.ts';
import { startServer } from '../../support/server.ts';
import { fillAtOnce } from '../support/fill-at-once.ts';

/** What tells the nth of them from the others: her number at the establishment, national number, name, birth date. */
export type Somebody = {
  readonly own: string;
  readonly national: string;
  readonly family: string;
  readonly birthDate: string;
};

const DAYS = 25_000;
const DAY_MS = 86_400_000;
const FIRST_BORN = Date.UTC(1930, 0, 1);
const LETTERS = 26;

/** The nth; number 0 is the one that is copied. A family name has one in 17,576, a birth date one in 25,000. */
export function somebody(number: number): Somebody {
  const digits = 2_000_000_000_000 + number;
  const letters = [LETTERS * LETTERS, LETTERS, 1].map((of) => letterOf(Math.floor(number / of)));
  return {
    own: `81${String(number).padStart(10, '0')}`,
    national: `${digits}${String(97 - (digits % 97)).padStart(2, '0')}`,
    family: `Zq${letters.join('')}qz`,
    birthDate: new Date(FIRST_BORN + (number % DAYS) * DAY_MS).toISOString().slice(0, 10),
  };
}

function letterOf(number: number): string {
  return String.fromCharCode(97 + (number % LETTERS));
}

/** What an establishment says of somebody. */
export function saidOf({ own, national, family, birthDate }: Somebody, at: DemoEstablishment): Patient {
  const { helene } = PATIENTS;
  const patient = { ...helene, national: { ...helene.national, value: national }, familyName: family, birthDate };
  const said = toPatient(patient, at);
  return {
    ...said,
    identifier: said.identifier?.map((one) => (one.use === 'usual' ? { ...one, value: own } : one)) ?? [],
  };
}

/** Fills a folder with so many identities of one establishment. */
export async function fillPeople(dataDir: string, identities: number): Promise<void> {
  const server = await startServer({ dataDir });
  try {
    const caller = await establishmentCaller(server, 'strasbourg');
    const { status, text } = await caller.send('POST', 'Patient', saidOf(somebody(0), ESTABLISHMENTS.strasbourg));
    if (status !== 201) throw new Error(text);
  } finally {
    await server.stop();
  }
  fillAtOnce(join(dataDir, 'records.sqlite'), (db) => copyPerson(db, identities));
}

/** The tables that a new identity has rows in. */
const TABLES = ['resource', 'token', 'date_range', 'string_value', 'acl', 'claim', 'access_right'] as const;

type Copied = Somebody & { readonly id: string; readonly person: string };

function copyPerson(db: DatabaseSync, identities: number): void {
  const first = somebody(0);
  const found = db.prepare("SELECT id, person FROM resource WHERE type = 'Patient'").get();
  const { id, person } = found as { id: string; person: string };
  makeNumbers(db, identities, { ...first, id, person });
  for (const table of TABLES)
    for (const row of rowsOf(db, table, { ...first, id, person })) copyRow(db, table, row, { ...first, id, person });
}

/** What the others have in place of what she has. */
function makeNumbers(db: DatabaseSync, identities: number, { id, person }: Copied): void {
  db.function('own', { deterministic: true }, (number) => somebody(Number(number)).own);
  db.function('national', { deterministic: true }, (number) => somebody(Number(number)).national);
  db.function('family', { deterministic: true }, (number) => somebody(Number(number)).family);
  db.function('born', { deterministic: true }, (number) => somebody(Number(number)).birthDate);
  db.exec(`CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${identities - 1})
    SELECT i, own(i) AS own, national(i) AS national, family(i) AS family, lower(family(i)) AS lowered,
      born(i) AS born, printf('%08x', 268435456 + i) || '${id.slice(8)}' AS id,
      printf('%08x', 268435456 + i) || '${person.slice(8)}' AS person FROM c`);
}

type Values = Readonly<Record<string, SQLInputValue>>;

function rowsOf(db: DatabaseSync, table: string, copied: Copied): readonly Values[] {
  const rids = "SELECT rid FROM resource WHERE type IN ('Patient', 'Person') AND id = ?";
  const columns = db
    .prepare(`SELECT name FROM pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => String(name));
  if (columns.includes('rid'))
    return db.prepare(`SELECT * FROM ${table} WHERE rid IN (${rids})`).all(copied.id) as Values[];
  const rows = db.prepare(`SELECT * FROM ${table}`).all() as Values[];
  const own = [copied.id, copied.person, copied.own, copied.national];
  return rows.filter((row) => Object.values(row).some((value) => own.some((one) => String(value).includes(one))));
}

/** The same row of all others. */
function copyRow(db: DatabaseSync, table: string, row: Values, copied: Copied): void {
  const values: SQLInputValue[] = [];
  const expressions = Object.entries(row).map(([column, value]) => {
    values.push(value);
    if (column === 'rid') return '? + 2 * n.i';
    if (table === 'date_range' && ['lo', 'hi'].includes(column)) return `? + (n.i % ${DAYS}) * ${DAY_MS}`;
    return typeof value === 'string' ? replaced(value, copied) : '?';
  });
  db.prepare(`INSERT INTO ${table} (${Object.keys(row).join(', ')}) SELECT ${expressions.join(', ')} FROM n`).run(
    ...values,
  );
}

function replaced(value: string, { id, person, own, national, family, birthDate }: Copied): string {
  const parts = { id, person, own, national, family, lowered: family.toLowerCase(), born: birthDate };
  const found = Object.entries(parts).filter(([, one]) => value.includes(one));
  return found.reduce((sql, [column, one]) => `replace(${sql}, '${one}', n.${column})`, '?');
}
