/** Makes events ready for the writer, on the thread that recorded them. */
import { indexAuditEvent } from '../../../../profiles/search/audit-event-index.ts';
import type { IndexEntries } from '../../../../profiles/search/indexer.ts';
import type { AuditRecord } from '../../../ports/commit-plan.ts';
import { readyEvent } from '../../audit-chain.ts';
import { partBody } from './event-body.ts';
import type { FormEntry, WireAudit } from '../write/protocol.ts';

/** Parts an event and adds its search values. */
export function toWireAudit({ event, persons }: AuditRecord): WireAudit {
  const { id, body, personal } = readyEvent(event);
  const index = indexAuditEvent(event);
  // Who is a patient among agents and entities is found as one of them.
  const references = index.references.filter(({ param }) => param !== 'patient');
  return {
    id,
    body: partBody(body),
    personal,
    recorded: Date.parse(event.recorded ?? ''),
    persons,
    references,
    entries: JSON.stringify(entriesOf(index)),
  };
}

function entriesOf({ tokens, references, dates }: IndexEntries): FormEntry[] {
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
