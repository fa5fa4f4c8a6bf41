/**
 * Which person an identity is, once its source says something else of it: the identities around it are settled anew
 * (profiles/identity), and what changes becomes parts of a plan. A plan that another writer was faster than is built
 * again: the identities that it rests on are its preconditions.
 */
import { compositePatient } from '../../../profiles/identity/composite.ts';
import { oldestOf, type Identity, type Verdict } from '../../../profiles/identity/identity.ts';
import { toIdentityResource, type IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import type { Contradiction } from '../../../profiles/identity/contradiction.ts';
import { settle } from '../../../profiles/identity/who-is-who.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading } from '../../access/grant.ts';
import { personKey, type PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Claim, Move, Precondition } from '../../ports/commit-plan.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { changed } from '../write/changed-put.ts';
import { filedBy, joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import { jobOf } from '../jobs/job-of.ts';
import { reviewChange, reviewParts, withReviews, type SettledIdentity } from './reviews.ts';
import {
  identitiesOf,
  identitiesWith,
  identityAt,
  readAs,
  sourcePatientOf,
  type StandingIdentity,
} from './identities.ts';
import type { RegionIndex } from './region-index.ts';

/** What placing needs. */
export type PlaceDeps = { readonly records: RecordStore; readonly indexer: Indexer; readonly region: RegionIndex };

/** An identity that is said anew: as it stands, if it does, and as it is to be. */
export type IdentityChange = {
  readonly content: IdentityContent;
  readonly standing: StandingIdentity | undefined;
};

/** Where an identity is placed, and what of a plan makes it so. */
export type PlacedIdentity = {
  readonly person: PersonKey;
  /** `Patient/id` of that person. */
  readonly present: string;
  /** Persons whose rows change, this one included, with the Patient of each: those who were there before. */
  readonly touched: ReadonlyMap<PersonKey, string>;
  /** The same persons, and those that the plan makes: what it writes is of them. */
  readonly reached: readonly PersonKey[];
  readonly reviews: readonly Contradiction[];
  readonly parts: PlanParts;
};

/** Identities that are looked at around one: a number that more bear is no number of a person. */
const MOST_AROUND = 300;

/**
 * Places an identity.
 * @throws {Fault} too-costly - more identities hang together by their numbers than one person can have
 */
export async function placeIdentity(deps: PlaceDeps, change: IdentityChange, now: number): Promise<PlacedIdentity> {
  const around = await identitiesAround(deps, change, now);
  return await placed(deps, change, around, now);
}

/** The identities that those of a change lead to by numbers and verdicts, with all of the persons that they are. */
async function identitiesAround(
  { records, region }: PlaceDeps,
  { content, standing }: IdentityChange,
  now: number,
): Promise<readonly StandingIdentity[]> {
  const known = new Map<string, StandingIdentity>();
  const persons = new Set<PersonKey>();
  const asked = new Set<string>();
  let reached: readonly IdentityContent[] = [content, ...(standing === undefined ? [] : [standing.content])];
  if (standing !== undefined) await addPerson(standing.person);
  while (reached.length > 0) {
    const numbers = reached.flatMap((one) => readAs(region, one).numbers.filter(({ isQualified }) => isQualified));
    const fresh = numbers.filter(({ system, value }) => !asked.has(`${system}|${value}`));
    for (const { system, value } of fresh) asked.add(`${system}|${value}`);
    const before = new Set(known.keys());
    for (const { person } of await identitiesWith(records, fresh, now)) await addPerson(person);
    for (const id of reached.flatMap(othersOf)) await addPersonOf(id);
    reached = [...known].flatMap(([id, one]) => (before.has(id) ? [] : [one.content]));
    if (known.size > MOST_AROUND)
      throw new Fault('too-costly', 'More identities bear these numbers than one person can have', {
        expression: 'Patient.identifier',
      });
  }
  return [...known.values()];

  async function addPersonOf(id: string): Promise<void> {
    const reading = systemReading('resolve-identity', now);
    const identity = known.has(id) ? undefined : await identityAt(records, reading, `Patient/${id}`);
    if (identity !== undefined) await addPerson(identity.person);
  }

  async function addPerson(person: PersonKey): Promise<void> {
    if (persons.has(person)) return;
    persons.add(person);
    for (const one of await identitiesOf(records, person, now)) known.set(one.content.id, one);
  }
}

/** The identities that one is said to be, or not to be. */
function othersOf({ verdicts, replacedBy }: IdentityContent): readonly string[] {
  return [...verdicts.map(({ other }) => other), ...(replacedBy === undefined ? [] : [replacedBy])];
}

async function placed(
  deps: PlaceDeps,
  change: IdentityChange,
  around: readonly StandingIdentity[],
  now: number,
): Promise<PlacedIdentity> {
  const { content } = change;
  const standingById = new Map(around.map((one) => [one.content.id, one]));
  const contents = new Map([...around.map((one) => [one.content.id, one.content] as const), [content.id, content]]);
  const clusters = [...Map.groupBy(around, ({ person }) => person).values()].map((members) =>
    members.map((one) => readAs(deps.region, one.content)),
  );
  const subject = readAs(deps.region, content);
  const settled = settle({ clusters, changed: [subject], verdicts: verdictsOf([...contents.values()]) });
  const groups = settled.clusters.map((members) => groupOf(members, contents, standingById));
  const own = groups.find(({ members }) => members.some(({ id }) => id === content.id));
  if (own === undefined) throw new Error('An identity was placed nowhere');
  const moves = groups.flatMap(({ moves: some }) => some);
  const isTouched = ({ members, moves: some }: Group): boolean =>
    some.length > 0 || members.some(({ id, isMoved }) => id === content.id || isMoved);
  const left = new Set(moves.map(({ from }) => from));
  const touchedGroups = groups.filter((group) => isTouched(group) || left.has(group.person));
  const told = await toldParts(deps, { change, groups, reviews: settled.reviews }, standingById, now);
  const patients = await patientParts(deps, touchedGroups, now);
  const touched = touchedOf(touchedGroups, moves, standingById);
  return {
    person: own.person,
    present: own.present,
    touched,
    reached: [...new Set([...touched.keys(), ...moves.flatMap(({ from, to }) => [from, to])])],
    reviews: settled.reviews,
    parts: joinParts(
      {
        moves,
        claims: [{ key: claimKey.identity(content.own.system, content.own.value), value: `Patient/${content.id}` }],
        preconditions: preconditionsOf(touchedGroups, standingById, change),
      },
      await numberParts(deps, change, around, now),
      told,
      ...patients,
      {
        jobs: [...new Set(moves.flatMap(({ from, to }) => [from, to]))].map((one) => jobOf('settle-person', one, now)),
      },
    ),
  };
}

type Told = {
  readonly change: IdentityChange;
  readonly groups: readonly Group[];
  readonly reviews: readonly Contradiction[];
};

/** The identity as it is said now, and what desks are told of it and of those around. */
async function toldParts(
  deps: PlaceDeps,
  { change, groups, reviews }: Told,
  standing: ReadonlyMap<string, StandingIdentity>,
  now: number,
): Promise<PlanParts> {
  const reading = systemReading('resolve-identity', now);
  const settled = groups.flatMap(({ person, members }) =>
    members.map(({ id, content }) => [id, { content, identity: readAs(deps.region, content), person }] as const),
  );
  const all = new Map<string, SettledIdentity>(settled);
  const parts: PlanParts[] = [];
  for (const [id, one] of all) {
    const isOwn = id === change.content.id;
    if (!isOwn && one.content.reviews.length === 0) continue;
    const turns = reviewChange(one, all, isOwn ? reviews : []);
    const content = withReviews(one.content, turns);
    parts.push(identityPart(deps, { ...one, content }, standing.get(id), now));
    parts.push(await reviewParts(deps, reading, one, all, turns, now));
  }
  return joinParts(...parts);
}

function identityPart(
  { indexer }: PlaceDeps,
  { content, person }: SettledIdentity,
  standing: StandingIdentity | undefined,
  now: number,
): PlanParts {
  const facts = { person, subject: `Patient/${content.id}`, origin: filedBy(...content.sources) };
  const put = putOf(indexer, toIdentityResource(content), now, facts);
  return standing !== undefined && isSame(standing, put.resource) ? {} : { puts: [put] };
}

type Group = {
  readonly person: PersonKey;
  readonly present: string;
  readonly members: readonly { readonly id: string; readonly content: IdentityContent; readonly isMoved: boolean }[];
  readonly moves: readonly Move[];
};

/** A person is her oldest identity. */
function groupOf(
  members: readonly Identity[],
  contents: ReadonlyMap<string, IdentityContent>,
  standing: ReadonlyMap<string, StandingIdentity>,
): Group {
  const all = members.flatMap(({ id }) => contents.get(id) ?? []);
  const oldest = all.find(({ id }) => id === oldestOf(members)?.id);
  if (oldest === undefined) throw new Error('A person has no identity');
  const [person, present] = [personKey(oldest.home), `Patient/${oldest.id}`];
  const moved = all.flatMap((content): Move[] => {
    const home = personKey(content.home);
    const from = standing.get(content.id)?.person ?? home;
    return from === person ? [] : [{ identity: `Patient/${content.id}`, home, from, to: person, patient: present }];
  });
  const isMoved = (id: string): boolean => moved.some(({ identity }) => identity === `Patient/${id}`);
  return {
    person,
    present,
    members: all.map((content) => ({ id: content.id, content, isMoved: isMoved(content.id) })),
    moves: moved,
  };
}

/** What desks said of two identities, and what a source says of two of its own. */
function verdictsOf(contents: readonly IdentityContent[]): readonly Verdict[] {
  return contents.flatMap((content) => [
    ...content.verdicts.map(({ other, same }) => ({ one: content.id, other, same })),
    ...(content.replacedBy === undefined ? [] : [{ one: content.id, other: content.replacedBy, same: true }]),
  ]);
}

function isSame({ row }: StandingIdentity, resource: object): boolean {
  return sameText(openedResource(row), resource);
}

/** What the store stamps does not count. */
function sameText(one: object, other: object): boolean {
  const text = ({ meta: _meta, ...rest }: { meta?: unknown }): string => JSON.stringify(rest);
  return text(one) === text(other);
}

/**
 * Everything that was looked at and is touched stands as it was read; what is said anew, as whoever says it knew it: it
 * was read before the others.
 */
function preconditionsOf(
  groups: readonly Group[],
  standing: ReadonlyMap<string, StandingIdentity>,
  { standing: own }: IdentityChange,
): readonly Precondition[] {
  const ids = new Set([...groups.flatMap(({ members }) => members.map(({ id }) => id)), own?.content.id ?? '']);
  return [...ids].flatMap((id) => {
    const one = id === own?.content.id ? own : standing.get(id);
    return one === undefined ? [] : [{ kind: 'version', type: 'Person', id, version: one.version } as const];
  });
}

/** Whoever was a person before, or is one after, with her Patient; who is made by the plan is nobody yet. */
function touchedOf(
  groups: readonly Group[],
  moves: readonly Move[],
  standing: ReadonlyMap<string, StandingIdentity>,
): ReadonlyMap<PersonKey, string> {
  const before = new Map([...standing.values()].map(({ person, present }) => [person, present]));
  const left = moves.flatMap(({ from }): [PersonKey, string][] => {
    const present = before.get(from);
    return present === undefined ? [] : [[from, present]];
  });
  return new Map([...left, ...groups.map(({ person, present }): [PersonKey, string] => [person, present])]);
}

/** The Patients of persons that changed; the one of an identity that is no person by itself any more is deleted. */
async function patientParts(
  { records, indexer, region }: PlaceDeps,
  groups: readonly Group[],
  now: number,
): Promise<readonly PlanParts[]> {
  const reading = systemReading('resolve-identity', now);
  const parts: PlanParts[] = [];
  for (const { person, present, members } of groups) {
    for (const { id } of members) {
      const row = await rowById(records, reading, 'Patient', id);
      if (`Patient/${id}` === present) {
        const composite = compositePatient(
          id,
          members.map(({ content }) => sourcePatientOf(region, content)),
        );
        const origin = filedBy(...new Set(members.flatMap(({ content }) => content.sources)));
        parts.push(changed(indexer, row, composite, now, { person, subject: present, origin }));
      } else if (row !== undefined) {
        parts.push({
          preconditions: [{ kind: 'version', type: 'Patient', id, version: row.version }],
          deletes: [{ type: 'Patient', id }],
        });
      }
    }
  }
  return parts;
}

/**
 * The first identity that bears a number holds it, so that two that come to bear it at once conflict; one that does not
 * bear it any more gives it to the next.
 */
async function numberParts(
  { records, region }: PlaceDeps,
  { content, standing }: IdentityChange,
  around: readonly StandingIdentity[],
  now: number,
): Promise<PlanParts> {
  const reading = systemReading('resolve-identity', now);
  const keysOf = (one: IdentityContent): string[] =>
    readAs(region, one)
      .numbers.filter(({ isQualified }) => isQualified)
      .map(({ system, value }) => claimKey.qualified(system, value));
  const [after, before] = [keysOf(content), standing === undefined ? [] : keysOf(standing.content)];
  const claims: Claim[] = [];
  const given: Claim['key'][] = [];
  for (const key of new Set([...after, ...before]) as Set<Claim['key']>) {
    const held = await claimOf(records, reading, key);
    if (after.includes(key)) claims.push({ key, value: held ?? content.id });
    else if (held === content.id) {
      const next = around.find((one) => one.content.id !== content.id && keysOf(one.content).includes(key));
      given.push(key);
      if (next !== undefined) claims.push({ key, value: next.content.id });
    }
  }
  return { claims, ...(given.length === 0 ? {} : { erased: [{ claims: given }] }) };
}
