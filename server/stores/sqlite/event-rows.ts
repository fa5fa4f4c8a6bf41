/** Rows of AuditEvents in the audit file, with their search values and forms (migrations/004-event-forms). */
import { rankOf } from '../../../profiles/confidentiality.ts';
import type { Database } from './database.ts';
import type { FormEntry, WireAudit } from './protocol.ts';
import { eventParam } from './wire-audit.ts';

/** Inserts the row of a new event; returns its rid. */
export function writeEventRow(db: Database, { id, recorded, references }: WireAudit, form: number): number {
  const row = db.get<{ rid: number }>(INSERT, id, recorded, recorded, rankOf('N'), form);
  if (row === undefined) throw new Error('The row was not written');
  for (const { param, target } of references) {
    db.run('INSERT OR IGNORE INTO reference (param, target, rid) VALUES (?, ?, ?)', eventParam(param), target, row.rid);
  }
  return row.rid;
}

const INSERT = `INSERT INTO resource (type, id, version, updated, sort, level, released, json, form)
  VALUES ('AuditEvent', ?, 1, ?, ?, ?, 1, '', ?) RETURNING rid`;

/** The number of an event's form, which is written when no event had it before. */
export function formOf(db: Database, { body, entries }: WireAudit): number {
  const known = db.get<{ form: number }>('SELECT form FROM event_form WHERE entries = ? AND frame = ?', entries, body.frame);
  return known?.form ?? newForm(db, body.frame, entries);
}

function newForm(db: Database, frame: string, entries: string): number {
  const row = db.get<{ form: number }>('INSERT INTO event_form (frame, entries) VALUES (?, ?) RETURNING form', frame, entries);
  if (row === undefined) throw new Error('The form was not written');
  for (const [param, value, system] of JSON.parse(entries) as FormEntry[]) {
    db.run('INSERT INTO token (param, value, system, rid) VALUES (?, ?, ?, ?)', param, value, system, row.form);
  }
  return row.form;
}
