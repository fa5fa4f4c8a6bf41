/**
 * Tells people what is kept aside of a study: one Task for each source, reason and identity, which lists the instances.
 * It compares what stands with what should, so it may run at any time.
 */
import type { Task } from '@medplum/fhirtypes';
import { buildKeptAsideTask, endedTask, type PatientNumber } from '../../../profiles/imaging/kept-aside-task.ts';
import { systemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Origin } from '../../access/rights-of.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { knownPatient, newPerson } from '../identity/persons.ts';
import { claimOf, findById } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { newId } from '../new-id.ts';
import { changed } from '../write/changed-put.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';
import type { AsideDeps, AsideReading } from './aside-deps.ts';
import { keptFor } from './file-aside.ts';
import { identifyAside } from './former-aside.ts';
import { readAside } from './stored-aside.ts';

/** Instances that one Task lists: at least one. */
type Group = readonly [QuarantinedInstance, ...QuarantinedInstance[]];

/** Instances that get a key in one plan. */
const MOST_KEYED = 500;

/** Brings the Tasks of a study up to date. */
export function listKeptAside(deps: AsideDeps) {
  return async (studyInstanceUID: string): Promise<void> => {
    const reading = systemReading('clear-aside', deps.clock.now());
    const found = await asideOf(deps.records, reading, studyInstanceUID);
    const isChanged = await identifyAside(deps, reading, found);
    const groups = groupsOf(isChanged ? await asideOf(deps.records, reading, studyInstanceUID) : found);
    for (const group of groups)
      await commitFresh(deps.records, async () => ({
        warrant: systemWarrant('list-kept-aside', studyInstanceUID),
        plan: joinParts(await taskParts(deps, reading, group)),
        result: undefined,
      }));
  };
}

/** What is kept aside of a study. */
export async function asideOf(
  records: RecordStore,
  reading: AsideReading,
  studyInstanceUID: string,
): Promise<QuarantinedInstance[]> {
  const aside: QuarantinedInstance[] = [];
  for await (const one of records.quarantined(reading({ study: studyInstanceUID }))) aside.push(one);
  return aside;
}

/** The key of the claim by which the Task of an instance is found. */
export function taskKeyOf({ studyInstanceUID, source, reason, subject }: QuarantinedInstance) {
  return claimKey.keptAside(studyInstanceUID, source, reason, subject);
}

function groupsOf(aside: readonly QuarantinedInstance[]): Group[] {
  const groups = Map.groupBy(aside, taskKeyOf);
  return [...groups.values()].flatMap(([first, ...others]) => (first === undefined ? [] : [[first, ...others]]));
}

async function taskParts(deps: AsideDeps, reading: AsideReading, group: Group): Promise<PlanParts> {
  const [first] = group;
  const now = deps.clock.now();
  const key = taskKeyOf(first);
  const held = await claimOf(deps.records, reading, key);
  const standing = held === undefined ? undefined : await findById<Task>(deps.records, reading, 'Task', held);
  const id = standing?.row.id ?? newId();
  const task = buildKeptAsideTask(id, {
    studyInstanceUID: first.studyInstanceUID,
    source: first.source,
    reason: first.reason,
    patient: first.subject,
    sopInstanceUIDs: group.map(({ sopInstanceUID }) => sopInstanceUID),
    since: first.receivedAt,
    ...(await told(deps, reading, first)),
  });
  // Whom a foreign number names is nobody whom the server knows: she has a key all the same, by which both are found.
  const person = first.person ?? standing?.row.person ?? newPerson();
  const facts = { person, ...(first.subject === undefined ? {} : { subject: first.subject }), origin: originOf(first) };
  const listed = changed(deps.indexer, standing?.row, task, now, facts);
  return joinParts({ claims: [{ key, value: id }] }, listed, keyedParts(group, person, now));
}

/** Gives what is kept aside of nobody the key of a person, some at a time. */
function keyedParts(group: Group, person: PersonKey, now: number): PlanParts {
  const [first] = group;
  const all = group.filter((aside) => aside.person === undefined);
  const keyed = all.slice(0, MOST_KEYED).map((aside) => keptFor(aside, aside.reason, { person }));
  const isMore = all.length > keyed.length;
  return joinParts(...keyed, { jobs: isMore ? [jobOf('refresh-study', first.studyInstanceUID, now)] : [] });
}

/** Its sender sees it, and the desks of the region and of the sender. */
function originOf({ source }: QuarantinedInstance): Origin {
  return {
    sources: [source],
    services: [],
    offices: [
      { office: 'region-desk', organization: source },
      { office: 'establishment-desk', organization: source },
    ],
  };
}

/** What the first instance says of its patient, and what the study that stands says, if it is of the same sender. */
async function told({ records, images, region }: AsideDeps, reading: AsideReading, aside: QuarantinedInstance) {
  const { studyInstanceUID, source, reason } = aside;
  if (reason === 'unreadable') return {};
  const stored = await readAside(images, region, aside);
  const owner = await claimOf(records, reading, claimKey.study(studyInstanceUID));
  const isOwn = (await claimOf(records, reading, claimKey.studySource(studyInstanceUID))) === source;
  const patient = owner === undefined || !isOwn ? undefined : await knownPatient(records, reading, owner);
  const { patientIdSystem } = region.domainOf(source);
  const number = patient?.resource.identifier?.find(({ system }) => system === patientIdSystem);
  const standing: PatientNumber | undefined =
    number?.value === undefined ? undefined : { system: patientIdSystem, value: number.value };
  return { named: stored?.named.identity, aeTitle: stored?.aeTitle, standing };
}

/** A put that ends the Task of instances which are kept aside no more. */
export function endingParts(
  { indexer, clock }: Pick<AsideDeps, 'indexer' | 'clock'>,
  { row, resource }: NonNullable<Awaited<ReturnType<typeof findById<Task>>>>,
  status: 'completed' | 'cancelled',
): PlanParts {
  const now = clock.now();
  const { person, subject } = row;
  return changed(indexer, row, endedTask(resource, status, now), now, {
    ...(person === undefined ? {} : { person }),
    ...(subject === undefined ? {} : { subject }),
  });
}
