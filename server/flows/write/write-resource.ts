/**
 * The one way in for every write: acts are parsed and validated, allowed, placed, made into the parts of a plan, and
 * committed with their events. Several acts of a transaction are one plan: everything stands after it, or nothing.
 */
import { Fault } from '../../../profiles/fault.ts';
import type { PassageKind } from '../../../profiles/audit/shapes.ts';
import { systemReading } from '../../access/grant.ts';
import { mayAttempt } from '../../access/may-attempt.ts';
import { jointWarrant } from '../../access/warrant.ts';
import type { AuditRecord, CommitReceipt } from '../../ports/commit-plan.ts';
import { eventRecord, refusalsRecorded, type Visit } from '../guard.ts';
import type { WriteAct, WriteResult } from './act.ts';
import { hookOf, keptTypeOf } from './hooks.ts';
import { commitFresh, joinParts } from './plan-parts.ts';
import type { StoredDocument } from './store-document.ts';
import type { WorkedAct, WriteDeps } from './work.ts';
import { workActs } from './work-acts.ts';

/**
 * Writes one act.
 * @throws {Fault} forbidden - the scopes or the kind of requester do not allow it, or another wrote the resource
 * @throws {Fault} not-found - no such resource, or none that the requester may see
 * @throws {Fault} invalid, required, not-supported - what is sent cannot be written
 * @throws {Fault} version-conflict - a precondition does not hold
 * @throws {Fault} conflict - it contradicts what stands
 */
export function writeResource(deps: WriteDeps) {
  return async (visit: Visit, act: WriteAct): Promise<WriteResult> => {
    const [result] = await write(deps, visit, act.interaction, [act]);
    if (result === undefined) throw new Error('An act has no result');
    return result;
  };
}

/**
 * Writes acts that stand or fall together, each judged on the state before. Results come in the order of the acts.
 * @throws {Fault} as {@link writeResource}, of one of the acts; invalid - two acts mean one resource
 */
export function writeTransaction(deps: WriteDeps) {
  return async (visit: Visit, acts: readonly WriteAct[]): Promise<readonly WriteResult[]> =>
    await write(deps, visit, 'transaction', acts);
}

async function write(
  deps: WriteDeps,
  visit: Visit,
  kind: PassageKind,
  acts: readonly WriteAct[],
): Promise<readonly WriteResult[]> {
  return await refusalsRecorded(deps, visit, kind, async () => {
    for (const act of acts) mayAttempt(visit.requester, act);
    const documents = new Map<WriteAct, StoredDocument>();
    try {
      for (const act of acts) {
        const document = await hookOf(act.type).prepare?.(deps, act);
        if (document !== undefined) documents.set(act, document);
      }
      const { worked, receipt } = await commitActs(deps, visit, kind, acts, documents);
      await discard(deps, documents, namesIn(worked));
      return resultsOf(acts, worked, receipt);
    } catch (error) {
      if (isRefusal(error)) await discard(deps, documents, new Set());
      throw error;
    }
  });
}

/** Whether it is certain that nothing was written. After any other error the plan may stand, and the sweep decides. */
function isRefusal(error: unknown): boolean {
  return error instanceof Fault && error.kind !== 'exception' && error.kind !== 'transient';
}

function namesIn(worked: readonly WorkedAct[]): ReadonlySet<string> {
  return new Set(worked.flatMap(({ parts }) => (parts.puts ?? []).flatMap(({ blob }) => blob?.name ?? [])));
}

/** Removes bytes that no row came to name. */
async function discard(
  { images }: WriteDeps,
  documents: ReadonlyMap<WriteAct, StoredDocument>,
  named: ReadonlySet<string>,
): Promise<void> {
  for (const { blob } of documents.values()) if (!named.has(blob.name)) await images.remove(blob.name);
}

async function commitActs(
  deps: WriteDeps,
  visit: Visit,
  kind: PassageKind,
  acts: readonly WriteAct[],
  documents: ReadonlyMap<WriteAct, StoredDocument>,
): Promise<{ readonly worked: readonly WorkedAct[]; readonly receipt: CommitReceipt }> {
  const { receipt, result } = await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const reading = systemReading('publish-report', now);
    const worked = await workActs(
      { deps, visit, isTransaction: kind === 'transaction', documents, now, reading },
      acts,
    );
    const audit = auditOf(deps, visit, kind, worked);
    const warrant = jointWarrant(worked.flatMap((one) => one.warrant ?? []));
    return { warrant, plan: joinParts(...worked.map(({ parts }) => parts), { audit }), result: worked };
  });
  return { worked: result, receipt };
}

/** One event for each person that the acts are about, and one of nobody when they are about none. */
function auditOf(deps: WriteDeps, visit: Visit, kind: PassageKind, worked: readonly WorkedAct[]): AuditRecord[] {
  const byPerson = Map.groupBy(worked.flatMap(told), ({ person }) => person);
  const events = [...byPerson].map(([person, mine]) =>
    eventRecord(deps.clock, visit, kind, {
      ...(person === undefined ? {} : { person, patient: mine[0]?.subject ?? '' }),
      entities: mine.map(({ reference }) => ({ what: { reference } })),
    }),
  );
  return events.length > 0 ? events : [eventRecord(deps.clock, visit, kind, { entities: [] })];
}

/** An act is told to every person whose rows it changes. */
function told({ act, id, person, subject, touched, answered }: WorkedAct): readonly Told[] {
  const named = answered ?? { type: act.type, id };
  const reference = `${named.type}/${named.id}`;
  const whose = { reference, ...(subject === undefined ? {} : { subject }) };
  if (touched === undefined) return [person === undefined ? whose : { ...whose, person }];
  return [...touched].map(([one, patient]) => ({ reference, person: one, subject: patient }));
}

/** What is told of an act: the row that its answer names. */
type Told = Pick<WorkedAct, 'person' | 'subject'> & { readonly reference: string };

/** Versions that the store gave are those of the puts, in the order of the plan. */
function resultsOf(
  acts: readonly WriteAct[],
  worked: readonly WorkedAct[],
  { versions, committedAt }: CommitReceipt,
): WriteResult[] {
  const results = new Map<WriteAct, WriteResult>();
  let at = 0;
  for (const { act, id: placedId, parts, standing: row, answered } of worked) {
    const { interaction } = act;
    const { type, id } = answered ?? { type: act.type, id: placedId };
    const standing = answered ?? row;
    const kept = keptTypeOf(type);
    const own = parts.puts?.findIndex((put) => put.type === kept && put.id === id) ?? -1;
    const version = own === -1 ? standing?.version : versions[at + own];
    at += parts.puts?.length ?? 0;
    const isDeleted = (parts.deletes ?? []).length > 0;
    const place = { version: (version ?? 0) + (isDeleted ? 1 : 0) };
    const updated = own === -1 && !isDeleted ? (standing?.updated ?? committedAt) : committedAt;
    const status = answered?.status ?? statusOf(act, standing !== undefined);
    results.set(act, { interaction, type, id, ...place, updated, status });
  }
  return acts.map((act) => results.get(act) ?? { interaction: act.interaction, type: act.type, status: 204 });
}

function statusOf({ interaction }: WriteAct, isStanding: boolean): WriteResult['status'] {
  if (interaction === 'delete') return 204;
  return isStanding ? 200 : 201;
}
