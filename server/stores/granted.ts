/**
 * Whether a read of the server stays with the subject of its grant: what both stores ask before they read. What a
 * search of a person finds is bounded by each store in its statement.
 */
import { decodeLabel } from '../../profiles/confidentiality.ts';
import { Fault } from '../../profiles/fault.ts';
import { VISIBILITY, type StoredType } from '../../profiles/types/visibility.ts';
import { isOpenToPatient } from '../access/decide.ts';
import { requireSystemGrant, type AnyGrant, type SystemGrant, type SystemSubject } from '../access/grant.ts';
import type { PersonKey } from '../access/requester.ts';
import type { InstanceRow } from '../ports/commit-plan.ts';
import type { InternalQuestion, ShownInstance, ShownStudy, StudyMetadata, VisibleRow } from '../ports/record-store.ts';

/**
 * Checks a read against its grant.
 * @throws {TypeError} the value is no grant of the server
 * @throws {Fault} exception - the grant is bound to another subject
 */
export function requireBound(grant: SystemGrant, asked: SystemSubject): void {
  requireSystemGrant(grant);
  const { subject, reason } = grant;
  if (subject === 'whole' || (asked !== 'whole' && isSame(subject, asked))) return;
  throw new Fault('exception', `A grant to ${reason} is bound to another subject than it is used for`);
}

/**
 * Checks a question against its grant.
 * @throws {TypeError} {Fault} as {@link requireBound}
 */
export function requireBoundQuestion(grant: SystemGrant, question: InternalQuestion): void {
  requireSystemGrant(grant);
  requireBound(grant, subjectOf(grant, question));
}

function subjectOf({ subject }: SystemGrant, question: InternalQuestion): SystemSubject {
  switch (question.kind) {
    case 'resource':
      return { item: `${question.type}/${question.id}` };
    case 'history':
      return question.id === undefined ? 'whole' : { item: `${question.type}/${question.id}` };
    case 'instances':
    case 'metadata':
      return { study: question.studyInstanceUID };
    // Its statement is bounded instead; events may be of several persons.
    case 'search':
      return subject !== 'whole' && 'person' in subject && question.query.type !== 'AuditEvent' ? subject : 'whole';
  }
}

/** Of which study or person instances that are kept aside are told; with neither of all. */
export type AsideAsked = { readonly study?: string; readonly person?: PersonKey };

/**
 * Tells which instances that are kept aside a grant is for.
 * @throws {TypeError} {Fault} as {@link requireBound}
 */
export function asideAsked(grant: SystemGrant): AsideAsked {
  requireSystemGrant(grant);
  const { subject } = grant;
  if (subject !== 'whole' && !('item' in subject)) return subject;
  requireBound(grant, 'whole');
  return {};
}

/**
 * Which instances of a study a requester is shown: those of the person of its row, as others are about to leave it, and
 * of these what some establishments sent. Undefined does not narrow.
 */
export type ShownPart = {
  readonly person?: PersonKey | undefined;
  readonly sources?: readonly string[] | undefined;
};

/** The person whose rows a search is bounded to; undefined where it is not. The directory is nobody's. */
export function boundPerson(grant: AnyGrant, type: StoredType): PersonKey | undefined {
  if (!grant.system || grant.subject === 'whole' || !('person' in grant.subject)) return undefined;
  return VISIBILITY[type] === 'directory' ? undefined : grant.subject.person;
}

/** Instances as the answer to whoever may see their study. */
export function shownInstances(rows: readonly InstanceRow[]): readonly ShownInstance[] {
  return rows as readonly ShownInstance[];
}

/** The identities that instances are filed under, as a requester is told of their metadata. */
export function identitiesShown(
  grant: AnyGrant,
  instances: readonly Pick<InstanceRow, 'subject'>[],
): Pick<StudyMetadata, 'identities'> {
  if (grant.system || instances.length === 0) return {};
  return { identities: [...new Set(instances.map(({ subject }) => subject))] };
}

/** What an answer says of an exam, report or document to tell its patient of it; `level` is the label as it is kept. */
export function openToPatient(
  type: StoredType,
  { level, released }: { readonly level: number; readonly released: boolean },
): Pick<VisibleRow, 'isOpenToPatient'> {
  if (VISIBILITY[type] !== 'item') return {};
  return isOpenToPatient({ type, released, ...decodeLabel(level) }) ? { isOpenToPatient: true } : {};
}

/** What an answer about its parts says of a study where it is asked what it is. */
export function studyAsItIs(row: {
  readonly json: string;
  readonly level: number;
  readonly released: boolean;
}): Pick<ShownStudy, 'type' | 'json' | 'isOpenToPatient'> {
  return { type: 'ImagingStudy', json: row.json, ...openToPatient('ImagingStudy', row) };
}

function isSame(one: Exclude<SystemSubject, 'whole'>, other: Exclude<SystemSubject, 'whole'>): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
