/** A resource that is kept as it comes: seen by who wrote it, the patient, and whoever may see her record. */
import type { Origin } from '../../access/rights-of.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { changed } from './changed-put.ts';
import { filerOf } from '../guard.ts';
import { filedBy } from './plan-parts.ts';
import type { ActParts, Placed, Work, Written } from './work.ts';

/** The steps of a type without a hook. */
export const PLAIN_HOOK = { parts: plainParts, remove: removedParts };

/** `said` is what of its origin the row gives rights by. */
async function plainParts(
  { deps, visit, now }: Work,
  { placed, resource, known }: Written,
  said: Pick<Origin, 'zone' | 'stay' | 'represents'> = {},
): Promise<ActParts> {
  const { id, standing } = placed;
  if (known === undefined) throw new Error('A resource without a patient is not written here');
  const { person, patient: subject } = known;
  // Who changes a row that gives rights is who filed it.
  const isSaid = standing === undefined || Object.keys(said).length > 0;
  const origin = isSaid ? { origin: { ...filedBy(filerOf(visit.requester)), ...said } } : {};
  const parts = changed(deps.indexer, standing, { ...resource, id }, now, { person, subject, ...origin });
  return { person, subject, parts };
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
