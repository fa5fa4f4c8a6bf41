/** AuditEvents as they are read: the chained body and what is left of the personal side. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { withoutExamWords } from '../../../../profiles/audit/exam-label.ts';
import { readsWholeTrail, type AnyGrant } from '../../../access/grant.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import { indexVersionOf, restoreEvent, type ErasablePart, type PersonalSide } from '../../audit-chain.ts';
import { stamped, unstamped } from '../../stamp.ts';
import type { Database } from '../database.ts';
import { wholeBody } from './event-body.ts';
import { readByOffice, type Office } from './office.ts';

/** The personal side of an event that is still kept. */
export function personalSide(db: Database, id: string): PersonalSide {
  const rows = db.all<{ side: string; salt: string; json: string }>(
    'SELECT side, salt, json FROM personal WHERE id = ?',
    id,
  );
  const of = (side: string): ErasablePart | undefined => rows.find((row) => row.side === side);
  return { agents: of('agents'), entities: of('entities'), request: of('request') };
}

/** A body as {@link BODY_COLUMNS} selects it. */
export type ChainedBody = { readonly body: string; readonly frame: string | null };

/** The columns of a {@link ChainedBody} and where they come from, the chain being `c`. */
export const BODY_COLUMNS = 'c.body, f.frame FROM chain c LEFT JOIN event_form f ON f.form = c.form';

/** The body of an entry; those without a form are whole. */
export function bodyOf({ body, frame }: ChainedBody): string {
  return frame === null ? body : wholeBody({ frame, values: body });
}

/** By which version of the index an event is found. */
export function indexVersion(db: Database, id: string): number {
  const chained = db.get<ChainedBody>(`SELECT ${BODY_COLUMNS} WHERE c.id = ?`, id);
  if (chained === undefined) throw new Error('An event is missing from the chain');
  return indexVersionOf(bodyOf(chained));
}

/** Who reads events, and the office of an establishment that they hold. */
export type EventReader = { readonly grant: AnyGrant; readonly office: Office | undefined };

/**
 * An event as it is read. Officers see no words of exams (access.md C7), and that of an establishment its part alone:
 * undefined where it sees none.
 */
export function seenEvent({ grant, office }: EventReader, event: AuditEvent): AuditEvent | undefined {
  if (office !== undefined) return readByOffice(office, event);
  return readsWholeTrail(grant) ? withoutExamWords(event) : event;
}

/**
 * Fills a row of the audit file with its event as JSON, as it is read. The right that shows a requester an event bears
 * its id, of however many persons it tells.
 */
export function hydrateEvent(db: Database, reader: EventReader, row: VisibleRow): VisibleRow | undefined {
  const chained = db.get<ChainedBody>(`SELECT ${BODY_COLUMNS} WHERE c.id = ?`, row.id);
  if (chained === undefined) throw new Error('An event is missing from the chain');
  const event = seenEvent(reader, restoreEvent(bodyOf(chained), personalSide(db, row.id)));
  if (event === undefined) return undefined;
  const json = stamped(unstamped(event, row.id), row.version, row.updated);
  const { system } = reader.grant;
  const shownBy = system ? undefined : ({ rightId: row.id, relation: 'named', source: undefined } as const);
  return { ...row, json, shownBy };
}
