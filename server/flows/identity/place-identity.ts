/**
 * Which person an identity is, once its source says something else of it: the identities around it are settled anew
 * (profiles/identity), and what changes becomes parts of a plan. A plan that another writer was faster than is built
 * again: the identities that it rests on are its preconditions.
 */
import { sourcePatientOf } from '../../../profiles/documents/document-reference.ts';
import type { Contradiction } from '../../../profiles/identity/contradiction.ts';
import { keptOf } from '../../../profiles/identity/former-persons.ts';
import type { Identity } from '../../../profiles/identity/identity.ts';
import type { IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { settle, type Settled } from '../../../profiles/identity/who-is-who.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Claim } from '../../ports/commit-plan.ts';
import { purgeParts } from '../erase/joined/purge-asked.ts';
import { jobOf } from '../jobs/job-of.ts';
import { sameContent } from '../write/changed-put.ts';
import { joinParts, type PlanParts } from '../write/plan-parts.ts';
import { identitiesAround, type Around } from './identities-around.ts';
import { qualifiedKeys, readAs, type StandingIdentity } from './identities.ts';
import { numberParts, patientParts, preconditionsOf, toldParts } from './identity-parts.ts';
import type { IdentityChange, PlaceDeps } from './identity-change.ts';
import { joinedSince } from './parted/joined-since.ts';
import { groupOf, touchedOf, verdictsOf, type Group } from './person-groups.ts';

/** Where an identity is placed, and what of a plan makes it so. */
export type PlacedIdentity = {
  readonly person: PersonKey;
  /** `Patient/id` of that person. */
  readonly present: string;
  /** Persons whose rows change, this one included, with the Patient of each: those who were there before. */
  readonly touched: ReadonlyMap<PersonKey, string>;
  /** The same persons, and those that the plan makes: what it writes is of them. */
  readonly reached: readonly PersonKey[];
  /** Persons who stay as they are, of whose identities desks are told something else. */
  readonly reviewed: readonly PersonKey[];
  /** Who each identity (id) is that was looked at. */
  readonly persons: ReadonlyMap<string, PersonKey>;
  readonly reviews: readonly Contradiction[];
  /** The last change of one that is said anew is taken back: who was who before it is so again. */
  readonly isTakenBack: boolean;
  readonly parts: PlanParts;
};

/** Places an identity. */
export async function placeIdentity(deps: PlaceDeps, change: IdentityChange, now: number): Promise<PlacedIdentity> {
  return await placeIdentities(deps, [change], now);
}

/** Places identities that are said anew by one plan; `person` and `present` are those of the first. */
export async function placeIdentities(
  deps: PlaceDeps,
  changes: readonly [IdentityChange, ...IdentityChange[]],
  now: number,
): Promise<PlacedIdentity> {
  const { identities, isPartial } = await identitiesAround(deps, changes, now);
  const standing = new Map(identities.map((one) => [one.content.id, one]));
  const { clusters, reviews, again, said, contents } = settledOf(deps, { changes, identities, isPartial });
  const groups = clusters.map((members) => groupOf(members, contents, standing));
  const moves = groups.flatMap((group) => group.moves);
  const told = await toldParts(deps, { changes, groups, reviews }, standing, now);
  const touched = touchedBy(groups, new Set(said.keys()));
  const written = touchedBy(groups, new Set([...said.keys(), ...identitiesIn(told)]));
  const own = groups.find(({ members }) => members.some(({ id }) => id === changes[0].content.id));
  if (own === undefined) throw new Error('An identity was placed nowhere');
  const { person, present } = own;
  const wasTouched = touchedOf(touched, moves, standing);
  const persons = [...new Set(moves.flatMap(({ from, to }) => [from, to]))];
  const reached = new Set([...wasTouched.keys(), ...persons]);
  return {
    person,
    present,
    touched: wasTouched,
    reached: [...reached],
    reviewed: (told.puts ?? []).flatMap(({ person: one }) => (one === undefined || reached.has(one) ? [] : [one])),
    persons: new Map(groups.flatMap((group) => group.members.map(({ id }) => [id, group.person] as const))),
    reviews,
    isTakenBack: changes.some(({ content }) => again !== undefined && content.formerPersons[0] === again),
    parts: joinParts(
      {
        moves,
        claims: changes.flatMap(({ content }) => nameOf(content)),
        preconditions: preconditionsOf(written, standing, changes),
        jobs: [
          ...persons.map((one) => jobOf('settle-person', one, now)),
          ...changes.filter(isCorrected).map(({ content }) => jobOf('correct-identity', content.id, now)),
        ],
      },
      await joinedSince(deps.records, { moves, standing, unnumbered: unnumbered(deps, changes) }, now),
      ...(await Promise.all(changes.map(async (change) => await numberParts(deps, change, identities, now)))),
      told,
      await purgeParts(deps, { groups, standing }, now),
      ...(await patientParts(deps, touched, now)),
    ),
  };
}

type Known = Around & { readonly changes: readonly IdentityChange[] };

/** Who is who, with what is said anew (`said`) and all that is known (`contents`), by the ids of the identities. */
function settledOf(deps: PlaceDeps, { changes, identities, isPartial }: Known) {
  const before = identities.map(({ content }) => content);
  const all = new Map([...before, ...changes.map(({ content }) => content)].map((one) => [one.id, one] as const));
  const settled = settle({
    clusters: clustersOf(deps, identities),
    changed: changes.map(({ content }) => readAs(deps.region, content)),
    verdicts: verdictsOf([...all.values()]),
    formerVerdicts: verdictsOf(before),
    formerPersons: changes.flatMap(({ content }) => content.formerPersons),
    isPartial,
  });
  const said = new Map(changes.map(({ content }) => [content.id, withFormer(content, settled)] as const));
  return { ...settled, said, contents: new Map([...all, ...said]) };
}

/** One that is new was nobody before. */
function withFormer(content: IdentityContent, { former }: Settled): IdentityContent {
  const isOfThese = former?.persons.some((ids) => ids.includes(content.id)) === true;
  return isOfThese ? { ...content, formerPersons: keptOf(content.formerPersons, former) } : content;
}

/** Whether something is said otherwise of what documents say of her. */
function isCorrected({ content, standing }: IdentityChange): boolean {
  if (standing === undefined) return false;
  return !sameContent(sourcePatientOf(standing.content.said), sourcePatientOf(content.said));
}

/** Identities (ids) of which a qualified number is said no more. */
function unnumbered({ region }: PlaceDeps, changes: readonly IdentityChange[]): readonly string[] {
  const lost = changes.filter(({ content, standing }) => {
    const after = qualifiedKeys(region, content);
    return standing !== undefined && qualifiedKeys(region, standing.content).some((key) => !after.includes(key));
  });
  return lost.map(({ content }) => content.id);
}

/** Its own identifier names it. Images without a PatientID are named by none. */
function nameOf({ id, own: { system, value } }: IdentityContent): readonly Claim[] {
  return system === '' ? [] : [{ key: claimKey.identity(system, value), value: `Patient/${id}` }];
}

/** The persons as they stand. */
function clustersOf({ region }: PlaceDeps, identities: readonly StandingIdentity[]): readonly Identity[][] {
  const persons = [...Map.groupBy(identities, ({ person }) => person).values()];
  return persons.map((members) => members.map(({ content }) => readAs(region, content)));
}

/** The identities that parts of a plan write: those that are said anew, and those whose reviews end by that. */
function identitiesIn({ puts = [] }: PlanParts): readonly string[] {
  return puts.flatMap(({ type, id }) => (type === 'Person' ? [id] : []));
}

/** Those whom the plan changes: whose identity it writes, whom an identity joins, and whom one leaves. */
function touchedBy(groups: readonly Group[], written: ReadonlySet<string>): readonly Group[] {
  const left = new Set(groups.flatMap(({ moves }) => moves.map(({ from }) => from)));
  return groups.filter(
    ({ person, members }) => left.has(person) || members.some(({ id, isMoved }) => isMoved || written.has(id)),
  );
}
