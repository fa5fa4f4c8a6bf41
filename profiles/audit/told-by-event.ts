/**
 * What an AuditEvent tells that no index keeps: names, addresses and identifiers, which can be erased, and what is
 * rarely asked for. Whoever searches by it reads the events themselves, so nothing is found that is not read any more,
 * and events of earlier servers are found, too.
 */
import type { AuditEvent, Reference } from '@medplum/fhirtypes';
import { comparedUri } from '../codes.ts';
import { referencesOfEvent } from '../search/audit-event-index.ts';
import { isLink, type Criterion } from '../search/criterion.ts';
import type { IndexEntries } from '../search/indexer.ts';
import { ALONE, matchesCriterion } from '../search/match.ts';
import { findSearchParameter } from '../search/parameters.ts';
import { addToken, normalizeString, targetOf, type Entries } from '../search/values.ts';

/** Criteria on events: those that an index answers, and those for which events are read. */
export type EventCriteria = { readonly indexed: readonly Criterion[]; readonly read: readonly Criterion[] };

/** Parts criteria on events. */
export function partCriteria(where: readonly Criterion[]): EventCriteria {
  return { indexed: where.filter((criterion) => !isRead(criterion)), read: where.filter(isRead) };
}

/** What is kept beside a parameter has its code first: `agent-name:exact`. */
function isRead(criterion: Criterion): boolean {
  if (!('param' in criterion) || isLink(criterion)) return false;
  if (criterion.kind === 'reference' && criterion.own !== undefined) return true;
  const [code = '', beside] = criterion.param.split(':');
  return beside !== undefined || findSearchParameter('AuditEvent', code)?.isRead === true;
}

/** Whether an event, as whoever asks reads it, satisfies criteria. */
export function tells(event: AuditEvent, criteria: readonly Criterion[]): boolean {
  const row = { ...entriesOfEvent(event), type: 'AuditEvent', id: event.id ?? '' } as const;
  return criteria.every((criterion) => matchesCriterion(row, criterion, ALONE));
}

/** By what an event is found that is read: what no index keeps, and whom it refers to. */
export function entriesOfEvent(event: AuditEvent): IndexEntries {
  const { agent, entity = [], source } = event;
  const entries: Entries = { tokens: [], references: [...referencesOfEvent(event)], dates: [], strings: [] };
  for (const { name, network, who } of agent) {
    addText(entries, 'agent-name', name);
    addText(entries, 'address', network?.address);
    addIdentifier(entries, 'agent', who);
  }
  for (const { role, what } of entity) {
    addToken(entries, 'entity-role', role?.system, role?.code);
    addIdentifier(entries, 'entity', what);
  }
  addToken(entries, 'site', '', source.site);
  const observer = targetOf(source.observer.reference ?? '');
  if (observer !== undefined) entries.references.push({ param: 'source', target: observer });
  addIdentifier(entries, 'source', source.observer);
  return entries;
}

function addText({ strings, tokens }: Entries, param: string, text: string | undefined): void {
  if (text === undefined) return;
  strings.push({ param, value: normalizeString(text) });
  tokens.push({ param: `${param}:exact`, system: '', value: text });
}

function addIdentifier(entries: Entries, param: string, reference: Reference | undefined): void {
  const { system = '', value = '' } = reference?.identifier ?? {};
  addToken(entries, `${param}:identifier`, comparedUri(system), comparedUri(value));
}
