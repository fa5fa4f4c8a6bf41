/**
 * Bytes of a person go after the rows that named them: whoever was parted from her meanwhile keeps both, for the plan
 * is refused. Their names are kept until they are gone, so that a run that was cut short leaves none.
 */
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Warrant } from '../../access/warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf } from '../internal-reads.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';

type Deps = { readonly records: RecordStore; readonly images: ImageStore; readonly clock: Clock };

/** Rows that go, and the names of their bytes. */
type WithBytes = { readonly warrant: Warrant; readonly parts: PlanParts; readonly names: readonly string[] };

/** Erases rows, then their bytes, whose names are kept by `of`. Those of the plan before are gone by then. */
export async function eraseWithBytes(
  { records, images }: Deps,
  of: string,
  build: () => Promise<WithBytes>,
): Promise<void> {
  const key = claimKey.erasedBytes(of);
  const { receipt, result: names } = await commitFresh(records, async () => {
    const { warrant, parts, names: result } = await build();
    const kept: PlanParts = { erased: [{ claims: [key] }], claims: [{ key, value: JSON.stringify(result) }] };
    return { warrant, plan: result.length === 0 ? joinParts(parts) : joinParts(parts, kept), result };
  });
  for (const name of new Set([...names, ...receipt.erasedBlobs])) await images.remove(name);
}

/** Removes what a run left that was cut short, and forgets the names: before the first plan, and after the last. */
export async function removeErasedBytes({ records, images, clock }: Deps, of: string): Promise<void> {
  const key = claimKey.erasedBytes(of);
  const value = await claimOf(records, systemReading('erase-record', clock.now()), key);
  if (value === undefined) return;
  for (const name of JSON.parse(value) as readonly string[]) await images.remove(name);
  const forgotten: PlanParts = { preconditions: [{ kind: 'claimed', key, value }], erased: [{ claims: [key] }] };
  await records.commit(systemWarrant('erase-record'), joinParts(forgotten));
}
