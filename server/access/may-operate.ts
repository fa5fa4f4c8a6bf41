/**
 * Who may do what with exams that are whose they should not be, as pure rules: what is kept aside is discarded, filed
 * again or released, and an exam moved to the right person.
 */
import { Fault } from '../../profiles/fault.ts';
import { STORED_TYPES, fhirType, type StoredType } from '../../profiles/types/visibility.ts';
import { requesterBases, type Basis } from './basis.ts';
import { isDeskOf, isRegionDesk } from './desks.ts';
import { requireKind } from './may-attempt.ts';
import { sourceBasis, subjectBases, type SubjectFacts } from './may-write.ts';
import type { ExamOperation } from './operations.ts';
import { EXAM_SWITCHES, refuseOpen, stateBases } from './switches.ts';
import type { PersonKey, Requester } from './requester.ts';
import { principal } from './right.ts';
import { makeWarrant, type Reach, type Warrant } from './warrant.ts';

/** A Task of instances kept aside, or the study that is to be moved. */
export type OperatedFacts = {
  /** `Task/id` or `ImagingStudy/id` */
  readonly item: string;
  readonly person: PersonKey;
  readonly studyInstanceUID: string;
  /** Who sent what is kept aside, or all of the study (`Organization/id`). */
  readonly sources: readonly string[];
  /** Establishments whose study would receive what is kept aside. */
  readonly receivers: readonly string[];
  /** The requester sees the row. */
  readonly isSeen: boolean;
};

/** What was read for a decision. `subject` is the Patient to whom instances are filed; `now` in epoch milliseconds. */
export type OperationFacts = {
  readonly now: number;
  readonly operated: OperatedFacts | undefined;
  readonly subject?: SubjectFacts | undefined;
};

/**
 * Decides an operation.
 * @throws {Fault} forbidden - requesters of this kind never do it, or it is for others; or the person's state does not
 * let others write
 * @throws {Fault} not-found - what is operated on is hidden from the requester
 * @throws {Fault} invalid - the Patient is none about whom the requester may write
 */
export function mayOperate(requester: Requester, operation: ExamOperation, facts: OperationFacts): Warrant {
  requireKind(requester, { interaction: 'operation', operation });
  const { operated, subject, now } = facts;
  if (operated === undefined) throw new Fault('not-found', 'No such resource');
  requireOne(operated, isFor(requester, operation, operated));
  const rests = subject === undefined ? [] : subjectRests(requester, operation, operated, subject, now);
  return makeWarrant({
    act: operation,
    reaches: reachesOf(operation, operated, subject),
    bases: [...requesterBases(requester, now), { kind: 'row', row: operated.item, person: operated.person }, ...rests],
  });
}

function isFor(requester: Requester, operation: ExamOperation, { sources, receivers }: OperatedFacts): boolean {
  const isOfAll = (all: readonly string[]): boolean => all.length > 0 && all.every((one) => speaksFor(requester, one));
  switch (operation) {
    case 'refile':
      return isOfAll(sources);
    case 'release':
      return isRegionDesk(requester) || receivers.some((one) => speaksFor(requester, one));
    case 'discard':
    case 'move':
      return isRegionDesk(requester) || isOfAll(sources);
  }
}

/** An establishment speaks for itself, and so does its desk. */
function speaksFor(requester: Requester, organization: string): boolean {
  if (requester.kind === 'establishment') return requester.organization === organization;
  return isDeskOf(requester, organization);
}

function requireOne({ isSeen }: OperatedFacts, may: boolean): void {
  if (may) return;
  if (!isSeen) throw new Fault('not-found', 'No such resource');
  throw new Fault('forbidden', 'This is done by others: who sent the instances, whose exam it is, or the desk');
}

/**
 * An establishment, and its desk, file under a Patient of its own; the region's desk, and who receives, under the one
 * that stands. Of another's Patient nobody is told whether she is opposed.
 */
function subjectRests(
  requester: Requester,
  operation: ExamOperation,
  { sources }: OperatedFacts,
  subject: SubjectFacts,
  now: number,
): readonly Basis[] {
  const needsOwn = operation !== 'release' && !isRegionDesk(requester);
  const rests = needsOwn ? sourceBasis(subject, sources.map(principal.establishment), now) : [];
  if (rests === undefined) throw notTheirs();
  refuseOpen(subject.state, EXAM_SWITCHES);
  return [...subjectBases(subject), ...rests, ...stateBases(subject.person, EXAM_SWITCHES)];
}

/** The refusal of a Patient who is not known, and of one who is another establishment's: it tells not which. */
export function notTheirs(): Fault {
  return new Fault('invalid', 'The patient is not one of the establishment', { expression: 'Parameters.parameter' });
}

function reachesOf(
  operation: ExamOperation,
  { person, studyInstanceUID }: OperatedFacts,
  subject: SubjectFacts | undefined,
): readonly Reach[] {
  const persons = [person, ...(subject === undefined ? [] : [subject.person])];
  const of = (types: Reach['types']): Reach => ({ types, whose: { persons }, event: 'own' });
  if (operation === 'move') return [of([...EXAM_TYPES, 'instance'])];
  return [of(['Task', 'instance']), { types: ['quarantined'], whose: { study: studyInstanceUID }, event: 'own' }];
}

/** What is derived from an exam. */
const EXAM_TYPES: readonly StoredType[] = STORED_TYPES.filter((type) => fhirType(type).writers === 'derived');
