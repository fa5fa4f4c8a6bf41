/**
 * Restrictions of processing that data protection officers granted (GDPR 18): each is of what had been filed when it
 * was granted, by one establishment or by all. The decision that lifts it ends it some days later.
 */
import type { Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { restrictionTime } from '../../../profiles/consent/data-subject-request.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { principal } from '../../access/right.ts';
import type { JobRequest } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { identitiesOf } from '../identity/identities.ts';
import { findAll, type Found } from '../internal-reads.ts';
import type { PlanParts } from '../write/plan-parts.ts';
import { settlingOf } from './ground.ts';

/** One that stands: `organization` is the establishment (`Organization/id`), or undefined where it is of all. */
export type Restriction = { readonly organization: string | undefined; readonly at: number };

/** An item: the establishments (`Organization/id`) that filed it, and when (epoch milliseconds). */
export type FiledItem = { readonly sources: readonly string[]; readonly at: number };

/** Whether it is of an item: of an exam of several, where one of them is restricted. */
function restricts({ organization, at }: Restriction, item: FiledItem): boolean {
  return (organization === undefined || item.sources.includes(organization)) && item.at <= at;
}

const RESTRICTION: readonly Criterion[] = [
  { kind: 'token', param: 'code', values: [{ system: CODE_SYSTEM.task, code: 'restriction' }] },
];

/** Those that stand for a person (`now` is epoch milliseconds), whichever of her identities asked. */
export async function restrictionsOf(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  now: number,
): Promise<readonly Restriction[]> {
  const asked = await findAll<Task>(records, reading({ person }), 'Task', RESTRICTION);
  return await standingOf(records, reading, person, asked, now);
}

/** Whether an item is restricted, and what the plan that says so rests on. */
export type Restricted = { readonly isRestricted: boolean; readonly rests: PlanParts };

/**
 * Whether one is of an item that is about to be put, and what the plan rests on: one that is granted meanwhile is
 * of it, too.
 */
export async function restrictedAt(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  item: FiledItem,
  now: number,
): Promise<Restricted> {
  const asked = await findAll<Task>(records, reading({ person }), 'Task', RESTRICTION);
  const standing = await standingOf(records, reading, person, asked, now);
  const preconditions = asked.map(
    ({ row: { id, version } }) => ({ kind: 'version', type: 'Task', id, version }) as const,
  );
  return { isRestricted: standing.some((one) => restricts(one, item)), rests: { preconditions } };
}

async function standingOf(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  asked: readonly Found<Task>[],
  now: number,
): Promise<readonly Restriction[]> {
  const restrictions: Restriction[] = [];
  for (const { row, resource } of asked) {
    const time = restrictionTime(resource);
    if (time === undefined || time.to < now) continue;
    const rights = await records.rightsOf(reading({ person }), person, `Task/${row.id}`);
    // Its owner is the officer who decided it: whose office it was for is told by who may read it.
    const office = principal.office('establishment-dpo', '');
    const named = rights.filter(({ relation }) => relation === 'named').map((right) => right.principal);
    const holder = named.find((one) => one.startsWith(office));
    restrictions.push({ organization: holder?.slice(office.length), at: time.from });
  }
  return restrictions;
}

/** The job that brings items to the end of a restriction, where that is said. */
export function liftingOf(task: Task): readonly JobRequest[] {
  const { to = Infinity } = restrictionTime(task) ?? {};
  return to === Infinity ? [] : [settlingOf(`Task/${task.id}`, to + 1)];
}

/** The jobs that bring a person's items to the restrictions that stand: one for each of her identities. */
export async function restrictingJobs(
  records: RecordStore,
  person: PersonKey,
  now: number,
): Promise<readonly JobRequest[]> {
  const identities = await identitiesOf(records, person, now);
  return identities.map(({ content }) => settlingOf(`Patient/${content.id}`, now));
}
