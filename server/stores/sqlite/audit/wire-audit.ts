/** Makes events ready for the writer, on the thread that recorded them. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { INDEX_VERSION, indexAuditEvent, referencesOfEvent } from '../../../../profiles/search/audit-event-index.ts';
import type { IndexEntries } from '../../../../profiles/search/indexer.ts';
import { readyEvent, type ChainRecord } from '../../audit-chain.ts';
import { partBody } from './event-body.ts';
import type { FormEntry, WireAudit } from '../write/protocol.ts';

/** Parts an event and adds its search values. */
export function toWireAudit(record: ChainRecord): WireAudit {
  const { event, persons } = record;
  const { id, body, personal } = readyEvent({ ...record, indexed: INDEX_VERSION });
  const parted = partBody(body);
  return {
    id,
    body: parted,
    personal,
    recorded: Date.parse(event.recorded ?? ''),
    persons,
    references: referencesOf(referencesOfEvent(event)),
    entries: entriesAs(parted.frame, event),
  };
}

/** Entries by the frames of their events: what makes them stands there. */
const ENTRIES = new Map<string, string>();
const MOST = 1_000;

function entriesAs(frame: string, event: AuditEvent): string {
  const known = ENTRIES.get(frame);
  if (known !== undefined) return known;
  const entries = JSON.stringify(entriesOf(indexAuditEvent(event)));
  if (ENTRIES.size >= MOST) ENTRIES.clear();
  ENTRIES.set(frame, entries);
  return entries;
}

/** The references that are kept. Who is a patient among agents and entities is found as one of them. */
export function referencesOf(references: IndexEntries['references']): IndexEntries['references'] {
  return references.filter(({ param }) => param !== 'patient');
}

/** The values that an event has in common with others: of references and dates, that there is one. */
export function entriesOf({ tokens, references, dates }: IndexEntries): FormEntry[] {
  const present = new Set([...references, ...dates].map(({ param }) => param));
  return [
    ...tokens.map(({ param, value, system }): FormEntry => [eventParam(param), value, system]),
    ...[...present].map((param): FormEntry => [eventParam(param), '', '']),
  ];
}

/** A search parameter as the tables name it. */
export function eventParam(param: string): string {
  return `AuditEvent.${param}`;
}
