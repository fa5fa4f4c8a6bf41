/** Places: finds the row that an act means, or the id of the one that it makes. */
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { Precondition } from '../../ports/commit-plan.ts';
import { internally } from '../../ports/internal-row.ts';
import type { InternalRow, InternalVersion } from '../../ports/record-store.ts';
import { ABSENT, ID } from '../read/read-resource.ts';
import { newId } from '../new-id.ts';
import type { WriteAct } from './act.ts';
import { conditionParameters, matchOf } from './condition.ts';
import { hookOf, keptTypeOf } from './hooks.ts';
import { ownerOfId } from './own-ids.ts';
import { standingFor } from './source.ts';
import type { Placed, Work } from './work.ts';

/**
 * Places an act on the state that stands. Undefined when a delete finds nothing.
 * @throws {Fault} not-found - nothing stands, and the requester may not choose the id
 * @throws {Fault} version-conflict - the condition matches several rows
 * @throws {Fault} invalid - the resource has another id
 */
export async function place(work: Work, act: WriteAct): Promise<Placed | undefined> {
  return act.id === undefined ? await placeByContent(work, act) : await placeById(work, act, act.id);
}

async function placeById(work: Work, act: WriteAct, id: string): Promise<Placed | undefined> {
  if (!ID.test(id)) throw new Fault('not-found', ABSENT);
  if (act.interaction === 'update') requireId(act.resource, id);
  const row = await rowAt(work, act, id);
  const standing = row?.isDeletion === true ? undefined : row;
  if (act.interaction === 'delete') return await deletedPlace(work, act, standing);
  if (standing !== undefined) return { act, id, standing };
  if (act.interaction === 'patch') throw new Fault('not-found', ABSENT);
  const isOwn = isOwnId(work, id) || (row !== undefined && (await standingFor(work, row, act)) === 'own');
  if (!isOwn) throw new Fault('not-found', ABSENT);
  return { act, id, standing, isOwn, ...left(row) };
}

function left(row: InternalVersion | undefined): Pick<Placed, 'deletion'> {
  return row?.isDeletion === true ? { deletion: row } : {};
}

/** What is hidden is deleted as what is absent: nothing is, and nothing is told. */
async function deletedPlace(work: Work, act: WriteAct, row: InternalRow | undefined): Promise<Placed | undefined> {
  if (row === undefined || (await standingFor(work, row, act)) === 'hidden') return undefined;
  return { act, id: row.id, standing: row };
}

async function rowAt({ deps, reading }: Work, act: WriteAct, id: string): Promise<InternalVersion | undefined> {
  const type = keptTypeOf(act.type);
  return await deps.records.peek(reading({ item: `${type}/${id}` }), { kind: 'resource', type, id, orDeleted: true });
}

function isOwnId({ deps, visit }: Work, id: string): boolean {
  const { requester } = visit;
  return requester.kind === 'establishment' && ownerOfId(deps.region.establishments, id) === requester.organization;
}

/** A create, or an act that names its row by a condition. */
async function placeByContent(work: Work, act: WriteAct): Promise<Placed | undefined> {
  const hook = hookOf(act.type);
  const found: ConditionMatch = act.condition === undefined ? {} : await conditionMatch(work, act, act.condition);
  const { standing, isOwn: own, ...sought } = found;
  const isOwn = own === true ? ({ isOwn: true } as const) : {};
  if (act.interaction === 'create') {
    if (standing !== undefined) return { act, id: standing.id, standing, isMet: true };
    const isSought = act.condition !== undefined && found.sought === undefined;
    const same = isSought ? undefined : await hook.find?.(work, act.resource);
    if (same !== undefined) return { act, id: same.id, standing: same, isOwn: true };
    return { act, id: newId(), ...sought, standing };
  }
  if (standing !== undefined) {
    if (act.interaction === 'update' && act.resource.id !== undefined) requireId(act.resource, standing.id);
    return { act, id: standing.id, standing, ...isOwn };
  }
  if (act.interaction === 'delete') return undefined;
  if (act.interaction === 'patch') throw new Fault('not-found', ABSENT);
  const chosen = chosenId(work, act.resource);
  if (chosen === undefined) return { act, id: newId(), ...sought, standing };
  return { act, id: chosen, ...sought, standing, ...left(await rowAt(work, act, chosen)) };
}

/** What a condition found; `isOwn` where an identity or identifier of the requester's own did. */
type ConditionMatch = {
  readonly standing?: InternalRow;
  readonly isOwn?: true;
  readonly sought?: Precondition;
};

async function conditionMatch(work: Work, act: WriteAct, condition: string): Promise<ConditionMatch> {
  const parameters = conditionParameters(act.type, condition, `${work.deps.publicUrl()}/fhir`);
  const own = await (hookOf(act.type).match?.(work, act, parameters) ?? 'searched');
  if (own !== 'searched') return own === undefined ? {} : { standing: own, isOwn: true };
  const { row, none } = await matchOf(work.deps, work.visit, act.type, parameters);
  return row === undefined ? { sought: none } : { standing: internally(row) };
}

/** The id that a client gave a resource, where it may choose; every other one is not taken over. */
function chosenId(work: Work, { id }: Resource): string | undefined {
  return id !== undefined && isOwnId(work, id) ? id : undefined;
}

function requireId({ id, resourceType }: Resource, expected: string): void {
  if (id === expected) return;
  throw new Fault('invalid', 'The id of the resource is not the one of its address', {
    expression: `${resourceType}.id`,
  });
}
