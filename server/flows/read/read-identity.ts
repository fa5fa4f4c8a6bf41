/** A source reads its own identity back, as the Patient that it said: what an update answers (ITI-104). */
import type { Person } from '@medplum/fhirtypes';
import { identityContentOf } from '../../../profiles/identity/identity-resource.ts';
import { requireScope } from '../../access/scope.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import { foundNothing, guarded, NOTHING, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { ABSENT } from './read-resource.ts';

/**
 * Reads the identity of a Patient, at its version.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - the requester is no source of such an identity
 */
export function readIdentity(deps: GuardDeps) {
  return async (visit: Visit, id: string): Promise<VisibleRow> =>
    await refusalsRecorded(deps, visit, 'read', async () => {
      requireScope(visit.requester, 'Patient', 'r');
      const question = { kind: 'resource', type: 'Person', id } as const;
      const { answer } = await guarded(deps, visit, 'read', question, (row) =>
        row === undefined ? NOTHING : { rows: [row], entities: [{ what: { reference: `Patient/${id}` } }] },
      );
      if (answer === undefined) throw foundNothing(ABSENT);
      const { said } = identityContentOf(JSON.parse(answer.json) as Person);
      const stamp = { versionId: String(answer.version), lastUpdated: new Date(answer.updated).toISOString() };
      return { ...answer, type: 'Patient', json: JSON.stringify({ ...said, meta: { ...stamp, ...said.meta } }) };
    });
}
