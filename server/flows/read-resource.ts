/** A requester reads one resource: FHIR read and vread, and the description of a document. */
import { Fault } from '../../profiles/fault.ts';
import type { StoredType } from '../../profiles/visibility.ts';
import type { VisibleRow } from '../ports/record-store.ts';
import { guarded, refusalsRecorded, type GuardDeps, type Visit } from './guard.ts';
import { requireScope } from './require-scope.ts';

/** Which resource; `version` for a former or present version by number. */
export type ReadRequest = { readonly type: StoredType; readonly id: string; readonly version?: number };

/** Ids and versions that no store has to be asked for. */
const ID = /^[A-Za-z0-9.-]{1,64}$/;

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
      if (!ID.test(id)) throw notFound();
      const question = { kind: 'resource', type, id, ...(version === undefined ? {} : { version }) } as const;
      const { answer } = await guarded(deps, visit, kind, question, (row) => ({
        rows: row === undefined ? [] : [row],
        entities: row === undefined ? [] : [{ what: { reference: `${type}/${id}` } }],
      }));
      if (answer === undefined) throw notFound();
      return answer;
    });
  };
}

function notFound(): Fault {
  return new Fault('not-found', 'No such resource');
}
