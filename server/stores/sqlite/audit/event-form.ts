/** The form of an event: what it shares with many others (migrations/004-event-forms). */
import type { Database } from '../database.ts';
import type { FormEntry, WireAudit } from '../write/protocol.ts';

/** The number of an event's form, which is written when no event had it before. */
export function formOf(db: Database, { body, entries }: WireAudit): number {
  const known = db.get<{ form: number }>(
    'SELECT form FROM event_form WHERE entries = ? AND frame = ?',
    entries,
    body.frame,
  );
  return known?.form ?? newForm(db, body.frame, entries);
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
