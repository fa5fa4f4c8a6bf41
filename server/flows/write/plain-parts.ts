/** A resource that is kept as it comes: seen by who wrote it, the patient, and whoever may see her record. */
import type { Resource } from '@medplum/fhirtypes';
import { keepingStates } from '../../../profiles/said-label.ts';
import { fhirType } from '../../../profiles/types/visibility.ts';
import type { Origin } from '../../access/rights-of.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { grounded } from '../ground/ground.ts';
import { filerOf } from '../guard.ts';
import { changed } from './changed-put.ts';
import { oneOf, shownOf, type PlanParts } from './plan-parts.ts';
import type { ActParts, Placed, Work, Written } from './work.ts';

/** The steps of a type without a hook. */
export const PLAIN_HOOK = { parts: plainParts, remove: removedParts };

/** `said` is what of its origin the row gives rights by; `isOtherOrigin`: what stands of it gives others. */
async function plainParts(
  work: Work,
  { placed, resource, known }: Written,
  said: Pick<Origin, 'zone' | 'stay' | 'represents'> = {},
  isOtherOrigin = false,
): Promise<ActParts> {
  const { deps, visit, now } = work;
  const { id, standing } = placed;
  if (known === undefined) throw new Error('A resource without a patient is not written here');
  const { person, patient: subject } = known;
  const { item, rests } = await inItsState(work, { placed, resource, subject });
  // Who changes a row that gives rights is who filed it.
  const isSaid = standing === undefined || Object.keys(said).length > 0;
  const filed = shownOf(deps.region, item, filerOf(visit.requester));
  const { ownServices } = filed;
  const origin = isSaid ? { origin: { ...filed, ...said } } : ownServices === undefined ? {} : { ownServices };
  const parts = changed(deps.indexer, standing, { ...item, id }, now, { person, subject, ...origin }, isOtherOrigin);
  return { person, subject, parts: oneOf([parts, rests]) };
}

/** What an establishment files that has a label is shared on a ground. What stands of the same identity stays so. */
async function inItsState(
  { deps, reading, visit: { requester }, now }: Work,
  { placed, resource, subject }: Pick<Written, 'placed' | 'resource'> & { readonly subject: string },
): Promise<{ readonly item: Resource; readonly rests: PlanParts }> {
  const { act, standing } = placed;
  if (fhirType(act.type).label !== 'own') return { item: resource, rests: {} };
  const item = keepingStates(resource, standing && openedResource(standing));
  if (requester.kind !== 'establishment' || standing?.subject === subject) return { item, rests: {} };
  return await grounded(deps, reading, item, { organization: requester.organization, subject, at: now });
}

/** A delete hides the row and keeps its versions. */
async function removedParts(_work: Work, { act, id, standing }: Placed & { standing: InternalRow }): Promise<ActParts> {
  const { type } = act;
  return {
    ...aboutRow(standing),
    parts: {
      preconditions: [{ kind: 'version', type, id, version: standing.version }],
      deletes: [{ type, id }],
    },
  };
}

/** Whose a row is, as parts and events tell it. */
export function aboutRow({ person, subject }: InternalRow): Omit<ActParts, 'parts'> {
  return { ...(person === undefined ? {} : { person }), ...(subject === undefined ? {} : { subject }) };
}
