/** What a patient's Consents say of an actor already, and whether it goes before a name in an image. */
import type { Consent } from '@medplum/fhirtypes';
import { blockOf, isBlock } from '../../../profiles/consent/block.ts';
import { permitOf, type Permit } from '../../../profiles/consent/declaration.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Precondition } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { findAll, type Found } from '../internal-reads.ts';

/** What was said, as it stands: what rests on it is refused where it changes. */
export type SaidBefore = {
  readonly isAgainst: boolean;
  /** Whose declarations (references) were ended before their time was over, and when (epoch milliseconds). */
  readonly ended: readonly { readonly actors: readonly string[]; readonly at: number }[];
  readonly preconditions: readonly Precondition[];
};

/** Reads what her Consents say of actors (references); `but` is the id of one that does not count. */
export async function saidBefore(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  actors: readonly string[],
  but?: string,
): Promise<SaidBefore> {
  const found = await findAll<Consent>(records, reading({ person }), 'Consent', [
    { kind: 'reference', param: 'actor', values: actors },
  ]);
  const said = found.filter(({ row }) => row.id !== but);
  return {
    isAgainst: said.some(({ resource }) => isAgainst(resource)),
    ended: said.flatMap(endOf),
    preconditions: said.map(asItStands),
  };
}

const ENDED: readonly Consent['status'][] = ['inactive', 'entered-in-error'];

/** A block that stands, or a declaration that has ended: whoever ended it, the next one is said by itself. */
function isAgainst(consent: Consent): boolean {
  if (isBlock(consent)) return blockOf(consent) !== undefined;
  return endedPermit(consent) !== undefined;
}

function endedPermit(consent: Consent): Permit | undefined {
  const permit = ENDED.includes(consent.status) ? permitOf({ ...consent, status: 'active' }) : undefined;
  return permit?.kind === 'declared' ? permit : undefined;
}

function endOf({ row: { updated: at }, resource }: Found<Consent>): SaidBefore['ended'] {
  const permit = endedPermit(resource);
  // At the end of its period it became inactive by itself: nobody spoke against anybody.
  return permit === undefined || permit.to <= at
    ? []
    : [{ actors: permit.actors.map(({ reference }) => reference), at }];
}

function asItStands({ row: { id, version } }: Found<Consent>): Precondition {
  return { kind: 'version', type: 'Consent', id, version };
}
