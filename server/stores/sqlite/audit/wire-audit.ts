/** Makes events ready for the writer, on the thread that recorded them. */
import { indexAuditEvent } from '../../../../profiles/search/audit-event-index.ts';
import type { IndexEntries } from '../../../../profiles/search/indexer.ts';
import { readyEvent, type ChainRecord } from '../../audit-chain.ts';
import { partBody } from './event-body.ts';
import type { FormEntry, WireAudit } from '../write/protocol.ts';

/** Parts an event and adds its search values. */
export function toWireAudit(record: ChainRecord): WireAudit {
  const { event, persons } = record;
  const { id, body, personal } = readyEvent(record);
  const index = indexAuditEvent(event);
  return {
    id,
    body: partBody(body),
    personal,
    recorded: Date.parse(event.recorded ?? ''),
    persons,
    references: referencesOf(index),
    entries: JSON.stringify(entriesOf(index)),
  };
}

/** The references that are kept. Who is a patient among agents and entities is found as one of them. */
export function referencesOf({ references }: IndexEntries): IndexEntries['references'] {
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
