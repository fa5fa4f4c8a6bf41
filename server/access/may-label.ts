/** Who may say the confidentiality of an item: its patient, and its author, each for what they say; a pure rule. */
import { Fault } from '../../profiles/fault.ts';
import { isLabelAuthor, type LabelSayer } from '../../profiles/said-label.ts';
import { STORED_TYPES, fhirType, type StoredType } from '../../profiles/types/visibility.ts';
import { requesterBases } from './basis.ts';
import { grantFor } from './grant.ts';
import { requireKind } from './may-attempt.ts';
import type { PersonKey, Requester } from './requester.ts';
import { referenceOf, type Principal, type Right } from './right.ts';
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

/** The warrant, and for whom she speaks: what any of these said before gives place to what the first says now. */
export type MayLabel = { readonly warrant: Warrant; readonly sayers: readonly [LabelSayer, ...LabelSayer[]] };

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
  const related = rights.filter((right) => right.relation === relation).map(({ principal }) => principal);
  const held = related.filter((principal) => principals.includes(principal));
  if (held.length === 0)
    throw new Fault('forbidden', 'The confidentiality of an item is said by its patient, or by its author');
  return {
    sayers: relation === 'self' ? ['patient'] : authorsOf(item, held, related),
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

/**
 * A report has one source. An exam may have several, of whom each speaks for itself; what bears nobody's mark belongs
 * to all of them, and so to one who is alone.
 */
function authorsOf(item: string, held: readonly Principal[], all: readonly Principal[]): MayLabel['sayers'] {
  const author = held.map(referenceOf).find(isLabelAuthor);
  if (!item.startsWith('ImagingStudy/') || author === undefined) return ['source'];
  return all.every((one) => held.includes(one)) ? [author, 'source'] : [author];
}

/** Reports, exams, and the documents that are seen as they are. */
const LABELLED_TYPES: readonly StoredType[] = STORED_TYPES.filter(
  (type) => type === 'DiagnosticReport' || fhirType(type).writers === 'derived',
);
