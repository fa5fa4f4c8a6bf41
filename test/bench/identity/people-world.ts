/**
 * A region of many persons, of whom the one is known at three establishments, the next at two: two that the product
 * wrote, copied with other numbers, names and birth dates.
 */
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Patient } from '@medplum/fhirtypes';
import { toPatient } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import type { EstablishmentKey } from '../../../fixtures/people.ts';
import { establishmentCaller } from '../../support/demonstration.ts';
import { makeRegionFile, type EditedRegion, type RegionFile } from '../../support/region-file.ts';
import type { TestServer } from '../../support/server.ts';
import { fillAtOnce } from '../support/fill-at-once.ts';
import { accepted } from './joining.ts';

/** What tells the nth of them from the others: what her numbers are made of, national number, name, birth date. */
export type Somebody = {
  readonly own: string;
  readonly national: string;
  readonly family: string;
  readonly birthDate: string;
};

/** Where the two that are copied are known. Nancy does not know the second one, nor any copy of hers. */
const KNOWN_AT = [
  ['strasbourg', 'nancy', 'luxembourg'],
  ['strasbourg', 'luxembourg'],
] as const satisfies readonly [readonly EstablishmentKey[], readonly EstablishmentKey[]];
const PERSONS = KNOWN_AT.length;
const IDENTITIES = KNOWN_AT.flat().length;

const DAYS = 25_000;
const DAY_MS = 86_400_000;
const FIRST_BORN = Date.UTC(1930, 0, 1);
const LETTERS = 26;

/** The nth; those that are copied are 0 and 1. A family name has one in 17,576, a birth date one in 25,000. */
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

/** The nth of those whom Nancy does not know, in a region of so many identities. */
export function unknownAtNancy(nth: number, identities: number): Somebody {
  return somebody(1 + PERSONS * (nth % groupsOf(identities)));
}

/** How many persons so many identities are. */
export function personsOf(identities: number): number {
  return PERSONS * groupsOf(identities);
}

/** Copies, and what they are made of. */
export function groupsOf(identities: number): number {
  return Math.ceil(identities / IDENTITIES);
}

function letterOf(number: number): string {
  return String.fromCharCode(97 + (number % LETTERS));
}

/** Her number at an establishment. */
export function ownAt({ own }: Pick<Somebody, 'own'>, at: EstablishmentKey): string {
  return at === 'strasbourg' ? own : `${at[0]?.toUpperCase()}${own}`;
}

/** What an establishment says of somebody. */
export function saidOf(one: Somebody, at: EstablishmentKey): Patient {
  const { helene } = PATIENTS;
  const { national, family, birthDate } = one;
  const numbers = { national: { ...helene.national, value: national }, localId: { [at]: ownAt(one, at) } };
  return toPatient({ ...helene, ...numbers, familyName: family, birthDate }, ESTABLISHMENTS[at]);
}

/** The demonstration's region, in which all three establishments qualify national numbers of France. */
export async function regionOfOneNumber(): Promise<RegionFile> {
  const file = await makeRegionFile();
  await file.write(({ identifierDomains }: EditedRegion) => {
    const [strasbourg] = identifierDomains;
    for (const domain of identifierDomains) Object.assign(domain, { qualifies: strasbourg?.qualifies });
  });
  return file;
}

/** Feeds the two that are copied. */
export async function feedFirst(server: TestServer): Promise<void> {
  for (const [number, known] of KNOWN_AT.entries())
    for (const at of known)
      await accepted(await establishmentCaller(server, at), 'POST', 'Patient', saidOf(somebody(number), at));
}

/** A text that the two have, and what a copy has in its place. */
export type Part = { readonly text: string; readonly of: (group: number) => string };

/** The parts, by the ids and keys of the two. */
export function partsOf(uuids: readonly string[]): readonly Part[] {
  const said = KNOWN_AT.flatMap((_known, number): Part[] => {
    const { own, national, family, birthDate } = somebody(number);
    const at = (group: number): Somebody => somebody(PERSONS * group + number);
    return [
      { text: own, of: (group) => at(group).own },
      { text: national, of: (group) => at(group).national },
      { text: family, of: (group) => at(group).family },
      { text: family.toLowerCase(), of: (group) => at(group).family.toLowerCase() },
      { text: birthDate, of: (group) => at(group).birthDate },
    ];
  });
  const named = uuids.map((uuid): Part => {
    const rest = uuid.slice(8);
    return { text: uuid, of: (group) => `${(0x1000_0000 + group).toString(16)}${rest}` };
  });
  return [...said, ...named];
}

/** The tables that an identity has rows in. */
const TABLES = [
  'resource',
  'token',
  'date_range',
  'string_value',
  'reference',
  'filed_reference',
  'acl',
  'claim',
  'access_right',
  'further_giver',
  'patient_state',
] as const;

/** Copies the two in a folder that no server has open, until there are so many identities. */
export function copyPeople(dataDir: string, identities: number): void {
  fillAtOnce(join(dataDir, 'records.sqlite'), (db) => {
    const found = db.prepare("SELECT rid, id, person FROM resource WHERE type IN ('Patient', 'Person')").all();
    const rows = found as { rid: number; id: string; person: string }[];
    const homes = db.prepare('SELECT person FROM patient_state').all() as { person: string }[];
    const parts = partsOf([...new Set([...rows.flatMap(({ id, person }) => [id, person]), ...homes.map(keyOf)])]);
    makeCopies(db, groupsOf(identities), parts);
    const rids = rows.map(({ rid }) => rid);
    for (const table of TABLES) for (const row of rowsOf(db, table, rids, parts)) copyRow(db, table, row, parts, rids);
  });
}

function keyOf({ person }: { readonly person: string }): string {
  return person;
}

/** What each copy has in place of the parts: a column for each. */
function makeCopies(db: DatabaseSync, groups: number, parts: readonly Part[]): void {
  for (const [at, part] of parts.entries())
    db.function(`p${at}`, { deterministic: true }, (group) => part.of(Number(group)));
  const columns = parts.map((_part, at) => `p${at}(i) AS p${at}`).join(', ');
  db.exec(`CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${groups - 1}) SELECT i, ${columns} FROM c`);
}

type Values = Readonly<Record<string, SQLInputValue>>;

function rowsOf(db: DatabaseSync, table: string, rids: readonly number[], parts: readonly Part[]): readonly Values[] {
  const rows = db.prepare(`SELECT * FROM ${table}`).all() as Values[];
  const isOfThem = (values: Values): boolean =>
    values['rid'] === undefined
      ? Object.values(values).some((value) => parts.some(({ text }) => String(value).includes(text)))
      : rids.includes(Number(values['rid']));
  return rows.filter(isOfThem);
}

/** The same row of all copies. */
function copyRow(db: DatabaseSync, table: string, row: Values, parts: readonly Part[], rids: readonly number[]): void {
  const values: SQLInputValue[] = [];
  const expressions = Object.entries(row).map(([column, value]) => {
    values.push(value);
    if (column === 'rid') return `? + ${Math.max(...rids)} * n.i`;
    if (table === 'date_range' && ['lo', 'hi'].includes(column)) return `? + (${PERSONS} * n.i % ${DAYS}) * ${DAY_MS}`;
    return typeof value === 'string' ? replaced(value, parts) : '?';
  });
  db.prepare(`INSERT INTO ${table} (${Object.keys(row).join(', ')}) SELECT ${expressions.join(', ')} FROM n`).run(
    ...values,
  );
}

function replaced(value: string, parts: readonly Part[]): string {
  const found = parts.map(({ text }, at) => ({ text, at })).filter(({ text }) => value.includes(text));
  return found.reduce((sql, { text, at }) => `replace(${sql}, '${text}', n.p${at})`, '?');
}
