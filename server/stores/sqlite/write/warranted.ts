/** What the warrant of a plan rests on and reaches, looked up where the writer thread applies the plan. */
import type { HeldRight } from '../../../access/basis.ts';
import { OPEN_STATE, type PatientState } from '../../../access/decide.ts';
import type { WarrantTerms } from '../../../access/warrant.ts';
import {
  requireWarranted,
  warrantedKeys,
  type WarrantedFacts,
  type WarrantedKeys,
  type WarrantedPlan,
} from '../../warranted.ts';
import type { Database } from '../database.ts';

/** One row of the answer; which members it has is told by `kind`. */
type Found = {
  readonly kind: 'row' | 'state' | 'right';
  /** `Type/id`, a person, or `person item`. */
  readonly name: string;
  readonly rid: number;
  readonly person: string | null;
  readonly parent: string | null;
  /** The member `active` of an account: null where it has none, and of other rows. */
  readonly active: number | null;
  readonly principal: string;
  readonly from: number;
  readonly to: number;
  /** 1 where the switch is on; null for a person without any. */
  readonly opposed: number | null;
  readonly withdrawn: number | null;
  readonly erasurePending: number | null;
  readonly accountOff: number | null;
};

const SWITCHES = 's.opposed, s.withdrawn, s.erasure_pending AS erasurePending, s.account_off AS accountOff';

/**
 * Everything in one statement: rows (JSON array of `[type, id, is an account]`) with the switches of their persons,
 * switches of further persons (array of keys), and rights (array of `[person, item]`).
 */
const SELECT = `SELECT 'row' AS kind, x.type || '/' || x.id AS name, x.rid, x.person,
    x.parent_type || '/' || x.parent_id AS parent, CASE WHEN k.value ->> 2 THEN x.json ->> 'active' END AS active,
    NULL AS principal, NULL AS "from", NULL AS "to", ${SWITCHES}
    FROM json_each(?) k CROSS JOIN resource x ON x.type = k.value ->> 0 AND x.id = k.value ->> 1
    LEFT JOIN patient_state s ON s.person = x.person
  UNION ALL
  SELECT 'state', s.person, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ${SWITCHES}
    FROM json_each(?) k CROSS JOIN patient_state s ON s.person = k.value
  UNION ALL
  SELECT 'right', r.person || ' ' || r.item, NULL, NULL, NULL, NULL, r.principal, r.valid_from, r.valid_to,
    NULL, NULL, NULL, NULL
    FROM json_each(?) k CROSS JOIN access_right r ON r.person = k.value ->> 0 AND r.item = k.value ->> 1`;

const PRESENT = 'SELECT merged_into AS "into" FROM patient_state WHERE person = ?';

/**
 * Checks a plan against its warrant inside the plan's savepoint. Tokens lie in another file, which this thread alone
 * writes too, and never between the statements of a plan: what is read of it holds until the plan stands.
 * @throws {Fault} as requireWarranted
 */
export function requireWarrant(records: Database, tokens: Database, terms: WarrantTerms, plan: WarrantedPlan): void {
  requireWarranted(terms, plan, factsOf(records, tokens, warrantedKeys(terms, plan)));
}

function factsOf(records: Database, tokens: Database, keys: WarrantedKeys): WarrantedFacts {
  const found = look(records, keys);
  const rows = new Map(found.filter(({ kind }) => kind === 'row').map((row) => [row.name, row]));
  const states = new Map(found.flatMap((row) => statesIn(row)));
  const rights = Map.groupBy<string, HeldRight & Found>(
    found.filter(({ kind }) => kind === 'right'),
    ({ name }) => name,
  );
  return {
    tokenExpiry: ({ model, id }) =>
      tokens.get<{ expires_at: number | null }>('SELECT expires_at FROM token WHERE model = ? AND id = ?', model, id)
        ?.expires_at ?? undefined,
    account: (reference) => {
      const row = rows.get(reference);
      return row === undefined ? undefined : { person: row.person ?? undefined, isActive: row.active !== 0 };
    },
    stateOf: (person) => states.get(person) ?? OPEN_STATE,
    rightsTo: (person, item) => rights.get(`${person} ${item}`) ?? [],
    row: (key) => {
      const row = rows.get(key);
      if (row === undefined) return undefined;
      const { rid, person, parent } = row;
      return { person: person ?? undefined, parent: parent ?? undefined, names: (value) => names(records, rid, value) };
    },
    instance: (sopInstanceUID) =>
      records.get<{ studyInstanceUID: string; person: string }>(
        'SELECT study_instance_uid AS studyInstanceUID, person FROM instance WHERE sop_instance_uid = ?',
        sopInstanceUID,
      ),
    presentOf: (home) => records.get<{ into: string | null }>(PRESENT, home)?.into ?? home,
  };
}

function look(records: Database, { rows, erasedRows, accounts, persons, rights }: WarrantedKeys): readonly Found[] {
  const isAccount = new Set(accounts);
  const named = [...new Set([...rows, ...erasedRows, ...accounts])];
  if (named.length + persons.length + rights.length === 0) return [];
  return records.all<Found>(
    SELECT,
    JSON.stringify(named.map((key) => [...key.split('/'), isAccount.has(key)])),
    JSON.stringify(persons),
    JSON.stringify(rights.map(({ person, item }) => [person, item])),
  );
}

function statesIn(row: Found): readonly (readonly [string, PatientState])[] {
  const person = row.kind === 'state' ? row.name : row.person;
  if (person === null || row.opposed === null) return [];
  const state = {
    opposed: row.opposed === 1,
    withdrawn: row.withdrawn === 1,
    erasurePending: row.erasurePending === 1,
    accountOff: row.accountOff === 1,
  };
  return [[person, state]];
}

function names(records: Database, rid: number, value: string): boolean {
  return records.get('SELECT 1 FROM token WHERE rid = ? AND value = ? LIMIT 1', rid, value) !== undefined;
}
