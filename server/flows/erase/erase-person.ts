/**
 * What is left of a person when what was filed of her is gone: what is for those whom it names alone, and who she is.
 * Requests to erase stay: they testify that it was done.
 */
import type { Resource, Task } from '@medplum/fhirtypes';
import { isErasureTask } from '../../../profiles/consent/erasure-request.ts';
import { joinedTo } from '../../../profiles/identity/joined-purge.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { PERSON_TYPES, systemWarrant } from '../../access/system-warrant.ts';
import { claimKey, claimStem, type ClaimKey } from '../../ports/claim-key.ts';
import type { Claim, Erasure } from '../../ports/commit-plan.ts';
import type { JobKey } from '../../ports/job-queue.ts';
import { identitiesOf, identitiesWith, identityAt, qualifiedKeys, readAs } from '../identity/identities.ts';
import type { StandingIdentity } from '../identity/identities.ts';
import { placeIdentity } from '../identity/place-identity.ts';
import { keptOutside } from './known-again/kept-outside.ts';
import type { SuppressionDeps } from './known-again/suppression.ts';
import { claimOf, findById, pagesOfAll } from '../internal-reads.ts';
import { triesFor } from '../presence/tries.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { ofMajority } from '../notices/majority.ts';
import { ofReaders } from '../notices/tell-news.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';
import { stillHers, type Begun } from './begin-erasure.ts';
import type { EraseStudyDeps } from './erase-study.ts';
import { countingParts, countRows, type Taking } from './taken.ts';

/** What the flow needs. */
export type ErasePersonDeps = EraseStudyDeps & SuppressionDeps;

/** Rows of one plan. */
const AT_ONCE = 200;

/** Those of the types that say who she is go last. */
const OWN_TYPES: readonly StoredType[] = PERSON_TYPES.filter((type) => type !== 'Person' && type !== 'Patient');

type Row = NonNullable<Erasure['rows']>[number];

/** Erases Consents, Tasks and notices that are filed under some of her identities, and the jobs about them. */
export async function eraseOwn(deps: EraseStudyDeps, taking: Taking, run: JobRun): Promise<void> {
  const { records, clock } = deps;
  const { task, person, identities: patients } = taking;
  const reading = systemReading('erase-record', clock.now());
  const rows: Row[] = [];
  for (const type of OWN_TYPES)
    for await (const page of pagesOfAll(records, reading({ person }), type))
      for (const { row, resource } of page)
        if (patients.has(row.subject ?? '') && !testifies(resource)) rows.push({ type, id: row.id });
  const deleted = await records.deletedOf(reading({ person }), person);
  rows.push(...deleted.filter(({ type, subject = '' }) => OWN_TYPES.includes(type) && patients.has(subject)));
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const some = rows.slice(at, at + AT_ONCE).map(({ type, id }) => ({ type, id }));
    const erased = [{ rows: some, jobs: some.flatMap(jobsAbout) }];
    await commitFresh(records, async () => {
      const counted = await countingParts(deps, task, await countRows(records, reading, some));
      const plan = joinParts({ erased }, counted);
      return { warrant: systemWarrant('erase-person', person), plan, result: undefined };
    });
    await run.goOn();
  }
}

/** Whether it is a request to erase that is carried out, or was; what was cancelled tells nothing. */
function testifies(resource: Resource): boolean {
  if (resource.resourceType !== 'Task') return false;
  const task: Task = resource;
  return isErasureTask(task) && task.status !== 'cancelled';
}

/** Kinds of jobs about a row of the own class, by its id. */
const ABOUT_ROWS = ['send-notice', 'end-consent', 'alert-officers', 'end-given', 'purge-joined'] as const;

function jobsAbout({ type, id }: Row): readonly JobKey[] {
  const item = `${type}/${id}`;
  const byItem = [
    ...[item, ofReaders(item), ofMajority(item)].map((subject) => ({ kind: 'tell-news' as const, subject })),
    { kind: 'settle-ground' as const, subject: item },
  ];
  return [...byItem, ...ABOUT_ROWS.map((kind) => ({ kind, subject: id }))];
}

/**
 * Erases who she is: her Patients, her identities and the claims that hold her numbers, all at once. Whoever came to
 * her since, or bears a number of hers, is settled without her. Resolves with her as she was by then.
 */
export async function eraseIdentities(deps: ErasePersonDeps, begun: Begun): Promise<Begun> {
  const { records, clock } = deps;
  const { result: identities } = await commitFresh(records, async () => {
    const now = clock.now();
    const hers = await stillHers(records, begun.person, begun.identities, now);
    const ids = new Set(hers.map(({ id }) => id));
    const plan = joinParts(...(await identityParts(deps, systemReading('erase-record', now), begun, ids, now)));
    return { warrant: systemWarrant('erase-person', ...personsOf(begun)), plan, result: hers };
  });
  for (const id of begun.around) await settleWithout(deps, begun, id);
  return { ...begun, identities };
}

/** Her, under each key that she ever had. */
function personsOf({ person, identities }: Begun): readonly PersonKey[] {
  return [...new Set([person, ...identities.map(({ home }) => home)])];
}

async function identityParts(
  deps: ErasePersonDeps,
  reading: NarrowReading,
  begun: Begun,
  ids: ReadonlySet<string>,
  now: number,
): Promise<readonly PlanParts[]> {
  const all = await identitiesOf(deps.records, begun.person, now);
  const standing = all.filter(({ content }) => ids.has(content.id));
  const rows = [...ids].flatMap((id): Row[] => [
    { type: 'Person', id },
    { type: 'Patient', id },
  ]);
  const { claims, erased } = await numbersOf(deps, reading, standing, ids);
  const names = standing.map(({ content: { own } }) => claimKey.identity(own.system, own.value));
  const jobs = [
    { kind: 'settle-person' as const, subject: begun.person },
    ...[...ids].map((subject) => ({ kind: 'correct-identity' as const, subject })),
    ...[...ids].map((id) => ({ kind: 'settle-ground' as const, subject: `Patient/${id}` })),
  ];
  const stems = [...ids].flatMap((id) => {
    const patient = `Patient/${id}`;
    return [claimStem.declarationsOf(patient), claimStem.informedOf(patient), claimStem.reviewsOf(id)];
  });
  const known = [...ids].flatMap((id) => [
    claimKey.joined(id),
    claimKey.joinedPurge(id),
    claimKey.joinedToClosed(id),
    claimKey.presenceCode(`Patient/${id}`),
  ]);
  const tried = standing
    .flatMap(({ content: { own, said } }) => [own, ...(said.identifier ?? [])])
    .flatMap((number) => triesFor(deps.erasureKey, number))
    .map(claimKey.presenceTries);
  const gone = [...names, ...tried, ...erased, ...known, claimKey.sharing(begun.person)];
  const contents = standing.map(({ content }) => content);
  return [
    await countingParts(deps, begun.task, await countRows(deps.records, reading, rows)),
    { claims, erased: [{ rows, claims: gone, claimsUnder: stems, jobs }] },
    await keptOutside(deps, begun, contents, now),
  ];
}

/** The claims that she bears her numbers; another identity that bears one holds it from then on. */
async function numbersOf(
  { records, region, clock }: EraseStudyDeps,
  reading: NarrowReading,
  standing: readonly StandingIdentity[],
  ids: ReadonlySet<string>,
): Promise<{ readonly claims: readonly Claim[]; readonly erased: readonly ClaimKey[] }> {
  const claims: Claim[] = [];
  const erased: ClaimKey[] = [];
  const numbers = standing.flatMap(({ content }) => readAs(region, content).numbers.filter((one) => one.isQualified));
  for (const number of new Map(numbers.map((one) => [`${one.system}|${one.value}`, one])).values()) {
    const key = claimKey.qualified(number.system, number.value);
    if (!ids.has((await claimOf(records, reading, key)) ?? '')) continue;
    erased.push(key);
    const others = (await identitiesWith(records, [number], clock.now())).filter(({ content }) => !ids.has(content.id));
    const next = others.find(({ content }) => qualifiedKeys(region, content).includes(key));
    if (next !== undefined) claims.push({ key, value: next.content.id });
  }
  return { claims, erased };
}

/**
 * Who an identity is, now that she is not: it says nothing else than before. The Patient of one that was she said what
 * hers did, and so did its former versions.
 */
async function settleWithout(deps: EraseStudyDeps, { person, identities }: Begun, id: string): Promise<void> {
  const { records, clock } = deps;
  await commitFresh(records, async () => {
    const now = clock.now();
    const standing = await identityAt(records, systemReading('resolve-identity', now), `Patient/${id}`);
    const nothing = { warrant: systemWarrant('erase-person'), plan: joinParts(), result: undefined };
    if (standing === undefined) return nothing;
    const placed = await placeIdentity(deps, { content: standing.content, standing }, now);
    const asked = await askedOf(deps, id, new Set(identities.map((one) => `Patient/${one.id}`)), now);
    const warrant = systemWarrant('erase-person', standing.person, ...placed.reached, ...placed.reviewed);
    const row = { type: 'Patient', id: placed.present.replace(/^Patient\//, '') } as const;
    const former = standing.person === person ? { erased: [{ history: [row] }] } : {};
    return { warrant, plan: joinParts(placed.parts, former, asked), result: undefined };
  });
}

/** What a desk was asked about an identity (id) that had joined hers (`Patient/id`) goes: nobody is left there. */
async function askedOf(
  { records }: EraseStudyDeps,
  identity: string,
  hers: ReadonlySet<string>,
  now: number,
): Promise<PlanParts> {
  const reading = systemReading('erase-record', now);
  const key = claimKey.joinedPurge(identity);
  const id = await claimOf(records, reading, key);
  const task = id === undefined ? undefined : await findById<Task>(records, reading, 'Task', id);
  if (id === undefined || task === undefined || !joinedTo(task.resource).every((one) => hers.has(one))) return {};
  const row = { type: 'Task', id } as const;
  return { erased: [{ rows: [row], claims: [key, claimKey.taken(id)], jobs: [...jobsAbout(row)] }] };
}
