/** Who may say the confidentiality of an item: its patient, and its author, each for what they say; a pure rule. */
import { Fault } from '../../profiles/fault.ts';
import type { LabelSayer } from '../../profiles/said-label.ts';
import { STORED_TYPES, fhirType, type StoredType } from '../../profiles/types/visibility.ts';
import { grantFor } from './grant.ts';
import { requireKind } from './may-attempt.ts';
import { requesterBases } from './may-write.ts';
import type { PersonKey, Requester } from './requester.ts';
import type { Right } from './right.ts';
import { makeWarrant, type Warrant } from './warrant.ts';

/** What was read for a decision. */
export type LabelledFacts = {
  /** `DiagnosticReport/id` or `ImagingStudy/id` */
  readonly item: string;
  readonly person: PersonKey;
  /** Those to the item and to the record. */
  readonly rights: readonly Right[];
  /** The requester sees the row. */
  readonly isSeen: boolean;
};

/** The warrant, and for whom she speaks. */
export type MayLabel = { readonly warrant: Warrant; readonly sayer: Exclude<LabelSayer, 'report'> };

/**
 * Decides it: the patient says it for herself, an author for the source.
 * @throws {Fault} not-found - no such item, or one that is hidden from the requester
 * @throws {Fault} forbidden - the requester is neither the patient nor an author
 */
export function mayLabel(requester: Requester, labelled: LabelledFacts | undefined, now: number): MayLabel {
  requireKind(requester, { interaction: 'operation', operation: 'set-confidentiality' });
  if (labelled === undefined || !labelled.isSeen) throw new Fault('not-found', 'No such resource');
  const { item, person, rights } = labelled;
  const { principals } = grantFor(requester, now);
  const relation = requester.kind === 'patient' ? 'self' : 'author';
  const held = rights
    .filter((right) => right.relation === relation && principals.includes(right.principal))
    .map(({ principal }) => principal);
  if (held.length === 0)
    throw new Fault('forbidden', 'The confidentiality of an item is said by its patient, or by its author');
  return {
    sayer: relation === 'self' ? 'patient' : 'source',
    warrant: makeWarrant({
      act: 'set-confidentiality',
      reaches: [{ types: LABELLED_TYPES, whose: { persons: [person] }, event: 'own' }],
      bases: [
        ...requesterBases(requester, now),
        // The record stays hers as long as the row is of her.
        relation === 'self'
          ? { kind: 'row', row: item, person }
          : { kind: 'right', person, item, principals: held, at: now },
      ],
    }),
  };
}

/** Reports, exams, and the documents that are seen as they are. */
const LABELLED_TYPES: readonly StoredType[] = STORED_TYPES.filter(
  (type) => type === 'DiagnosticReport' || fhirType(type).writers === 'derived',
);
