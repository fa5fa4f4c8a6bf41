/**
 * Who was erased is known again without being known: of her numbers, and of her strict traits with each, keyed digests
 * are kept, and nothing else. What would make her known anew is refused as that of an opposed patient is, in the same
 * words: nobody is told which of the two she is. A number of the sender's own domain says enough; a qualified number,
 * which may be another's by a mistake, says it with the traits that agree.
 * @see access.md
 */
import { readTraits } from '../../../../profiles/identity/traits.ts';
import type { IdentityContent } from '../../../../profiles/identity/identity-resource.ts';
import { OPEN_STATE } from '../../../access/decide.ts';
import { systemGrant } from '../../../access/grant.ts';
import { refuseOpen } from '../../../access/switches.ts';
import { claimKey, type ClaimKey } from '../../../ports/claim-key.ts';
import type { ErasedNumber, ErasureKey } from '../../../ports/erasure-key.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import { readAs } from '../../identity/identities.ts';
import type { RegionIndex } from '../../identity/region-index.ts';
import type { PlanParts } from '../../write/plan-parts.ts';

/** What it needs. Without a key nobody is known again. */
export type SuppressionDeps = {
  readonly records: RecordStore;
  readonly region: RegionIndex;
  readonly erasureKey?: ErasureKey | undefined;
};

/** What is kept of a number. */
type Suppressed = Omit<ErasedNumber, 'key'> & {
  /** The keys of all numbers of hers, this one included: they end together. */
  readonly all: readonly ClaimKey[];
};

type Number = { readonly system: string; readonly value: string };

/**
 * Refuses what would make somebody known who was erased.
 * @throws {Fault} business-rule - she was: 422 of FHIR, 0124H (not authorized) of C-STORE and STOW-RS
 */
export async function refuseSuppressed(deps: SuppressionDeps, content: IdentityContent, now: number): Promise<void> {
  const { erasureKey } = deps;
  if (erasureKey === undefined) return;
  const numbers = numbersOf(deps, content);
  const keys = numbers.map((number) => keyOf(erasureKey, number));
  const found = await deps.records.claimedAmong(systemGrant('resolve-identity', 'whole', now), keys);
  const isShe = numbers.some((number, at) => {
    const value = found.get(keys[at] ?? keyOf(erasureKey, number));
    return value !== undefined && saysShe(erasureKey, content, number, JSON.parse(value) as Suppressed);
  });
  if (isShe) refuseOpen({ ...OPEN_STATE, opposed: true }, ['opposed']);
}

function saysShe(
  erasureKey: ErasureKey,
  content: IdentityContent,
  number: Number,
  { isOwn, traits }: Omit<ErasedNumber, 'key'>,
): boolean {
  return (
    (isOwn && isOf(content, number)) || traitsWith(erasureKey, content, number).some((one) => traits.includes(one))
  );
}

/** What is kept of somebody who goes, known by these identities; nothing without a key. */
export function erasedNumbers(deps: SuppressionDeps, identities: readonly IdentityContent[]): readonly ErasedNumber[] {
  const { erasureKey } = deps;
  if (erasureKey === undefined) return [];
  const said = new Map<ClaimKey, ErasedNumber>();
  for (const content of identities)
    for (const number of numbersOf(deps, content)) {
      const key = keyOf(erasureKey, number);
      const { isOwn = false, traits = [] } = said.get(key) ?? {};
      const more = traitsWith(erasureKey, content, number);
      said.set(key, { key, isOwn: isOwn || isOf(content, number), traits: [...new Set([...traits, ...more])] });
    }
  return [...said.values()];
}

/** The parts of a plan that keep it. */
export async function suppressionParts(
  { erasureKey, records }: Pick<SuppressionDeps, 'erasureKey' | 'records'>,
  numbers: readonly ErasedNumber[],
  now: number,
): Promise<PlanParts> {
  if (erasureKey === undefined) return {};
  const all = numbers.map(({ key }) => key);
  const keyed = claimKey.erasureKey();
  const standing = await records.claimedAmong(systemGrant('resolve-identity', 'whole', now), [...all, keyed]);
  const claims = numbers.map(({ key, ...one }) => ({
    key,
    value: JSON.stringify(joined(standing.get(key), one, all)),
  }));
  if (!standing.has(keyed)) claims.push({ key: keyed, value: erasureKey.thumbprint });
  return { claims, erased: [{ claims: all.filter((key) => standing.has(key)) }] };
}

/** One number may have been said of two who were erased. */
function joined(standing: string | undefined, one: Omit<ErasedNumber, 'key'>, all: readonly ClaimKey[]): Suppressed {
  if (standing === undefined) return { ...one, all };
  const before = JSON.parse(standing) as Suppressed;
  return {
    isOwn: before.isOwn || one.isOwn,
    traits: [...new Set([...before.traits, ...one.traits])],
    all: [...new Set([...before.all, ...all])],
  };
}

/** The keys of everything that is kept of whom a number names; none when nobody with it was erased. */
export async function suppressedWith(
  { records, erasureKey }: Pick<SuppressionDeps, 'records' | 'erasureKey'>,
  number: Number,
  now: number,
): Promise<readonly ClaimKey[]> {
  if (erasureKey === undefined) return [];
  const key = keyOf(erasureKey, number);
  const value = (await records.claimedAmong(systemGrant('resolve-identity', 'whole', now), [key])).get(key);
  return value === undefined ? [] : (JSON.parse(value) as Suppressed).all;
}

/** Those that name her: that of her own domain, and qualified ones. */
function numbersOf({ region }: Pick<SuppressionDeps, 'region'>, content: IdentityContent): readonly Number[] {
  const qualified = readAs(region, content).numbers.filter(({ isQualified }) => isQualified);
  const all = [...(content.own.system === '' ? [] : [content.own]), ...qualified];
  return [...new Map(all.map(({ system, value }) => [`${system}|${value}`, { system, value }])).values()];
}

function isOf({ own }: IdentityContent, { system, value }: Number): boolean {
  return own.system === system && own.value === value;
}

function keyOf({ digest }: ErasureKey, { system, value }: Number): ClaimKey {
  return claimKey.suppressed(digest(JSON.stringify([system, value])));
}

/** Digests of the strict traits of an identity, each form of a name by itself, with a number of hers. */
function traitsWith({ digest }: ErasureKey, { said }: IdentityContent, { system, value }: Number): readonly string[] {
  const { families, firstGivenNames, birthDate } = readTraits(said);
  if (birthDate === undefined) return [];
  const names = families.flatMap((family) => firstGivenNames.map((given) => [family, given] as const));
  return names.map(([family, given]) => digest(JSON.stringify([system, value, family, given, birthDate])));
}
