/**
 * The tables of `server/access/README.md`, made of `rules/table.json`. Run by itself this file writes them anew:
 * `npx node test/server/access/decision-tables.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import table from '../../../server/access/rules/table.json' with { type: 'json' };

const README = new URL('../../../server/access/README.md', import.meta.url);
const [BEGIN, END] = ['<!-- tables of rules/table.json -->', '<!-- end -->'];

const UNRELEASED: Readonly<Record<string, string>> = {
  nothing: 'no',
  exams: 'exams yes, reports that nobody has validated no',
  all: 'yes',
};

const BLOCKED = { english: 'the person blocks who asks', french: 'professionnel bloqué par la patiente' };

/** What the file says now, and what it is to say. */
export function readmeTexts(): { readonly stands: string; readonly wanted: string } {
  const stands = readFileSync(README, 'utf8');
  const [head = '', rest = ''] = stands.split(BEGIN);
  return { stands, wanted: `${head}${BEGIN}\n\n${tables()}\n${END}${rest.split(END)[1] ?? ''}` };
}

function tables(): string {
  return [relations(), visibility(), switches()].join('\n');
}

function relations(): string {
  const rows = table.relations.map(({ relation, who, french, reaches, ends }) => [
    relation,
    who,
    french,
    reaches,
    ends,
  ]);
  return rendered(['relation', 'who', 'in French', 'of what', 'ends'], rows);
}

/** Which labels each relation sees, and whether it sees what waits for a report. */
function visibility(): string {
  const levels = table.levels.map(({ level, english, french }) => `${level} ${english} (${french})`);
  const masks = table.masks.map(({ code, french }) => `${code} (${french})`);
  const names = table.levels.map(({ level }) => level);
  const rows = table.relations.map(({ relation, ceiling, maskedBy, unreleased }) => [
    relation,
    ...names.map((level) => yes(names.indexOf(level) <= names.indexOf(ceiling))),
    ...table.masks.map(({ mask }) => yes(!(maskedBy as readonly string[]).includes(mask))),
    UNRELEASED[unreleased] ?? unreleased,
  ]);
  return rendered(['relation sees', ...levels, ...masks, 'not released yet'], rows);
}

function switches(): string {
  const heads = [...table.switches, BLOCKED].map(({ english, french }) => `${english} (${french})`);
  const rows = table.relations.map(({ relation, closedBy, barred }) => [
    relation,
    ...table.switches.map((one) => yes(!(closedBy as readonly string[]).includes(one.switch))),
    yes(!barred),
  ]);
  return rendered(['relation sees when', ...heads], rows);
}

function yes(is: boolean): string {
  return is ? 'yes' : 'no';
}

function rendered(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

if (import.meta.main) writeFileSync(README, readmeTexts().wanted);
