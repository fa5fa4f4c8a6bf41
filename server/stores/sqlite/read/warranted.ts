/** What the warrant of a plan rests on and reaches, looked up where the writer thread applies the plan. */
import type { WarrantTerms } from '../../../access/warrant.ts';
import { requireWarranted, type StandingOwner, type WarrantedFacts, type WarrantedPlan } from '../../warranted.ts';
import type { Database } from '../database.ts';
import { stateOf } from '../write/materialise.ts';

/**
 * Checks a plan against its warrant inside the plan's savepoint. Tokens lie in another file, which this thread alone
 * writes too, and never between the statements of a plan: what is read of it holds until the plan stands.
 * @throws {Fault} as requireWarranted
 */
export function requireWarrant(records: Database, tokens: Database, terms: WarrantTerms, plan: WarrantedPlan): void {
  requireWarranted(terms, plan, factsOf(records, tokens));
}

function factsOf(records: Database, tokens: Database): WarrantedFacts {
  return {
    tokenExpiry: ({ model, id }) =>
      tokens.get<{ expires_at: number | null }>('SELECT expires_at FROM token WHERE model = ? AND id = ?', model, id)
        ?.expires_at ?? undefined,
    account: (reference) => accountOf(records, reference),
    stateOf: (person) => stateOf(records, person),
    rightsTo: (person, item) =>
      records.all<{ principal: string; from: number; to: number }>(
        'SELECT principal, valid_from AS "from", valid_to AS "to" FROM access_right WHERE person = ? AND item = ?',
        person,
        item,
      ),
    row: (key) => rowOf(records, key),
    instance: (sopInstanceUID) =>
      records.get<{ studyInstanceUID: string; person: string }>(
        'SELECT study_instance_uid AS studyInstanceUID, person FROM instance WHERE sop_instance_uid = ?',
        sopInstanceUID,
      ),
  };
}

function accountOf(records: Database, reference: string): ReturnType<WarrantedFacts['account']> {
  const [type = '', id = ''] = reference.split('/');
  const row = records.get<{ person: string | null; active: number | null }>(
    `SELECT person, json_extract(json, '$.active') AS active FROM resource WHERE type = ? AND id = ?`,
    type,
    id,
  );
  if (row === undefined) return undefined;
  return { isActive: row.active !== 0, person: row.person ?? undefined };
}

function rowOf(records: Database, key: string): StandingOwner | undefined {
  const [type = '', id = ''] = key.split('/');
  const row = records.get<{ rid: number; person: string | null; parent: string | null }>(
    `SELECT rid, person, parent_type || '/' || parent_id AS parent FROM resource WHERE type = ? AND id = ?`,
    type,
    id,
  );
  if (row === undefined) return undefined;
  return {
    person: row.person ?? undefined,
    parent: row.parent ?? undefined,
    names: (value) =>
      records.get('SELECT 1 FROM token WHERE rid = ? AND value = ? LIMIT 1', row.rid, value) !== undefined,
  };
}
