/**
 * An instance that was filed and cannot be read afterwards is kept aside, so that its study is derived without it: one
 * header must not keep the others from being seen.
 */
import { studyEntity } from '../../../profiles/audit/audit-event.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { ItemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord, InstanceRow, QuarantinedInstance } from '../../ports/commit-plan.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { claimOf } from '../internal-reads.ts';
import { joinParts } from '../write/plan-parts.ts';
import { ERASING, filedAs } from '../intake/standing-instance.ts';
import type { MaintainStudyDeps } from './study-at-hand.ts';
import type { UnreadableInstance } from './unreadable-instance.ts';

/**
 * Puts an instance aside: no door shows it any more, its bytes stay for the people who must clear it up. One that was
 * put aside, discarded or sent anew meanwhile is left alone: whoever derives its study looks at what stands.
 */
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
    preconditions: [{ kind: 'claimed', key: claimKey.study(studyInstanceUID), value: patient }, filedAs(row)],
    erased: [{ instances: [sopInstanceUID] }],
    quarantined: [aside],
    audit: [eventOf(deps.clock, row, patient)],
  });
  const warrant = systemWarrant('put-aside', studyInstanceUID);
  const receipt = await deps.records.commit(warrant, plan).catch(unlessConflict);
  if (receipt === undefined) return;
  // It was put aside before and sent again.
  if (receipt.quarantined[0] === 'already') await deps.images.remove(blob.name);
  deps.alert?.(aside, message);
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
