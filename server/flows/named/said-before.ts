/** What a patient's Consents say of an actor already, and whether it goes before a name in an image. */
import type { Consent, ConsentProvisionActor } from '@medplum/fhirtypes';
import { blockOf, isBlock } from '../../../profiles/consent/block.ts';
import { permitOf, type Permit } from '../../../profiles/consent/declaration.ts';
import { unknownActors } from '../../../profiles/consent/unknown-correspondent.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Precondition } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { findAll, type Found } from '../internal-reads.ts';
import { namesOfActors, numberKey, type NamesOfActors } from './names-of-actors.ts';

/** What was said, as it stands: what rests on it is refused where it changes. */
export type SaidBefore = {
  readonly isAgainst: boolean;
  /** Whose declarations (references) were ended before their time was over, and when (epoch milliseconds). */
  readonly ended: readonly { readonly actors: readonly string[]; readonly at: number }[];
  readonly preconditions: readonly Precondition[];
};

const ENDED: readonly Consent['status'][] = ['inactive', 'entered-in-error'];

/**
 * Reads what her Consents say of actors (references): by these, by a role or an organization of theirs, or by a number
 * that was nobody's then. `but` is the id of one that does not count.
 */
export async function saidBefore(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  actors: readonly string[],
  but?: string,
): Promise<SaidBefore> {
  const names = await namesOfActors(records, reading, person, actors);
  const hers = reading({ person });
  const byName = await findAll<Consent>(records, hers, 'Consent', [
    { kind: 'reference', param: 'actor', values: [...names.references] },
  ]);
  const isFound = new Set(byName.map(({ row }) => row.id));
  const byNumber = (await findAll<Consent>(records, hers, 'Consent', [MAY_NAME_NUMBERS])).filter(
    ({ row, resource }) => !isFound.has(row.id) && unknownActors(resource).some((one) => bearerOf(one, names)),
  );
  const found = [...byName, ...byNumber].map(({ row, resource }) => ({ row, resource: withBearers(resource, names) }));
  const said = found.filter(({ row }) => row.id !== but);
  return {
    isAgainst: said.some(({ resource }) => isAgainst(resource)),
    ended: said.flatMap(endOf),
    preconditions: said.map(asItStands),
  };
}

/** Those that name somebody whom the directory did not know wait, or have ended. */
const MAY_NAME_NUMBERS: Criterion = {
  kind: 'token',
  param: 'status',
  values: ['proposed', ...ENDED].map((code) => ({ code })),
};

/** Who of the actors is meant by a number. */
function bearerOf({ reference }: ConsentProvisionActor, { byNumber }: NamesOfActors): string | undefined {
  return byNumber.get(numberKey(reference.identifier ?? {}) ?? '');
}

/** A Consent with the reference of each of the actors whom it names by a number. */
function withBearers(consent: Consent, names: NamesOfActors): Consent {
  const unknown = new Set(unknownActors(consent));
  const actor = (consent.provision?.actor ?? []).map((one) => {
    const reference = unknown.has(one) ? bearerOf(one, names) : undefined;
    return reference === undefined ? one : { ...one, reference: { ...one.reference, reference } };
  });
  return { ...consent, provision: { ...consent.provision, actor } };
}

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
