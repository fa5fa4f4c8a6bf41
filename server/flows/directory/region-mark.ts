/**
 * Which region file the directory of a store is written from: its serial, and a digest of what it says. Of several
 * processes one writes, and none with an older file than another had.
 */
import { hash } from 'node:crypto';
import { canonicalText } from '../../../profiles/canonical-text.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemGrant } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Region } from '../../config/region-model.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { AuditRecord, Precondition } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { joinParts, type PlanParts } from '../write/plan-parts.ts';

/** A file, and whether all of it is written. The digest is hexadecimal. */
export type RegionMark = {
  readonly serial: number;
  readonly digest: string;
  readonly state: 'writing' | 'written';
};

const KEY = claimKey.region();

/** The mark of a file. White space and the order of members do not count. */
export function markOf(region: Region, state: RegionMark['state']): RegionMark {
  return { serial: region.serial, digest: hash('sha256', canonicalText(region), 'hex'), state };
}

/** The mark of a store; undefined when no server that marks has written its directory. `now` is epoch milliseconds. */
export async function readMark(records: RecordStore, now: number): Promise<RegionMark | undefined> {
  const value = await records.claimed(systemGrant('load-region', { item: KEY }, now), KEY);
  return value === undefined ? undefined : (JSON.parse(value) as RegionMark);
}

/** Whether two marks are of one file. */
export function isSameFile(one: RegionMark, other: RegionMark): boolean {
  return one.serial === other.serial && one.digest === other.digest;
}

/**
 * Refuses a file that does not follow the one that the store was written from.
 * @throws {Fault} conflict - it is older, or says something else under the same serial
 */
export function refuseFormer(standing: RegionMark | undefined, { serial, digest }: RegionMark): void {
  if (standing === undefined || serial > standing.serial) return;
  if (serial < standing.serial) {
    throw new Fault(
      'conflict',
      `The region file is older than what the store holds: its serial is ${serial}, that of the store ` +
        `${standing.serial}. Start with the newer file`,
    );
  }
  if (digest === standing.digest) return;
  throw new Fault('conflict', `The region file was changed, but not its serial: make it greater than ${serial}`);
}

/**
 * Marks the store, which bore another mark until now; `audit` is durable with it.
 * @throws {Fault} conflict - it bears yet another one
 */
export async function setMark(
  records: RecordStore,
  from: RegionMark | undefined,
  to: RegionMark,
  audit: readonly AuditRecord[] = [],
): Promise<void> {
  const claims = [{ key: KEY, value: JSON.stringify(to) }];
  const former = from === undefined ? {} : { preconditions: [stillMarked(from)], erased: [{ claims: [KEY] }] };
  await records.commit(systemWarrant('load-region', 'region file'), joinParts({ ...former, claims, audit }));
}

/** The condition that the store still bears a mark. */
export function stillMarked(mark: RegionMark): Precondition {
  return { kind: 'claimed', key: KEY, value: JSON.stringify(mark) };
}

/**
 * The condition that the store is written from the region file of this process (`serial`); none of a store that bears
 * no mark. `now` is epoch milliseconds.
 * @throws {Fault} transient - it is written from another one: one of the two is not loaded yet
 */
export async function ownMark(records: RecordStore, serial: number, now: number): Promise<PlanParts> {
  const mark = await readMark(records, now);
  if (mark === undefined) return {};
  if (mark.serial !== serial)
    throw new Fault('transient', `The store is written from the region file ${mark.serial}, not from ${serial}`);
  return { preconditions: [stillMarked(mark)] };
}
