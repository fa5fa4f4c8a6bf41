/** The table of rows in README.md: each row of the abuse table is in it once, and where it is said to be tested. */
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const README = new URL('README.md', import.meta.url);
const TEST = new URL('../', import.meta.url);

/** How many rows each table of smart-security.md has that this one covers. */
const ROWS = { C: 22, D: 20, F: 10, M: 8, N: 9 } as const;

type Line = { readonly rows: readonly string[]; readonly where: string };

/** `C17 to C20` and `C01, C02` are the rows that they name. */
function rowsIn(cell: string): readonly string[] {
  return cell.split(', ').flatMap((part) => {
    const [from = '', to = from] = part.trim().split(' to ');
    const table = from.slice(0, 1);
    const [first, last] = [from, to].map((row) => Number(row.slice(1)));
    const count = (last ?? 0) - (first ?? 0) + 1;
    return Array.from({ length: count }, (_, at) => `${table}${String((first ?? 0) + at).padStart(2, '0')}`);
  });
}

function lines(): readonly Line[] {
  const [, section = ''] = readFileSync(README, 'utf8').split('## Access, disclosure');
  return [...section.matchAll(/^\| ([CDFMN]\d\d[^|]*) \| (.*) \|$/gm)].map(([, rows = '', where = '']) => ({
    rows: rowsIn(rows),
    where,
  }));
}

describe('The rows of access, disclosure, emergencies, trail and rights', () => {
  it('are each told once', () => {
    const all = Object.entries(ROWS).flatMap(([table, last]) => rowsIn(`${table}01 to ${table}${last}`));
    const told = lines().flatMap(({ rows }) => rows);
    expect(told.toSorted()).to.deep.equal(all.toSorted());
  });

  it('are named by the first file that is said to hold them, unless they are not built', () => {
    const missing = lines().flatMap(({ rows, where }) => {
      const [, name] = /`([^`]+\.ts)`/.exec(where) ?? [];
      if (name === undefined) return /^(?:not built|no such door|not asserted yet): /.test(where) ? [] : rows;
      const file = new URL(name.includes('/') ? name : `hostile/${name}`, TEST);
      const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
      return rows.filter((row) => !text.includes(row));
    });
    expect(missing).to.deep.equal([]);
  });
});
