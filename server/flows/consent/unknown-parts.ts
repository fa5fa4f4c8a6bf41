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

/** What these parts are worked out with. */
type Working = Pick<Work, 'now'> & { readonly deps: Pick<Work['deps'], 'records' | 'indexer'> };

/** Whose a Consent is, and who said it (`by`, a reference). */
type Whose = { readonly person: PersonKey; readonly subject: string; readonly by: string };

/** Tells the desk of a Consent that is written and names somebody unknown: that of who said it, or of the region. */
export function unknownParts(
  { deps, now }: Working,
  consent: Consent & { readonly id: string },
  { person, subject, by }: Whose,
): PlanParts {
  const facts = { patient: subject, consent: `Consent/${consent.id}`, requester: by, actors: unknownActors(consent) };
  const desk = by.startsWith('Organization/')
    ? { office: 'establishment-desk' as const, organization: by }
    : { office: 'region-desk' as const, organization: '' };
  const origin: Origin = { sources: [], services: [], offices: [desk] };
  const task = buildUnknownTask({ id: newId(), ...facts, now });
  return { puts: [putOf(deps.indexer, task, now, { person, subject, origin })] };
}

/** Ends what the desk was told of a Consent (id): everybody is known, or it has ended. */
export async function knownParts(
  { deps, reading, now }: Working & Pick<Work, 'reading'>,
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
