/** The form of an event: what it shares with many others (migrations/004-event-forms). */
import type { Database } from '../database.ts';
import type { FormEntry, WireAudit } from '../write/protocol.ts';

/** Forms that were found: they are few, and none is ever removed, but by the end of a transaction that is undone. */
const FOUND = new WeakMap<Database, Map<string, { readonly entries: string; readonly form: number }>>();
const MOST = 1_000;

/** The number of an event's form, which is written when no event had it before. */
export function formOf(db: Database, { body, entries }: WireAudit): number {
  const found = FOUND.get(db) ?? new Map<string, { readonly entries: string; readonly form: number }>();
  FOUND.set(db, found);
  const before = found.get(body.frame);
  if (before?.entries === entries) return before.form;
  const known = db.get<{ form: number }>(
    'SELECT form FROM event_form WHERE entries = ? AND frame = ?',
    entries,
    body.frame,
  );
  if (known === undefined) return newForm(db, body.frame, entries);
  if (found.size >= MOST) found.clear();
  found.set(body.frame, { entries, form: known.form });
  return known.form;
}

/** After a transaction was undone: a form that was found in it may not stand, and another may get its number. */
export function forgetForms(db: Database): void {
  FOUND.delete(db);
}

function newForm(db: Database, frame: string, entries: string): number {
  const row = db.get<{ form: number }>(
    'INSERT INTO event_form (frame, entries) VALUES (?, ?) RETURNING form',
    frame,
    entries,
  );
  if (row === undefined) throw new Error('The form was not written');
  for (const [param, value, system] of JSON.parse(entries) as FormEntry[]) {
    db.run('INSERT INTO token (param, value, system, rid) VALUES (?, ?, ?, ?)', param, value, system, row.form);
  }
  return row.form;
}
