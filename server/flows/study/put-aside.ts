/**
 * An instance that was filed and cannot be read afterwards is kept aside, so that its study is derived without it: one
 * header must not keep the others from being seen.
 */
import { studyEntity } from '../../../profiles/audit/entities.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { ItemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord, CommitReceipt, InstanceRow, QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { BlobRef } from '../../ports/image-store.ts';
import { copyBlob } from '../aside/copy-blob.ts';
import { personsBySubject, sentOf } from '../aside/sent-by.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { claimOf } from '../internal-reads.ts';
import { joinParts } from '../write/plan-parts.ts';
import { ERASING, filedAs } from '../intake/standing-instance.ts';
import type { MaintainStudyDeps } from './study-at-hand.ts';
import type { UnreadableInstance } from './unreadable-instance.ts';

type Deps = Pick<MaintainStudyDeps, 'records' | 'images' | 'clock' | 'alert'>;

/**
 * Puts an instance aside, for each who sent it: no door shows it any more, its bytes stay for the people who must clear
 * it up. One that was put aside, discarded or sent anew meanwhile is left alone: whoever derives its study looks at
 * what stands.
 */
export async function putAside(deps: Deps, reading: ItemReading, { row, message }: UnreadableInstance): Promise<void> {
  const { studyInstanceUID, sopInstanceUID } = row;
  const patient = await claimOf(deps.records, reading, claimKey.study(studyInstanceUID));
  if (patient === undefined || patient === ERASING) return;
  const asides = await asidesOf(deps, reading, row, patient);
  const plan = joinParts({
    preconditions: [{ kind: 'claimed', key: claimKey.study(studyInstanceUID), value: patient }, filedAs(row)],
    erased: [{ instances: [sopInstanceUID] }],
    quarantined: asides,
    audit: [eventOf(deps.clock, row, patient)],
  });
  const warrant = systemWarrant('put-aside', studyInstanceUID);
  const receipt = await deps.records.commit(warrant, plan).catch(unlessConflict);
  for (const name of unnamedBlobs(row, asides, receipt)) await deps.images.remove(name);
  if (receipt !== undefined) for (const aside of asides) deps.alert?.(aside, message);
}

/** Of what was put aside before and sent again; or, where somebody was faster, the copies that were made. */
function unnamedBlobs(
  row: InstanceRow,
  asides: readonly QuarantinedInstance[],
  receipt: CommitReceipt | undefined,
): readonly string[] {
  const unnamed = asides.filter(({ blob }, at) =>
    receipt === undefined ? blob.name !== row.blob.name : receipt.quarantined[at] === 'already',
  );
  return unnamed.map(({ blob }) => blob.name);
}

/** Each who sent it has bytes of its own, and files it under the identity of which it did. */
async function asidesOf(
  { records, images, clock }: Deps,
  reading: ItemReading,
  row: InstanceRow,
  patient: string,
): Promise<readonly QuarantinedInstance[]> {
  const { studyInstanceUID, sopInstanceUID, dataSetDigest } = row;
  const personOf = personsBySubject(records, reading);
  const owner = { patient, person: (await personOf(patient)) ?? row.person };
  const asides: QuarantinedInstance[] = [];
  for (const { source, subject, person } of await sentOf(row, owner, personOf)) {
    const blob = asides.length === 0 ? row.blob : await copiedBlob(images, row.blob);
    const named = { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, subject, person };
    asides.push({ ...named, reason: 'unreadable', receivedAt: clock.now() });
  }
  return asides;
}

/** A copy; where the bytes themselves are gone, there is nothing that one could take from the other. */
async function copiedBlob(images: Deps['images'], blob: BlobRef): Promise<BlobRef> {
  return await copyBlob(images, blob).catch((error: unknown) => {
    if (error instanceof Fault && error.kind === 'not-found') return blob;
    throw error;
  });
}

function unlessConflict(error: unknown): undefined {
  if (!(error instanceof Fault) || error.kind !== 'conflict') throw error;
}

/** The patient reads it: whose the instance is, is no question here. */
function eventOf(
  clock: Clock,
  { studyInstanceUID, sopInstanceUID, person }: InstanceRow,
  patient: string,
): AuditRecord {
  return recordOf(clock, ownOccasion('passerelle'), 'close-study', {
    person,
    patient,
    outcome: '8',
    outcomeDesc: 'quarantined: unreadable',
    entities: [studyEntity(studyInstanceUID, undefined, { quarantined: sopInstanceUID, reason: 'unreadable' })],
  });
}
