/**
 * What the office of an establishment reads of an event: all of what its people did; of what others did with its items
 * these items alone, whose they are and by which right. What was shown beside them is of other establishments.
 */
import type { AuditEvent, AuditEventEntity } from '@medplum/fhirtypes';
import { fhirType, isStoredType } from '../types/visibility.ts';
import { isRequestEntity } from './entities.ts';
import { FURTHER, withoutExamWords } from './exam-label.ts';

/** Whether one of some organizations (`Organization/id`), or somebody for it, is an agent of an event. */
export function isOfPeople({ agent }: Pick<AuditEvent, 'agent'>, organizations: readonly string[]): boolean {
  return agent.some(({ who }) => organizations.includes(who?.reference ?? ''));
}

/** The items that an event names (`Type/id`): whoever filed them. */
export function itemsOfEvent({ entity = [] }: Pick<AuditEvent, 'entity'>): readonly string[] {
  return entity.flatMap(({ what }) => (isItem(what?.reference) ? [what?.reference ?? ''] : []));
}

/** Whether a reference is one to an exam, or to another item of a record. */
export function isItem(reference = ''): boolean {
  const [type = ''] = reference.split('/');
  return isStoredType(type) && fhirType(type).class === 'item';
}

/** Whether an event that is seen by some items alone, `own`, names what a reference leads to. */
export function isSeenBeside(reference: string, own: ReadonlySet<string>): boolean {
  return own.has(reference) || WHOSE.test(reference);
}

/** Whose an item is, and by which right it was shown. */
const WHOSE = /^(?:Patient|Consent)\//;

/** An event as the office of some organizations reads it, that filed `own` of its items; undefined: not at all. */
export function asOfficeReads<E extends Pick<AuditEvent, 'agent' | 'entity'>>(
  event: E,
  organizations: readonly string[],
  own: ReadonlySet<string>,
): E | undefined {
  if (isOfPeople(event, organizations)) return withoutExamWords(event);
  if (!itemsOfEvent(event).some((item) => own.has(item))) return undefined;
  return withoutExamWords({ ...event, entity: (event.entity ?? []).flatMap((one) => seenBeside(one, own)) });
}

function seenBeside(entity: AuditEventEntity, own: ReadonlySet<string>): readonly AuditEventEntity[] {
  const { what, detail = [], query, ...others } = entity;
  if (isRequestEntity(entity)) return [entity];
  const isUnnamed = what === undefined && query === undefined;
  if (!isUnnamed && !isSeenBeside(what?.reference ?? '', own)) return [];
  const kept = detail.filter(({ type }) => type !== FURTHER);
  return [{ ...(what === undefined ? {} : { what }), ...others, ...(kept.length === 0 ? {} : { detail: kept }) }];
}
