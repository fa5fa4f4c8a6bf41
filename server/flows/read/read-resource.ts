/** A requester reads one resource: FHIR read and vread, and the description of a document. */
import { Fault } from '../../../profiles/fault.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import { foundNothing, guarded, NOTHING, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { requireScope } from '../require-scope.ts';

/** Which resource; `version` for a former or present version by number. */
export type ReadRequest = { readonly type: StoredType; readonly id: string; readonly version?: number };

/** Ids and versions that no store has to be asked for. */
const ID = /^[A-Za-z0-9.-]{1,64}$/;
const ABSENT = 'No such resource';

/**
 * Reads one resource.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such resource, or none that the requester may see
 */
export function readResource(deps: GuardDeps) {
  return async (visit: Visit, { type, id, version }: ReadRequest): Promise<VisibleRow> => {
    const kind = version === undefined ? 'read' : 'vread';
    return await refusalsRecorded(deps, visit, kind, async () => {
      requireScope(visit.requester, type, 'r');
      if (!ID.test(id)) throw new Fault('not-found', ABSENT);
      const question = { kind: 'resource', type, id, ...(version === undefined ? {} : { version }) } as const;
      const { answer } = await guarded(deps, visit, kind, question, (row) =>
        row === undefined ? NOTHING : { rows: [row], entities: [{ what: { reference: `${type}/${id}` } }] },
      );
      if (answer === undefined) throw foundNothing(ABSENT);
      return answer;
    });
  };
}
