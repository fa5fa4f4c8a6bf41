/** What a plan writes when identities are said anew: them, what desks are told, Patients, and who bears a number. */
import type { Patient } from '@medplum/fhirtypes';
import type { Contradiction } from '../../../profiles/identity/contradiction.ts';
import { toIdentityResource, type IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { systemReading } from '../../access/grant.ts';
import type { Claim, Precondition } from '../../ports/commit-plan.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { agedParts } from '../notices/majority.ts';
import { sameContent } from '../write/changed-put.ts';
import { filedBy, joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import { compositeParts, formerComposite } from './composite-parts.ts';
import { qualifiedKeys, readAs, sourcePatientOf, type StandingIdentity } from './identities.ts';
import type { Group } from './person-groups.ts';
import type { IdentityChange, PlaceDeps } from './identity-change.ts';
import { reviewChange, reviewParts, withReviews, type SettledIdentity } from './reviews.ts';

type Told = {
  readonly changes: readonly IdentityChange[];
  readonly groups: readonly Group[];
  readonly reviews: readonly Contradiction[];
};

/** The identity as it is said now, and what desks are told of it and of those around. */
export async function toldParts(
  deps: PlaceDeps,
  { changes, groups, reviews }: Told,
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
    const isTold = changes.some(({ content }) => content.id === id) || reviews.some((review) => review.one === id);
    if (!isTold && one.content.reviews.length === 0) continue;
    const turns = reviewChange(one, all, reviews);
    const content = withReviews(one.content, turns);
    all.set(id, { ...one, content });
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
  const resource = toIdentityResource(content);
  const isSame = standing !== undefined && sameContent(openedResource(standing.row), resource);
  return isSame ? {} : { puts: [putOf(indexer, resource, now, facts)] };
}

/**
 * Everything that was looked at and is touched stands as it was read; what is said anew, as whoever says it knew it: it
 * was read before the others.
 */
export function preconditionsOf(
  groups: readonly Group[],
  standing: ReadonlyMap<string, StandingIdentity>,
  changes: readonly IdentityChange[],
): readonly Precondition[] {
  const said = new Map(changes.map(({ content, standing: own }) => [content.id, own]));
  const ids = new Set([...groups.flatMap(({ members }) => members.map(({ id }) => id)), ...said.keys()]);
  return [...ids].flatMap((id) => {
    const one = said.has(id) ? said.get(id) : standing.get(id);
    return one === undefined ? [] : [{ kind: 'version', type: 'Person', id, version: one.version } as const];
  });
}

/** The Patients of persons that changed; the one of an identity that is no person by itself any more is deleted. */
export async function patientParts(
  deps: PlaceDeps,
  groups: readonly Group[],
  now: number,
): Promise<readonly PlanParts[]> {
  const reading = systemReading('resolve-identity', now);
  const parts: PlanParts[] = [];
  for (const { person, present, members } of groups) {
    const rows: InternalRow[] = [];
    let patient: Patient | undefined;
    for (const { id, isMoved } of members) {
      const row = await rowById(deps.records, reading, 'Patient', id);
      if (`Patient/${id}` === present) {
        const sources = members.map(({ content }) => sourcePatientOf(deps.region, content));
        const origin = filedBy(...new Set(members.flatMap(({ content }) => content.sources)));
        const former = row === undefined && isMoved ? await formerComposite(deps.records, reading, id) : undefined;
        const facts = { person, subject: present, origin };
        const composite = compositeParts(deps, { id, row, former, sources }, now, facts);
        parts.push(composite);
        patient = (composite.puts?.[0]?.resource as Patient | undefined) ?? (row && openedResource<Patient>(row));
      } else if (row !== undefined) {
        parts.push({
          preconditions: [{ kind: 'version', type: 'Patient', id, version: row.version }],
          deletes: [{ type: 'Patient', id }],
        });
      }
      if (row !== undefined) rows.push(row);
    }
    for (const row of rows) parts.push(await agedParts(deps.records, reading, row, patient?.birthDate, now));
  }
  return parts;
}

/**
 * The first identity that bears a number holds it, so that two that come to bear it at once conflict; one that does not
 * bear it any more gives it to the next.
 */
export async function numberParts(
  { records, region }: PlaceDeps,
  { content, standing }: IdentityChange,
  around: readonly StandingIdentity[],
  now: number,
): Promise<PlanParts> {
  const reading = systemReading('resolve-identity', now);
  const keysOf = (one: IdentityContent) => qualifiedKeys(region, one);
  const [after, before] = [keysOf(content), standing === undefined ? [] : keysOf(standing.content)];
  const claims: Claim[] = [];
  const given: Claim['key'][] = [];
  for (const key of new Set([...after, ...before])) {
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
