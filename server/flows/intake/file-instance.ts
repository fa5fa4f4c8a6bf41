/**
 * A modality or PACS has sent one instance (receive-bytes). Its row and the identities it names are filed in one
 * commit: file and row are durable before the sender hears of success.
 */
import type { DicomPatient } from '../../../profiles/imaging/patient-from-dicom.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading, type ItemReading } from '../../access/grant.ts';
import { mayWrite, type SubjectFacts } from '../../access/may-write.ts';
import type { Requester } from '../../access/requester.ts';
import type { Clock } from '../../ports/clock.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type {
  AuditRecord,
  Claim,
  InstanceRow,
  Precondition,
  QuarantinedInstance,
  QuarantineReason,
} from '../../ports/commit-plan.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { compareWithStanding, ERASING } from './standing-instance.ts';
import { claimOf } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { findIdentity, newIdentity } from '../identity/persons.ts';
import { placeIdentity } from '../identity/place-identity.ts';
import { commitFresh, joinParts, type PlanParts, type Planned } from '../write/plan-parts.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import type { FinishedInstance, UnfiledInstance } from './receive-bytes.ts';

/**
 * What became of an instance. The sender hears of success whichever it is: an answer that differs would tell what
 * stands elsewhere.
 */
export type FiledInstance = {
  readonly outcome: 'stored' | 'already' | 'other-transfer-syntax' | 'quarantined';
  readonly row: InstanceRow;
};

/** What the flow needs. */
export type FileInstanceDeps = {
  readonly records: RecordStore;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  /** A study without a new instance this long is closed. */
  readonly quietPeriodMs: number;
  /** Told of each instance that is kept aside: a person must look at it. */
  readonly alert?: (aside: QuarantinedInstance) => void;
};

/** Who sent an instance, and what is to be durable with it, by what becomes of it: events, and marks of its study. */
export type Sending = {
  readonly requester: Requester;
  /** None when the shipment has begun the study before, with an event of the person. */
  readonly accepted: (row: InstanceRow, patient: string) => readonly AuditRecord[];
  readonly quarantined: (instance: QuarantinedInstance) => readonly AuditRecord[];
  readonly marks?: (row: InstanceRow) => readonly Claim[];
};

/**
 * Files an instance; resolves when its row is durable, which is not before its bytes are. Bytes that no row will name
 * are removed.
 */
export function fileInstance(deps: FileInstanceDeps) {
  return async ({ unfiled: { row, named }, durable }: FinishedInstance, sending: Sending): Promise<FiledInstance> => {
    const planned = async (): Promise<Planned<Fate>> => {
      const plan = await planOf(deps, named, row, sending);
      await durable;
      return plan;
    };
    try {
      const { receipt, result } = await commitFresh(deps.records, planned);
      const kept = [...receipt.instances, ...receipt.quarantined].includes('stored');
      if (!kept) await deps.images.remove(row.blob.name);
      if (result.aside !== undefined) deps.alert?.(result.aside);
      return {
        row: result.row,
        outcome: result.fate === 'accepted' ? (receipt.instances[0] ?? 'stored') : result.fate,
      };
    } catch (error) {
      if (isRefusal(error)) await deps.images.remove(row.blob.name);
      throw error;
    }
  };
}

/** Whether the store said no. After anything else the row may stand, so the bytes stay and the sweep decides. */
function isRefusal(error: unknown): boolean {
  return error instanceof Fault && error.kind !== 'transient' && error.kind !== 'exception';
}

type UnplacedRow = UnfiledInstance['row'];

type Fate = {
  readonly row: InstanceRow;
  readonly fate: 'accepted' | 'other-transfer-syntax' | 'quarantined';
  readonly aside?: QuarantinedInstance;
};

async function planOf(
  deps: FileInstanceDeps,
  named: DicomPatient,
  unplaced: UnplacedRow,
  sending: Sending,
): Promise<Planned<Fate>> {
  const now = deps.clock.now();
  const reading = systemReading('resolve-identity', now);
  // Before the identity is looked up: whoever made the study made its patient known, too, and is found with it.
  const owner = await claimOf(deps.records, reading, claimKey.study(unplaced.studyInstanceUID));
  if (owner === ERASING) {
    // These bytes, too, are what is being erased: no sweep may find them later.
    await deps.images.remove(unplaced.blob.name);
    throw new Fault('transient', 'The study is being erased; send it again later');
  }
  const placed = await placePatient(deps, reading, unplaced.source, named, now);
  const { person, patient, parts } = placed;
  const subject = { ...placed, state: await deps.records.stateOf(reading({ person }), person) };
  const row: InstanceRow = { ...unplaced, person, subject: patient };
  const events = sending.accepted(row, patient);
  const isFurther = events.length === 0;
  const warrant = mayWrite(sending.requester, { interaction: 'receive-instance' }, { now, subject, isFurther });
  const accepted = (fate: Fate['fate'], ...of: PlanParts[]): Planned<Fate> => ({
    warrant,
    plan: joinParts({ claims: sending.marks?.(row) ?? [], audit: events }, ...of),
    result: { row, fate },
  });
  const still: PlanParts = { preconditions: [stillOf(row, patient)] };
  const verdict = await compareWithStanding(deps.records, reading, row, { owner, patient });
  if (verdict === 'same') return accepted('accepted', still, { instances: [row] });
  if (verdict === 'other-transfer-syntax') return accepted(verdict, still);
  if (verdict === 'new')
    return accepted(
      'accepted',
      parts,
      acceptedParts(deps, row, patient, { now, isFirst: owner === undefined, event: events[0]?.event.id }),
    );
  return keptAside(sending, row, verdict, now);
}

function keptAside(sending: Sending, row: InstanceRow, reason: QuarantineReason, now: number): Planned<Fate> {
  const { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source } = row;
  const named = { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source };
  const aside: QuarantinedInstance = { ...named, reason, receivedAt: now };
  return {
    warrant: mayWrite(sending.requester, { interaction: 'receive-instance' }, { now, study: studyInstanceUID }),
    plan: joinParts({ quarantined: [aside], audit: sending.quarantined(aside) }),
    result: { row, fate: 'quarantined', aside },
  };
}

/** A study that is erased meanwhile must not get anything back. */
function stillOf({ studyInstanceUID }: InstanceRow, patient: string): Precondition {
  return { kind: 'claimed', key: claimKey.study(studyInstanceUID), value: patient };
}

function acceptedParts(
  deps: FileInstanceDeps,
  row: InstanceRow,
  patient: string,
  { now, isFirst, event }: { readonly now: number; readonly isFirst: boolean; readonly event: string | undefined },
): PlanParts {
  return {
    claims: [
      { key: claimKey.study(row.studyInstanceUID), value: patient },
      { key: claimKey.studySource(row.studyInstanceUID), value: row.source },
    ],
    instances: [row],
    jobs: [
      // Of another kind: it must not put off what the first instance asked for.
      isFirst
        ? jobOf('refresh-study', row.studyInstanceUID, now + FIRST_PAUSE_MS, event)
        : jobOf('update-study', row.studyInstanceUID, nextRefresh(now), event),
      jobOf('close-study', row.studyInstanceUID, now + deps.quietPeriodMs, event),
    ],
  };
}

/** A study is brought up to date with its first instance, when its shipment ends, and meanwhile as often. */
const REFRESH_PAUSE_MS = 10_000;
/** A small shipment has ended by then, and asks for the same. */
const FIRST_PAUSE_MS = 500;

function nextRefresh(now: number): number {
  return Math.ceil((now + 1) / REFRESH_PAUSE_MS) * REFRESH_PAUSE_MS;
}

type Placed = Pick<SubjectFacts, 'patient' | 'person' | 'isNew' | 'joined'> & { readonly parts: PlanParts };

/** Finds the identity that the data set names, or makes it. An image changes nothing of one that stands. */
async function placePatient(
  deps: FileInstanceDeps,
  reading: ItemReading,
  organization: string,
  { patient, identity }: DicomPatient,
  now: number,
): Promise<Placed> {
  const known = await findIdentity(deps.records, reading, identity.system, identity.value);
  if (known !== undefined) return { person: known.person, patient: known.patient, parts: {} };
  const content = newIdentity({ own: identity, source: organization, fromImage: true, said: patient }, now);
  const { person, reached, parts } = await placeIdentity(deps, { content, standing: undefined }, now);
  return {
    person,
    patient: `Patient/${content.id}`,
    isNew: true,
    joined: reached.filter((one) => one !== person),
    parts,
  };
}
