/** Asks whether a requester may attempt an interaction, before a door reads the body; a refusal is recorded. */
import type { PassageKind } from '../../profiles/audit/shapes.ts';
import { fhirType } from '../../profiles/types/visibility.ts';
import { mayAttempt, type Attempt, type QueryOperation } from '../access/may-attempt.ts';
import type { OperationName } from '../access/operations.ts';
import { refusalsRecorded, type GuardDeps, type Visit } from './guard.ts';

/**
 * Makes the question; it resolves when the attempt may be made.
 * @throws {Fault} forbidden - see {@link mayAttempt}
 */
export function attempt(deps: GuardDeps) {
  return async (visit: Visit, attempted: Attempt): Promise<void> =>
    await refusalsRecorded(deps, visit, passageOf(attempted), async () => mayAttempt(visit.requester, attempted));
}

const PASSAGES = {
  'break-glass': 'break-glass',
  withdraw: 'withdraw',
  reconsent: 'withdraw',
  'who-can-access': 'search',
  'access-history': 'search',
  'set-confidentiality': 'operation',
  'presence-code': 'operation',
  'redeem-presence-code': 'operation',
  'support-access': 'operation',
  share: 'operation',
  'revoke-share': 'operation',
  'request-erasure': 'operation',
  'cancel-erasure': 'operation',
  'set-account': 'operation',
  'data-subject-request': 'operation',
  portability: 'operation',
  decide: 'operation',
  discard: 'operation',
  refile: 'operation',
  release: 'operation',
  move: 'operation',
  join: 'operation',
  separate: 'operation',
  'ihe-pix': 'iti-83',
  match: 'iti-119',
} as const satisfies Record<OperationName | QueryOperation, PassageKind>;

/** The passage that the attempt would have been. */
function passageOf(attempted: Attempt): PassageKind {
  switch (attempted.interaction) {
    case 'search-type':
      return fhirType(attempted.type).searchedAs ?? 'search';
    case 'operation':
      return PASSAGES[attempted.operation];
    default:
      return attempted.interaction;
  }
}
