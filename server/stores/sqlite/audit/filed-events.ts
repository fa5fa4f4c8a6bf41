/**
 * Compares the rows by which events are found with the events of the chain, in both directions: each event has exactly
 * the rows that it makes, or waits in the queue with what they are made of, and there are no others.
 */
import { encodeLabel, NORMAL } from '../../../../profiles/confidentiality.ts';
import { indexAuditEvent } from '../../../../profiles/search/audit-event-index.ts';
import { personKey } from '../../../access/requester.ts';
import { FOREVER, principal } from '../../../access/right.ts';
import type { WalkedEvent } from '../../chain-walk.ts';
import type { Database } from '../database.ts';
import type { FormEntry } from '../write/protocol.ts';
import type { Unindexed } from './event-index.ts';
import { entriesOf, eventParam, referencesOf } from './wire-audit.ts';

type FiledRow = {
  readonly rid: number;
  readonly version: number;
  readonly updated: number;
  readonly sort: number;
  readonly level: number;
  readonly released: number;
  readonly form: number;
};

type Filed = Pick<Unindexed, 'id' | 'recorded' | 'references' | 'form'> & { readonly persons: string };

/** The rows of one snapshot. */
export class FiledEvents {
  readonly #db: Database;
  /** JSON of the entries of each form. */
  readonly #forms = new Map<number, string>();
  readonly #seen = { resource: 0, reference: 0, acl: 0, unindexed: 0 };

  constructor(db: Database) {
    this.#db = db;
  }

  /** Says what is wrong with the rows of an event. */
  readonly misfiled = ({ sequence, event }: WalkedEvent): string | undefined => {
    const index = indexAuditEvent(event, event.indexed ?? 1);
    const expected = {
      id: event.id,
      recorded: Date.parse(event.recorded ?? ''),
      references: referencesOf(index.references),
      persons: event.persons,
    };
    const queued = this.#db.get<{ event: string }>('SELECT event FROM unindexed WHERE sequence = ?', sequence);
    const filed = queued === undefined ? this.#filed(expected) : this.#queued(JSON.parse(queued.event) as Unindexed);
    if (typeof filed === 'string') return filed;
    if (filed.id !== expected.id || filed.recorded !== expected.recorded)
      return 'search finds the event under another id or time';
    if (JSON.stringify(filed.references) !== JSON.stringify(expected.references))
      return 'search finds the event by other references';
    if (event.persons !== undefined && filed.persons !== event.persons)
      return 'the event is filed under another person';
    return this.#entriesOfForm(filed.form) === sorted(entriesOf(index))
      ? undefined
      : 'search finds the event by other values';
  };

  /** Says what rows there are of events that the chain does not hold. After the last event. */
  leftOver(): string | undefined {
    for (const [table, seen] of Object.entries(this.#seen)) {
      const counted = this.#db.get<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`)?.rows ?? 0;
      if (counted !== seen) return `${counted - seen} rows of ${table} belong to no record`;
    }
    for (const [table, strays] of Object.entries(STRAYS))
      if (this.#db.get(`SELECT 1 FROM ${strays} LIMIT 1`) !== undefined) return `rows of ${table} belong to no record`;
    return undefined;
  }

  #queued({ id, recorded, references, persons, form }: Unindexed): Filed {
    this.#seen.unindexed += 1;
    return { id, recorded, references, persons: [...new Set(persons)].join(' '), form };
  }

  /** Takes rows together as they were queued once; what is not as expected comes out otherwise. */
  #filed(expected: Omit<Filed, 'form' | 'persons'> & { readonly persons: string | undefined }): Filed | string {
    const { id, references } = expected;
    const row = this.#db.get<FiledRow>(ROW, id);
    if (row === undefined) return 'search does not find the event';
    const { rid, version, updated, sort, level, released, form } = row;
    if (version !== 1 || updated !== sort || level !== encodeLabel(NORMAL) || released !== 1)
      return 'search finds the event otherwise than it was filed';
    const found = references.filter(
      ({ param, target }) => this.#db.get(REFERENCE, eventParam(param), target, rid) !== undefined,
    );
    const persons = this.#personsOf(rid, id, sort, expected.persons);
    this.#seen.resource += 1;
    this.#seen.reference += new Set(found.map(({ param, target }) => `${param} ${target}`)).size;
    return { id, recorded: sort, references: found, persons, form };
  }

  /** The persons under whom an event is filed, by the keys that they had when it was recorded. */
  #personsOf(rid: number, id: string, sort: number, expected = ''): string {
    const rows = this.#db.all<{ key: string }>(READERS, rid);
    this.#seen.acl += rows.length;
    const persons = expected.split(' ').filter(Boolean);
    const present = persons.map((person) =>
      readerKey(principal.patient(personKey(person)), sort, id, `${id}|${person}`),
    );
    const keys = rows.map(({ key }) => key).sort();
    return JSON.stringify(keys) === JSON.stringify(present.sort()) ? expected : keys.join(' ');
  }

  #entriesOfForm(form: number): string {
    const known = this.#forms.get(form);
    if (known !== undefined) return known;
    const rows = this.#db.all<{ param: string; value: string; system: string }>(ENTRIES, form);
    const entries = sorted(rows.map(({ param, value, system }): FormEntry => [param, value, system]));
    this.#forms.set(form, entries);
    return entries;
  }
}

function sorted(entries: readonly FormEntry[]): string {
  return JSON.stringify([...new Set(entries.map((entry) => JSON.stringify(entry)))].sort());
}

/** All of a row of `acl` that an event determines. */
function readerKey(reader: string, sort: number, id: string, right: string): string {
  return [reader, 'AuditEvent', sort, id, right, 'named', 0, FOREVER].join(' ');
}

const ROW = `SELECT rid, version, updated, sort, level, released, form FROM resource
  WHERE type = 'AuditEvent' AND id = ?`;

const REFERENCE = 'SELECT 1 FROM reference WHERE param = ? AND target = ? AND rid = ?';

const READERS = `SELECT
  concat_ws(' ', principal, type, sort, id, right_id, relation, valid_from, valid_to, source) AS key
  FROM acl WHERE rid = ?`;

const ENTRIES = 'SELECT param, value, system FROM token WHERE rid = ?';

/** Rows that nothing leads to, by table. */
const STRAYS = {
  token: 'token WHERE NOT EXISTS (SELECT 1 FROM event_form WHERE form = token.rid)',
  personal: 'personal WHERE NOT EXISTS (SELECT 1 FROM chain WHERE chain.id = personal.id)',
  date_range: 'date_range',
  string_value: 'string_value',
} as const;
