/**
 * A desk says who is who: `Patient/$join` that two identities are one person, `$separate` that they are two. What it
 * says is kept only where the identities by themselves would say otherwise, so that one ends what the other did.
 */
import type { IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemReading, type NarrowReading } from '../../access/grant.ts';
import { mayJudge, requireJudge } from '../../access/may-judge.ts';
import type { JudgementOperation } from '../../access/operations.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import { notWhileErasing } from '../erase/open-requests.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { claimOf } from '../internal-reads.ts';
import { commitFresh, joinParts, type Planned } from '../write/plan-parts.ts';
import { identityAt, type StandingIdentity } from './identities.ts';
import type { PlaceDeps } from './identity-change.ts';
import { refuseOwnMatter } from './own-matter.ts';
import { placeIdentities, type PlacedIdentity } from './place-identity.ts';

/** What the flow needs. */
export type JudgeIdentitiesDeps = GuardDeps & PlaceDeps;

/** How a desk names an identity: by the Patient (`Patient/id`) that it is by itself, or by its number in its domain. */
export type NamedIdentity = { readonly reference: string } | { readonly system: string; readonly value: string };

/** What a desk says of two identities. */
export type Judgement = {
  readonly operation: JudgementOperation;
  readonly patients: readonly [NamedIdentity, NamedIdentity];
  /** On what it relies, such as a document that shows both numbers. */
  readonly reason: string;
};

/** `Patient/id` of the person that the first identity is afterwards. */
export type Judged = { readonly present: string };

/**
 * Makes the flow.
 * @throws {Fault} forbidden - only desks do this
 * @throws {Fault} not-found - no such identity, or one that is another establishment's
 * @throws {Fault} invalid - an identity is compared with itself
 * @throws {Fault} conflict - it was said already; or what was said of a third identity stands against it; or the record
 *   of one of the two is being erased
 */
export function judgeIdentities(deps: JudgeIdentitiesDeps) {
  return async (visit: Visit, judgement: Judgement): Promise<Judged> =>
    await refusalsRecorded(deps, visit, 'operation', async () => {
      const { result } = await commitFresh(deps.records, async () => await planOf(deps, visit, judgement));
      return result;
    });
}

async function planOf(deps: JudgeIdentitiesDeps, visit: Visit, judgement: Judgement): Promise<Planned<Judged>> {
  const now = deps.clock.now();
  const reading = systemReading('resolve-identity', now);
  const { operation, patients } = judgement;
  const found = [
    await identityNamed(deps, reading, patients[0]),
    await identityNamed(deps, reading, patients[1]),
  ].filter((one) => one !== undefined);
  const sources = found.map(({ content }) => content.sources);
  requireJudge(visit.requester, operation, { sources });
  const [one, other] = found;
  if (one === undefined || other === undefined) throw new Fault('not-found', 'No such patient');
  if (one.content.id === other.content.id)
    throw new Fault('invalid', 'Two identities are compared', { expression: 'Parameters.parameter' });
  const two = [one.person, other.person];
  await refuseOwnMatter(deps)(visit.requester, two);
  const still = await notWhileErasing(deps.records, reading, two);
  const placed = await placedAs(deps, [one, other], operation === 'join', now);
  const warrant = mayJudge(visit.requester, operation, {
    now,
    sources,
    persons: placed.reached,
    reviewed: placed.reviewed,
  });
  const audit = eventsOf(deps, visit, judgement, [one, other], placed);
  return { warrant, plan: joinParts(still, placed.parts, { audit }), result: { present: placed.present } };
}

/** The identity that is named; undefined when there is none. */
export async function identityNamed(
  { records }: Pick<PlaceDeps, 'records'>,
  reading: NarrowReading,
  named: NamedIdentity,
): Promise<StandingIdentity | undefined> {
  const { reference } =
    'value' in named
      ? { reference: await claimOf(records, reading, claimKey.identity(named.system, named.value)) }
      : named;
  return reference === undefined ? undefined : await identityAt(records, reading, reference);
}

type Two = readonly [StandingIdentity, StandingIdentity];

/**
 * What the identities say by themselves is enough where it comes to what the desk says; else that is kept. Where desks
 * had said the contrary, and had said this before, that is so again.
 */
async function placedAs(deps: PlaceDeps, two: Two, same: boolean, now: number): Promise<PlacedIdentity> {
  const said = saidOf(two);
  if (said === same) throw new Fault('conflict', 'This was said already of the two');
  const isSo = (placed: PlacedIdentity): boolean => areOne(placed, two) === same;
  const isNews = (two[0].person === two[1].person) !== same;
  const unsaid = isNews ? await placedWith(deps, two, undefined, now) : undefined;
  const enough = unsaid !== undefined && isSo(unsaid) ? unsaid : undefined;
  if (enough !== undefined && (said === undefined || enough.isTakenBack)) return enough;
  const kept = await placedWith(deps, two, same, now);
  if (enough !== undefined && !(kept.isTakenBack && isSo(kept))) return enough;
  if (!isSo(kept)) throw new Fault('conflict', 'What was said of a third identity stands against it');
  return kept;
}

function saidOf([one, other]: Two): boolean | undefined {
  return one.content.verdicts.find((verdict) => verdict.other === other.content.id)?.same;
}

async function placedWith(deps: PlaceDeps, [one, other]: Two, same: boolean | undefined, now: number) {
  return await placeIdentities(
    deps,
    [
      { content: judged(one.content, other.content.id, same), standing: one },
      { content: judged(other.content, one.content.id, same), standing: other },
    ],
    now,
  );
}

function judged(content: IdentityContent, other: string, same: boolean | undefined): IdentityContent {
  const rest = content.verdicts.filter((verdict) => verdict.other !== other);
  return { ...content, verdicts: same === undefined ? rest : [...rest, { other, same }] };
}

function areOne({ persons }: PlacedIdentity, [one, other]: Two): boolean {
  return persons.get(one.content.id) === persons.get(other.content.id);
}

/** Everybody whose record changes reads who said it, and why; of two who are parted, each of her own identity. */
function eventsOf(
  { clock }: GuardDeps,
  visit: Visit,
  { operation, reason }: Judgement,
  two: Two,
  { touched, persons }: PlacedIdentity,
): readonly AuditRecord[] {
  return [...touched].map(([person, patient]) => {
    const own = two.filter(({ content }) => persons.get(content.id) === person);
    const entities = (own.length === 0 ? two.filter((one) => one.person === person) : own).map(
      ({ content: { id } }) => ({
        what: { reference: `Patient/${id}` },
        role: '1',
        detail: { operation, reason },
      }),
    );
    return eventRecord(clock, visit, 'operation', { person, patient, entities });
  });
}
