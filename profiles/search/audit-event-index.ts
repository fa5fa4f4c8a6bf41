/** Search values of an AuditEvent, taken by hand because every passage of every door pays for them. */
import type { AuditEvent, CodeableConcept, Coding } from '@medplum/fhirtypes';
import type { Criterion } from './criterion.ts';
import type { IndexEntries } from './indexer.ts';

type Token = IndexEntries['tokens'][number];

/** The version of what is indexed: 2 adds agent-role and purpose. What a version says of an event never changes. */
export const INDEX_VERSION = 2;

/** Parameters that are not of the first version. */
const ADDED: Readonly<Record<string, number>> = { 'agent-role': 2, purpose: 2 };

/** The version of which an event is at least that conditions find by all that it says. */
export function versionFor(where: readonly Criterion[]): number {
  return Math.max(1, ...where.map((criterion) => ('param' in criterion ? (ADDED[criterion.param] ?? 1) : 1)));
}

/**
 * Indexes an AuditEvent: date, patient, agent, entity, type, subtype, action, outcome, entity-type, agent-role and
 * purpose. An event is found by what its version says: a verification makes the same again.
 */
export function indexAuditEvent(event: AuditEvent, version = INDEX_VERSION): IndexEntries {
  const recorded = Date.parse(event.recorded ?? '');
  return {
    tokens: unique(
      [...tokensOf(event), ...(version < 2 ? [] : tokensOfRequestors(event))],
      (token) => `${token.param}|${token.system}|${token.value}`,
    ),
    references: referencesOfEvent(event),
    dates: [{ param: 'date', lo: recorded, hi: recorded + 1 }],
    strings: [],
  };
}

/** What an AuditEvent refers to: agent, entity, patient. */
export function referencesOfEvent(event: AuditEvent): IndexEntries['references'] {
  return [...agentReferences(event), ...entityReferences(event)];
}

function tokensOf(event: AuditEvent): Token[] {
  const tokens = [tokenOf('type', event.type)];
  for (const subtype of event.subtype ?? []) tokens.push(tokenOf('subtype', subtype));
  if (event.action !== undefined) tokens.push({ param: 'action', system: '', value: event.action });
  if (event.outcome !== undefined) tokens.push({ param: 'outcome', system: '', value: event.outcome });
  for (const entity of event.entity ?? []) if (entity.type) tokens.push(tokenOf('entity-type', entity.type));
  return tokens;
}

function tokensOfRequestors({ agent, purposeOfEvent = [] }: AuditEvent): Token[] {
  const codings = (concepts: readonly CodeableConcept[]) => concepts.flatMap(({ coding = [] }) => coding);
  return [
    ...codings(agent.flatMap(({ role = [] }) => role)).map((coding) => tokenOf('agent-role', coding)),
    ...codings(purposeOfEvent).map((coding) => tokenOf('purpose', coding)),
  ];
}

function tokenOf(param: string, coding: Coding | undefined): Token {
  return { param, system: coding?.system ?? '', value: coding?.code ?? '' };
}

function agentReferences(event: AuditEvent): IndexEntries['references'] {
  const targets = event.agent.map((agent) => agent.who?.reference).filter((target) => target !== undefined);
  const patients = targets.filter((target) => target.startsWith('Patient/'));
  return [...new Set(targets)]
    .map((target) => ({ param: 'agent', target }))
    .concat([...new Set(patients)].map((target) => ({ param: 'patient', target })));
}

function entityReferences(event: AuditEvent): IndexEntries['references'] {
  const targets = (event.entity ?? []).map((entity) => entity.what?.reference).filter((target) => target !== undefined);
  const patients = targets.filter((target) => target.startsWith('Patient/'));
  return [...new Set(targets)]
    .map((target) => ({ param: 'entity', target }))
    .concat([...new Set(patients)].map((target) => ({ param: 'patient', target })));
}

function unique<T>(values: readonly T[], key: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [key(value), value])).values()];
}
