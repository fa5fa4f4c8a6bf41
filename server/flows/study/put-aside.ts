/**
 * An instance that was filed and cannot be read afterwards is kept aside, so that its study is derived without it: one
 * header must not keep the others from being seen.
 */
import { studyEntity } from '../../../profiles/audit/audit-event.ts';
import type { ItemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord, InstanceRow, QuarantinedInstance } from '../../ports/commit-plan.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { claimOf } from '../internal-reads.ts';
import { joinParts } from '../write/plan-parts.ts';
import { ERASING } from '../intake/standing-instance.ts';
import type { MaintainStudyDeps } from './study-at-hand.ts';
import type { UnreadableInstance } from './unreadable-instance.ts';

/** Puts an instance aside: no door shows it any more, its bytes stay for the people who must clear it up. */
export async function putAside(
  deps: Pick<MaintainStudyDeps, 'records' | 'images' | 'clock' | 'alert'>,
  reading: ItemReading,
  { row, message }: UnreadableInstance,
): Promise<void> {
  const now = deps.clock.now();
  const patient = await claimOf(deps.records, reading, claimKey.study(row.studyInstanceUID));
  if (patient === undefined || patient === ERASING) return;
  const { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, person, subject } = row;
  const named = { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, subject, person };
  const aside: QuarantinedInstance = { ...named, reason: 'unreadable', receivedAt: now };
  const plan = joinParts({
    preconditions: [{ kind: 'claimed', key: claimKey.study(studyInstanceUID), value: patient }],
    erased: [{ instances: [sopInstanceUID] }],
    quarantined: [aside],
    audit: [eventOf(deps.clock, row, patient)],
  });
  const { quarantined, erasedBlobs } = await deps.records.commit(systemWarrant('put-aside', studyInstanceUID), plan);
  // It was put aside before and sent again. Where another server was faster, these bytes are the ones that are kept.
  if (quarantined[0] === 'already' && erasedBlobs.includes(blob.name)) await deps.images.remove(blob.name);
  deps.alert?.(aside, message);
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
