/** What desks are asked to look at: the Tasks of identities that stay apart, and of those that one source has twice. */
import type { Task } from '@medplum/fhirtypes';
import type { Contradiction } from '../../../profiles/identity/contradiction.ts';
import { joiningNumbers, type Identity } from '../../../profiles/identity/identity.ts';
import type { IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { numberKey } from '../../../profiles/identity/national-numbers.ts';
import { buildReviewTask, endedReviewTask, type IdentityReview } from '../../../profiles/identity/review-task.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Origin } from '../../access/rights-of.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf, findById } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { changed } from '../write/changed-put.ts';
import { joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';

/** An identity after it was settled: what is known of it, and who it is. */
export type SettledIdentity = {
  readonly content: IdentityContent;
  readonly identity: Identity;
  readonly person: PersonKey;
};

/** Reviews of an identity that begin, and ids of the others whose review ends. */
type ReviewChange = { readonly begun: readonly IdentityReview[]; readonly ended: readonly string[] };

/** Works out which reviews of an identity begin and end, from who is who now. */
export function reviewChange(
  of: SettledIdentity,
  all: ReadonlyMap<string, SettledIdentity>,
  found: readonly Contradiction[],
): ReviewChange {
  const { content } = of;
  const stands = content.reviews.filter((other) => isOpen(of, all.get(other)));
  const ended = content.reviews.filter((other) => !stands.includes(other));
  const contradicting = found.filter(({ one }) => one === content.id).map(({ other, rule }) => ({ other, rule }));
  const twice = duplicatesOf(of, all).map((other) => ({ other, rule: 'duplicate' as const }));
  const parted = partedFrom(of, all).map((other) => ({ other, rule: 'former-join' as const }));
  const fresh = new Map([...parted, ...twice, ...contradicting].map((one) => [one.other, one]));
  const begun = [...fresh.values()]
    .filter(({ other }) => !stands.includes(other) && isUndecided(of, all.get(other)))
    .map(({ other, rule }) => ({ one: content.id, other, rule }));
  return { begun, ended };
}

/**
 * Whether there is still something to look at: one number that two persons bear, one person who is known twice, or two
 * whom an earlier server had joined.
 */
function isOpen(one: SettledIdentity, other: SettledIdentity | undefined): boolean {
  if (other === undefined || isDecided(one, other)) return false;
  if (one.person === other.person) return isTwice(one, other);
  return wasJoined(one, other) || sharesNumber(one.identity, other.identity);
}

function wasJoined({ content: one }: SettledIdentity, { content: other }: SettledIdentity): boolean {
  return one.formerly === other.id;
}

function partedFrom(one: SettledIdentity, all: ReadonlyMap<string, SettledIdentity>): readonly string[] {
  return [...all.values()]
    .filter((other) => other.person !== one.person && wasJoined(one, other))
    .map(({ content: { id } }) => id);
}

function sharesNumber(one: Identity, other: Identity): boolean {
  const keys = new Set(joiningNumbers(one).map(numberKey));
  return joiningNumbers(other).some((number) => keys.has(numberKey(number)));
}

function duplicatesOf(one: SettledIdentity, all: ReadonlyMap<string, SettledIdentity>): readonly string[] {
  return [...all.values()].filter((other) => isTwice(one, other)).map(({ content: { id } }) => id);
}

/** No desk has said anything of the two, and none is asked. */
function isUndecided(of: SettledIdentity, other: SettledIdentity | undefined): boolean {
  if (other === undefined) return true;
  return !isDecided(of, other) && !other.content.reviews.includes(of.content.id);
}

/** Two numbers of one domain are one person's, and its source has not said so. */
function isTwice(
  { content: one, person }: SettledIdentity,
  { content: other, person: others }: SettledIdentity,
): boolean {
  const isSaid = one.replacedBy === other.id || other.replacedBy === one.id;
  const isOneDomain = one.own.system !== '' && one.own.system === other.own.system;
  return person === others && one.id !== other.id && isOneDomain && !isSaid;
}

/** A desk has said whether they are one person. */
function isDecided({ content: one }: SettledIdentity, { content: other }: SettledIdentity): boolean {
  return one.verdicts.some((verdict) => verdict.other === other.id);
}

/** What is known of an identity after its reviews changed. A join that nobody has to look at is forgotten. */
export function withReviews(
  { formerly, ...content }: IdentityContent,
  { begun, ended }: ReviewChange,
): IdentityContent {
  const stand = content.reviews.filter((other) => !ended.includes(other));
  const reviews = [...stand, ...begun.map(({ other }) => other)];
  return { ...content, reviews, ...(formerly !== undefined && reviews.includes(formerly) ? { formerly } : {}) };
}

type Deps = { readonly records: RecordStore; readonly indexer: Indexer };

/** Works out the Tasks of reviews that begin and end. */
export async function reviewParts(
  { records, indexer }: Deps,
  reading: NarrowReading,
  of: SettledIdentity,
  all: ReadonlyMap<string, SettledIdentity>,
  { begun, ended }: ReviewChange,
  now: number,
): Promise<PlanParts> {
  const { content, person } = of;
  const subject = `Patient/${content.id}`;
  const parts: PlanParts[] = begun.map((review) => {
    const id = newId();
    const origin = originOf(content, all.get(review.other)?.content, review);
    return {
      claims: [{ key: claimKey.identityReview(review.one, review.other), value: id }],
      puts: [putOf(indexer, buildReviewTask(id, review, now), now, { person, subject, origin })],
    };
  });
  for (const other of ended) {
    const key = claimKey.identityReview(content.id, other);
    const id = await claimOf(records, reading, key);
    const standing = id === undefined ? undefined : await findById<Task>(records, reading, 'Task', id);
    if (standing === undefined) continue;
    const task = endedReviewTask(standing.resource, now);
    parts.push({ erased: [{ claims: [key] }] }, changed(indexer, standing.row, task, now, { person, subject }));
  }
  return joinParts(...parts);
}

/** The desks of the region and of both see it; of one that is known twice, the establishment does, too. */
function originOf(one: IdentityContent, other: IdentityContent | undefined, { rule }: IdentityReview): Origin {
  const organizations = [...new Set([...one.sources, ...(other?.sources ?? [])])];
  return {
    sources: rule === 'duplicate' ? one.sources : [],
    services: [],
    offices: [
      { office: 'region-desk', organization: one.source },
      ...organizations.map((organization) => ({ office: 'establishment-desk' as const, organization })),
    ],
  };
}
