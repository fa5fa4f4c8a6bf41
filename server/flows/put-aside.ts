/**
 * An instance that was filed and cannot be read afterwards is kept aside, so that its study is derived without it: one
 * header must not keep the others from being seen.
 */
import { buildAuditEvent, studyEntity } from '../../profiles/audit-event.ts';
import type { SystemGrant } from '../access/grant.ts';
import type { AuditRecord, InstanceRow, QuarantinedInstance } from '../ports/commit-plan.ts';
import { newEventId } from './event-id.ts';
import { joinParts } from './plan-parts.ts';
import { ERASING, studyKey } from './standing-instance.ts';
import type { MaintainStudyDeps } from './study-at-hand.ts';
import type { UnreadableInstance } from './unreadable-instance.ts';

/** Puts an instance aside: no door shows it any more, its bytes stay for the people who must clear it up. */
export async function putAside(
  deps: MaintainStudyDeps,
  grant: SystemGrant,
  { row, message }: UnreadableInstance,
): Promise<void> {
  const now = deps.clock.now();
  const patient = await deps.records.claimed(grant, studyKey(row.studyInstanceUID));
  if (patient === undefined || patient === ERASING) return;
  const { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source } = row;
  const named = { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source };
  const aside: QuarantinedInstance = { ...named, reason: 'unreadable', receivedAt: now };
  const plan = joinParts({
    preconditions: [{ kind: 'claimed', key: studyKey(studyInstanceUID), value: patient }],
    erased: [{ instances: [sopInstanceUID] }],
    quarantined: [aside],
    audit: [eventOf(row, patient, now)],
  });
  const { quarantined, erasedBlobs } = await deps.records.commit(plan);
  // It was put aside before and sent again. Where another server was faster, these bytes are the ones that are kept.
  if (quarantined[0] === 'already' && erasedBlobs.includes(blob.name)) await deps.images.remove(blob.name);
  deps.alert?.(aside, message);
}

/** The patient reads it: whose the instance is, is no question here. */
function eventOf({ studyInstanceUID, sopInstanceUID, person }: InstanceRow, patient: string, now: number): AuditRecord {
  const event = buildAuditEvent({
    id: newEventId(now),
    kind: 'close-study',
    recorded: new Date(now).toISOString(),
    outcome: '8',
    outcomeDesc: 'quarantined: unreadable',
    requestId: newEventId(now),
    server: 'passerelle',
    client: { id: 'passerelle' },
    patient,
    entities: [studyEntity(studyInstanceUID, undefined, { quarantined: sopInstanceUID, reason: 'unreadable' })],
  });
  return { event, persons: [person] };
}
