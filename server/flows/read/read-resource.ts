/** A requester reads one resource: FHIR read and vread, and the description of a document. */
import { Fault } from '../../../profiles/fault.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { RowVersion, VisibleRow } from '../../ports/record-store.ts';
import {
  foundDeleted,
  foundNothing,
  further,
  guarded,
  NOTHING,
  refusalsRecorded,
  type Account,
  type GuardDeps,
  type Visit,
} from '../guard.ts';
import { toldConsents } from './told-consent.ts';
import { isToldInPart, toldVersion } from './told-report.ts';
import { requireScope } from '../../access/scope.ts';
import { formerPatient } from './former-patient.ts';

/** Which resource; `version` for a former or present version by number. */
export type ReadRequest = { readonly type: StoredType; readonly id: string; readonly version?: number };

/** Ids that a store is asked for. */
export const ID = /^[A-Za-z0-9.-]{1,64}$/;
/** What is said of a resource that is absent or hidden. */
export const ABSENT = 'No such resource';

/**
 * Reads one resource.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such resource, or none that the requester may see
 * @throws {Fault} deleted - it was deleted, and the requester saw it before
 */
export function readResource(deps: GuardDeps) {
  return async (visit: Visit, { type, id, version }: ReadRequest): Promise<VisibleRow> => {
    const kind = version === undefined ? 'read' : 'vread';
    return await refusalsRecorded(deps, visit, kind, async () => {
      requireScope(visit.requester, type, 'r');
      if (!ID.test(id)) throw new Fault('not-found', ABSENT);
      const asked = {
        ...(version === undefined ? {} : { version }),
        ...(type === 'Patient' ? {} : { orDeleted: true as const }),
      };
      const question = { kind: 'resource', type, id, ...asked } as const;
      // Of a version that is not told it is told that it is absent.
      const told = (row: RowVersion | undefined): RowVersion | undefined => row && toldVersion(visit, row, undefined);
      const tell = (row: RowVersion | undefined): Account => accountOf(question, told(row));
      const { answer, passage } = await guarded(deps, visit, kind, question, tell);
      const row = told(answer) ?? (await formerVersion(deps, visit, { type, id, version }, tell));
      if (row === undefined) throw foundNothing(ABSENT);
      if ('isDeletion' in row) throw foundDeleted('The resource was deleted');
      const [shown = row] = await toldConsents(deps, visit, passage, [row]);
      if (version === undefined || !isToldInPart(type)) return shown;
      return toldVersion(visit, shown, await further(deps, passage, { kind: 'resource', type, id })) ?? shown;
    });
  };
}

/** A Patient's former id has the version that is read of it, and no other. */
async function formerVersion(
  deps: GuardDeps,
  visit: Visit,
  { type, id, version }: Pick<ReadRequest, 'type' | 'id'> & { readonly version: number | undefined },
  tell: (row: RowVersion | undefined) => Account,
): Promise<VisibleRow | undefined> {
  if (type !== 'Patient') return undefined;
  const kind = version === undefined ? 'read' : 'vread';
  const asked = (row: VisibleRow | undefined) => (version === undefined || row?.version === version ? row : undefined);
  return asked(await formerPatient(deps, visit, { id, kind }, (row) => tell(asked(row))));
}

function accountOf({ type, id }: ReadRequest, row: RowVersion | undefined): Account {
  if (row === undefined) return NOTHING;
  const account = { rows: [row], entities: [{ what: { reference: `${type}/${id}` } }] };
  return row.isDeletion === true ? { ...account, deleted: true } : account;
}
