/** What waits until somebody is known whom a declaration names: a Task of the desk, done when the declaration gives. */
import type { Consent, Task } from '@medplum/fhirtypes';
import {
  buildUnknownTask,
  UNKNOWN_CORRESPONDENT,
  unknownActors,
} from '../../../profiles/consent/unknown-correspondent.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Origin } from '../../access/rights-of.ts';
import { referenceOf } from '../guard.ts';
import { findAll } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { putOf, type PlanParts } from '../write/plan-parts.ts';
import type { Work } from '../write/work.ts';

const OPEN: readonly Criterion[] = [
  { kind: 'token', param: 'status', values: [{ code: 'requested' }] },
  { kind: 'token', param: 'code', values: [{ code: UNKNOWN_CORRESPONDENT.code }] },
];

/** Tells the desk of a Consent that was written and names somebody unknown: that of who sent it, or of the region. */
export function unknownParts(
  { deps, visit: { requester }, now }: Work,
  consent: Consent & { readonly id: string },
  { person, subject }: { readonly person: PersonKey; readonly subject: string },
): PlanParts {
  const by = referenceOf(requester);
  const facts = { patient: subject, consent: `Consent/${consent.id}`, requester: by, actors: unknownActors(consent) };
  const desk =
    requester.kind === 'establishment'
      ? { office: 'establishment-desk' as const, organization: by }
      : { office: 'region-desk' as const, organization: '' };
  const origin: Origin = { sources: [], services: [], offices: [desk] };
  const task = buildUnknownTask({ id: newId(), ...facts, now });
  return { puts: [putOf(deps.indexer, task, now, { person, subject, origin })] };
}

/** Ends what the desk was told of a Consent (id): everybody is known, or it has ended. */
export async function knownParts(
  { deps, reading, now }: Work,
  person: PersonKey | undefined,
  consent: string,
): Promise<readonly PlanParts[]> {
  if (person === undefined) return [];
  const tasks = await findAll<Task>(deps.records, reading({ person }), 'Task', OPEN);
  return tasks
    .filter(({ resource }) => resource.focus?.reference === `Consent/${consent}`)
    .map(({ row, resource }) =>
      changed(deps.indexer, row, { ...resource, status: 'completed' as const }, now, aboutRow(row)),
    );
}
