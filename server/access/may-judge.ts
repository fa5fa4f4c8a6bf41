/**
 * What desks decide, as pure rules: that two identities are one person, or two; and beside the patient herself, that an
 * account is off, and that a paper says that she shares again.
 */
import { Fault } from '../../profiles/fault.ts';
import { requesterBases } from './basis.ts';
import { isDeskOf, isRegionDesk } from './desks.ts';
import { requireKind } from './may-attempt.ts';
import {
  aboutBasis,
  RECORD_TYPES,
  reviewReaches,
  subjectBases,
  WITH_IDENTITY,
  type SubjectFacts,
} from './may-write.ts';
import type { JudgementOperation } from './operations.ts';
import type { PersonKey, Requester } from './requester.ts';
import { makeWarrant, type Warrant } from './warrant.ts';

/** What was read for a decision: who says something of each identity, and whose rows the plan changes. */
export type JudgementFacts = {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Of each of the two that stands, the establishments (`Organization/id`) that ever said something of it. */
  readonly sources: readonly (readonly string[])[];
  readonly persons: readonly PersonKey[];
  /** Persons who stay as they are, of whose identities desks are told something else. */
  readonly reviewed: readonly PersonKey[];
};

/**
 * Decides before anything is worked out: the region's desk for all, an establishment's for identities that are its own.
 * @throws {Fault} forbidden - requesters of this kind never do it
 * @throws {Fault} not-found - one does not stand, or it is another's, of which the requester hears nothing
 */
export function requireJudge(
  requester: Requester,
  operation: JudgementOperation,
  { sources }: Pick<JudgementFacts, 'sources'>,
): void {
  requireKind(requester, { interaction: 'operation', operation });
  const isOwn = sources.every((all) => all.length > 0 && all.every((one) => isDeskOf(requester, one)));
  if (sources.length < 2 || !(isOwn || isRegionDesk(requester))) throw new Fault('not-found', 'No such patient');
}

/**
 * Decides an operation that joins identities or separates them.
 * @throws {Fault} as {@link requireJudge}
 */
export function mayJudge(requester: Requester, operation: JudgementOperation, facts: JudgementFacts): Warrant {
  requireJudge(requester, operation, facts);
  return makeWarrant({
    act: operation,
    reaches: [{ types: WITH_IDENTITY, whose: { persons: facts.persons }, event: 'own' }, ...reviewReaches(facts)],
    bases: requesterBases(requester, facts.now),
  });
}

/** What was read for a decision. */
export type AccountFacts = {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Undefined when nobody is known. */
  readonly subject: SubjectFacts | undefined;
  /** Establishments (`Organization/id`) that say something of one of her identities. */
  readonly sources: readonly string[];
};

/**
 * Decides it: the region's desk for all, an establishment's for a patient whom it feeds.
 * @throws {Fault} forbidden - requesters of this kind never do it
 * @throws {Fault} not-found - nobody is known, or not to the requester
 */
export function maySetAccount(requester: Requester, { now, subject, sources }: AccountFacts): Warrant {
  requireKind(requester, { interaction: 'operation', operation: 'set-account' });
  const isDesk = isRegionDesk(requester) || sources.some((one) => isDeskOf(requester, one));
  const rests = subject === undefined ? undefined : isDesk ? [] : aboutBasis(requester, subject, now);
  if (subject === undefined || rests === undefined) throw new Fault('not-found', 'No such patient');
  return makeWarrant({
    act: 'set-account',
    reaches: [{ types: RECORD_TYPES, whose: { persons: [subject.person] }, event: 'own' }],
    bases: [...requesterBases(requester, now), ...subjectBases(subject), ...rests],
  });
}

/**
 * Decides that a paper is recorded by which somebody shares again: the region's desk alone.
 * @throws {Fault} forbidden - another asks
 * @throws {Fault} not-found - nobody is known
 */
export function mayRecordPaper(requester: Requester, { now, subject }: Pick<AccountFacts, 'now' | 'subject'>): Warrant {
  requireKind(requester, { interaction: 'operation', operation: 'reconsent' });
  if (!isRegionDesk(requester)) throw new Fault('forbidden', 'A paper is recorded by the desk of the region only');
  if (subject === undefined) throw new Fault('not-found', 'No such patient');
  return makeWarrant({
    act: 'reconsent',
    reaches: [{ types: RECORD_TYPES, whose: { persons: [subject.person] }, event: 'own' }],
    bases: [...requesterBases(requester, now), ...subjectBases(subject)],
  });
}
