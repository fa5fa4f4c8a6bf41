/**
 * People clear up what is kept aside: `Task/[id]/$discard` ends it, `$refile` files it under a Patient of its sender's,
 * `$release` makes it part of the study that stands.
 */
import type { Task } from '@medplum/fhirtypes';
import { studyInstanceUIDOf } from '../../../profiles/imaging/identifiers.ts';
import { isKeptAsideTask } from '../../../profiles/imaging/kept-aside-task.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemReading } from '../../access/grant.ts';
import { mayOperate, notTheirs, type OperatedFacts } from '../../access/may-operate.ts';
import type { SubjectFacts } from '../../access/may-write.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { AuditRecord, QuarantinedInstance } from '../../ports/commit-plan.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { refuseOwnMatter } from '../identity/own-matter.ts';
import { knownPatient, subjectFacts } from '../identity/persons.ts';
import { claimOf, findById, type Found } from '../internal-reads.ts';
import { ERASING } from '../intake/standing-instance.ts';
import { commitFresh, joinParts, type Planned, type PlanParts } from '../write/plan-parts.ts';
import { fileAll, removeDropped } from './settle-study.ts';
import { goneParts, keptFor } from './file-aside.ts';
import type { AsideDeps, AsideReading } from './aside-deps.ts';
import { deriveAnew } from './derive-anew.ts';
import { asideOf, endingParts, taskKeyOf } from './list-kept-aside.ts';
import { isRowSeen } from './seen.ts';

/** What the flow needs. */
export type ClearAsideDeps = GuardDeps & AsideDeps;

/** What is to be done. `patient` is `Patient/id`. */
export type Clearing =
  { readonly operation: 'discard' | 'release' } | { readonly operation: 'refile'; readonly patient: string };

/** Instances that are cleared in one plan; a Task of more is called once more for the rest. */
const MOST = 500;

/** A Task that was found, its instances, and whose study stands under their UID. */
type FoundTask = {
  readonly task: Found<Task>;
  readonly asides: readonly QuarantinedInstance[];
  readonly owner: string | undefined;
  readonly operated: OperatedFacts;
};

/**
 * Clears the instances of a Task.
 * @throws {Fault} not-found - there is no such Task, or it is hidden
 * @throws {Fault} forbidden - it is for others
 * @throws {Fault} invalid - the Patient is not one of the establishment
 * @throws {Fault} conflict - nothing is kept aside any more, or nothing of it can be filed so
 */
export function clearAside(deps: ClearAsideDeps) {
  return async (visit: Visit, taskId: string, clearing: Clearing): Promise<void> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      for (let isMore = true; isMore;) isMore = await clearSome(deps, visit, taskId, clearing);
    });
}

async function clearSome(deps: ClearAsideDeps, visit: Visit, taskId: string, clearing: Clearing): Promise<boolean> {
  const { receipt, result } = await commitFresh(deps.records, async () => await planOf(deps, visit, taskId, clearing));
  if (clearing.operation === 'discard') for (const name of receipt.erasedBlobs) await deps.images.remove(name);
  else await removeDropped(deps, result.cleared, receipt);
  return result.isMore;
}

type Cleared = { readonly cleared: readonly QuarantinedInstance[]; readonly isMore: boolean };

async function planOf(
  deps: ClearAsideDeps,
  visit: Visit,
  taskId: string,
  clearing: Clearing,
): Promise<Planned<Cleared>> {
  const now = deps.clock.now();
  const reading = systemReading('clear-aside', now);
  const found = await findTask(deps, visit, reading, taskId);
  const subject = found === undefined ? undefined : await subjectOf(deps, visit, reading, found, clearing);
  const warrant = mayOperate(visit.requester, clearing.operation, { now, operated: found?.operated, subject });
  if (found === undefined) throw new Fault('not-found', 'No such resource');
  if (found.asides.length === 0) throw new Fault('conflict', 'Nothing of this Task is kept aside any more');
  const persons = [found.operated, ...(subject === undefined ? [] : [subject])].map(({ person }) => person);
  await refuseOwnMatter(deps)(visit.requester, persons);
  const asides = found.asides.slice(0, MOST);
  const isMore = found.asides.length > asides.length;
  const { parts, cleared } =
    clearing.operation === 'discard'
      ? { parts: [goneParts(asides)], cleared: asides }
      : await filedParts(deps, reading, asides, { found, subject, isRefiled: clearing.operation === 'refile' });
  const status = clearing.operation === 'discard' ? 'cancelled' : 'completed';
  const study = found.operated.studyInstanceUID;
  const plan = joinParts(...parts, isMore ? {} : endingParts(deps, found.task, status), {
    jobs: deriveAnew(study, now),
    audit: eventsOf(deps, visit, clearing, found, subject),
  });
  return { warrant, plan, result: { cleared, isMore } };
}

async function findTask(
  deps: ClearAsideDeps,
  visit: Visit,
  reading: AsideReading,
  taskId: string,
): Promise<FoundTask | undefined> {
  const task = await findById<Task>(deps.records, reading, 'Task', taskId);
  const identifier = task?.resource.focus?.identifier;
  const study = identifier === undefined ? undefined : studyInstanceUIDOf(identifier);
  if (task?.row.person === undefined || study === undefined || !isKeptAsideTask(task.resource)) return undefined;
  const owner = await claimOf(deps.records, reading, claimKey.study(study));
  const first = await claimOf(deps.records, reading, claimKey.studySource(study));
  const all = await asideOf(deps.records, reading, study);
  const asides: QuarantinedInstance[] = [];
  for (const one of all) if ((await claimOf(deps.records, reading, taskKeyOf(one))) === taskId) asides.push(one);
  return {
    task,
    asides,
    owner: owner === ERASING ? undefined : owner,
    operated: {
      item: `Task/${taskId}`,
      person: task.row.person,
      studyInstanceUID: study,
      sources: [task.resource.requester?.reference ?? ''],
      receivers: owner === undefined || first === undefined ? [] : [first],
      isSeen: await isRowSeen(deps, visit, reading, task.row),
    },
  };
}

/** Whose the instances are to be: of whom the study is, or the Patient that the sender names. */
async function subjectOf(
  { records }: ClearAsideDeps,
  visit: Visit,
  reading: AsideReading,
  { owner }: FoundTask,
  clearing: Clearing,
): Promise<SubjectFacts | undefined> {
  if (clearing.operation === 'discard') return undefined;
  const reference = clearing.operation === 'refile' ? clearing.patient : owner;
  const known = reference === undefined ? undefined : await knownPatient(records, reading, reference);
  if (known !== undefined) return await subjectFacts(records, reading, visit.requester, known);
  if (clearing.operation === 'release') return undefined;
  throw notTheirs();
}

/** Who receives instances. */
type Receiving = { readonly found: FoundTask; readonly subject: SubjectFacts | undefined; readonly isRefiled: boolean };

/**
 * Files what can be filed. Where the study that stands is of another person, what its sender files again stays aside,
 * under the Patient that is named.
 */
async function filedParts(
  deps: ClearAsideDeps,
  reading: AsideReading,
  asides: readonly QuarantinedInstance[],
  { found: { owner }, subject, isRefiled }: Receiving,
): Promise<{ readonly parts: readonly PlanParts[]; readonly cleared: readonly QuarantinedInstance[] }> {
  if (subject === undefined) throw new Fault('conflict', 'No study stands that could receive the instances');
  const { patient, person } = subject;
  const of = owner === undefined ? undefined : await knownPatient(deps.records, reading, owner);
  if (of !== undefined && of.person !== person) {
    const parts = asides.map((aside) => keptFor(aside, 'other-patient', { patient, person }));
    if (parts.every((one) => one.quarantined === undefined)) throw nothingFiled();
    return { parts, cleared: [] };
  }
  const filing = { patient, person, ...(isRefiled ? { keptUnder: { patient, person } } : {}) };
  const filed = await fileAll(deps, reading, asides, filing);
  if (!filed.some(({ isFiled }) => isFiled)) throw nothingFiled();
  return { parts: filed.map(({ parts }) => parts), cleared: asides.filter((_, at) => filed[at]?.isFiled) };
}

function nothingFiled(): Fault {
  return new Fault('conflict', 'Another data set, or the exam of another person, stands: nothing can be filed so');
}

/** Every patient concerned reads of it. */
function eventsOf(
  deps: ClearAsideDeps,
  visit: Visit,
  { operation }: Clearing,
  { operated }: FoundTask,
  subject: SubjectFacts | undefined,
): AuditRecord[] {
  const persons = new Set([operated.person, ...(subject === undefined ? [] : [subject.person])]);
  return [...persons].map((person) =>
    eventRecord(deps.clock, visit, 'operation', {
      person,
      entities: [{ what: { reference: operated.item }, role: '4', detail: { operation } }],
    }),
  );
}
