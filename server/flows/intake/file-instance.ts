/**
 * A modality or PACS has sent one instance (receive-bytes). Its row and the identities it names are filed in one
 * commit: file and row are durable before the sender hears of success.
 */
import type { DicomPatient } from '../../../profiles/imaging/patient-from-dicom.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading, type ItemReading, type NarrowReading } from '../../access/grant.ts';
import { mayWrite, type SubjectFacts } from '../../access/may-write.ts';
import type { Requester } from '../../access/requester.ts';
import { isOpposition } from '../../access/switches.ts';
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
import type { JobRequest } from '../../ports/job-queue.ts';
import { decodedDigest } from './decoded-digest.ts';
import {
  compareWithStanding,
  ERASING,
  type Again,
  type Compared,
  type ComparedRow,
  type DecodedDigest,
} from './standing-instance.ts';
import { claimOf } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { findIdentity, knownPatient, newIdentity } from '../identity/persons.ts';
import { placeIdentity } from '../identity/place-identity.ts';
import { refuseSuppressed, type SuppressionDeps } from '../erase/known-again/suppression.ts';
import { commitFresh, joinParts, type PlanParts, type Planned } from '../write/plan-parts.ts';
import type { FinishedInstance, UnfiledInstance } from './receive-bytes.ts';

/**
 * What became of an instance. The sender hears of success whichever it is: an answer that differs would tell what
 * stands elsewhere.
 */
export type FiledInstance =
  | { readonly outcome: 'stored' | 'already' | 'other-transfer-syntax'; readonly row: InstanceRow }
  /** `dropped`: nothing of it is kept, for the patient is opposed. */
  | { readonly outcome: 'quarantined' | 'dropped'; readonly row: ComparedRow };

/** What the flow needs. */
export type FileInstanceDeps = SuppressionDeps & {
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly indexer: Indexer;
  /** A study without a new instance this long is closed. */
  readonly quietPeriodMs: number;
  /** Told of each instance that is kept aside, and how it came: a person must look at it. */
  readonly alert?: (aside: QuarantinedInstance, sending: Pick<Sending, 'requester' | 'requestId'>) => void;
  /** Told of each instance that is dropped: nothing that names a patient. */
  readonly dropped?: (sending: Pick<Sending, 'requester' | 'requestId'>) => void;
};

/** Who sent an instance, and what is to be durable with it, by what becomes of it: events, and marks of its study. */
export type Sending = {
  readonly requester: Requester;
  /** Association id or X-Request-Id. */
  readonly requestId: string;
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
      const plan = await planOf(deps, { row, named, durable }, sending);
      await durable;
      return plan;
    };
    try {
      const { receipt, result } = await commitFresh(deps.records, planned);
      const kept = [...receipt.instances, ...receipt.quarantined].includes('stored');
      if (!kept) await deps.images.remove(row.blob.name);
      if (result.outcome === 'quarantined') {
        deps.alert?.(result.aside, sending);
        return { outcome: result.outcome, row: result.row };
      }
      // What stood when the plan was made may have gone since: then this is the instance.
      return { row: result.row, outcome: receipt.instances[0] === 'stored' ? 'stored' : result.outcome };
    } catch (error) {
      if (isRefusal(error)) {
        // What is still being made durable would come to stand behind its removal.
        await durable.catch(() => undefined);
        await deps.images.remove(row.blob.name);
      }
      if (!isOpposition(error) || deps.region.opposedInstances !== 'drop') throw error;
      deps.dropped?.(sending);
      return { outcome: 'dropped', row };
    }
  };
}

/** Whether the store said no. After anything else the row may stand, so the bytes stay and the sweep decides. */
function isRefusal(error: unknown): boolean {
  return error instanceof Fault && error.kind !== 'transient' && error.kind !== 'exception';
}

type Accepted = Extract<FiledInstance, { readonly row: InstanceRow }>;
type Fate =
  Accepted | { readonly outcome: 'quarantined'; readonly row: ComparedRow; readonly aside: QuarantinedInstance };

/** An instance that came, and when its bytes can be read. */
type Arrival = UnfiledInstance & { readonly durable: Promise<void> };

/** What a plan is made of, as it was read. `owner` is the Patient of the study that stands, as its claim says it. */
type Read = {
  readonly sending: Sending;
  readonly row: ComparedRow;
  readonly placed: Placed;
  readonly subject: SubjectFacts;
  readonly owner: string | undefined;
  readonly now: number;
};

async function planOf(deps: FileInstanceDeps, arrival: Arrival, sending: Sending): Promise<Planned<Fate>> {
  const { row, named } = arrival;
  const now = deps.clock.now();
  const reading = systemReading('resolve-identity', now);
  // In this order: whoever filed the instance made its study, and whoever made that made its patient known.
  const standing = await deps.records.instanceOf(reading({ item: row.sopInstanceUID }), row.sopInstanceUID);
  const owner = await claimOf(deps.records, reading, claimKey.study(row.studyInstanceUID));
  if (owner === ERASING) {
    // These bytes, too, are what is being erased: no sweep may find them later.
    await deps.images.remove(row.blob.name);
    throw new Fault('transient', 'The study is being erased; send it again later');
  }
  if (named.foreignIssuer !== undefined) return await strangerAside(deps, reading, { row, named, sending }, now);
  const placed = await placePatient(deps, reading, row.source, named, now);
  const subject = { ...placed, state: await deps.records.stateOf(reading({ person: placed.person }), placed.person) };
  const read: Read = { sending, row, placed, subject, owner, now };
  if (!(await isOwners(deps, reading, read))) return keptAside(read, 'other-patient');
  const decoded: DecodedDigest = async (instance) => {
    await arrival.durable;
    return await decodedDigest(deps.images, instance);
  };
  const compared = await compareWithStanding(standing, row, decoded);
  if (compared.is === 'new') return joining(deps, read);
  return 'standing' in compared ? again(read, compared) : keptAside(read, compared.is);
}

/** Whether the study that stands is of the same person, under whatever identity. */
async function isOwners(
  { records }: FileInstanceDeps,
  reading: ItemReading,
  { owner, placed }: Read,
): Promise<boolean> {
  if (owner === undefined || owner === placed.patient) return true;
  return (await knownPatient(records, reading, owner))?.person === placed.person;
}

/** Plans an instance that is filed, or stands: with the event that begins the study, unless that was recorded. */
function accepted(
  { sending, row, placed, subject, owner, now }: Read,
  outcome: Accepted['outcome'],
  partsOf: (row: InstanceRow, event: string | undefined) => PlanParts,
): Planned<Fate> {
  const filed: InstanceRow = { ...row, person: placed.person, subject: placed.patient };
  const events = sending.accepted(filed, placed.patient);
  const facts = { now, subject, isFurther: events.length === 0, ...(owner === undefined ? {} : { owner }) };
  return {
    warrant: mayWrite(sending.requester, { interaction: 'receive-instance' }, facts),
    plan: joinParts(
      { claims: sending.marks?.(filed) ?? [], audit: events },
      placed.parts,
      partsOf(filed, events[0]?.event.id),
    ),
    result: { row: filed, outcome },
  };
}

/** A further instance of its study, or the first. */
function joining(deps: FileInstanceDeps, read: Read): Planned<Fate> {
  const { owner, placed, now } = read;
  return accepted(read, 'stored', (row, event) => ({
    ...(owner === undefined ? { claims: claimsOf(row, placed.patient) } : { preconditions: [stillOf(row, owner)] }),
    instances: [row],
    jobs: [...refreshing(row, { now, isFirst: owner === undefined, event }), closing(deps, row, now, event)],
  }));
}

/**
 * The instance that stands, sent again: its bytes are dropped. Another establishment that sends it is a source of it,
 * too.
 */
function again(read: Read, { is, standing }: Extract<Compared, { readonly is: Again }>): Planned<Fate> {
  const { owner, now } = read;
  const isKnown = [standing, ...(standing.furtherSources ?? [])].some(({ source }) => source === read.row.source);
  return accepted(read, is === 'other-transfer-syntax' ? is : 'already', (row, event) => ({
    preconditions: owner === undefined ? [] : [stillOf(row, owner)],
    instances: isKnown && is !== 'same' ? [] : [{ ...row, dataSetDigest: standing.dataSetDigest }],
    jobs: isKnown ? [] : refreshing(row, { now, isFirst: false, event }),
  }));
}

/** Keeps an instance aside under the identity by which its sender knows the patient. */
function keptAside({ sending, row, placed, subject, now }: Read, reason: QuarantineReason): Planned<Fate> {
  const { person, patient, parts } = placed;
  const aside: QuarantinedInstance = { ...asideOf(row, reason, now), subject: patient, person };
  const audit = sending.quarantined(aside);
  const facts = { now, subject, study: row.studyInstanceUID };
  return {
    warrant: mayWrite(sending.requester, { interaction: 'receive-instance' }, facts),
    plan: joinParts({ quarantined: [aside], audit, jobs: listing(row, now, audit) }, parts),
    result: { row, outcome: 'quarantined', aside },
  };
}

/**
 * Keeps an instance aside whose patient another establishment numbers: her sender has no identity of hers. Nothing of
 * whom the number names comes in while her record takes nothing, nor after her erasure.
 */
async function strangerAside(
  deps: FileInstanceDeps,
  reading: NarrowReading,
  { row, named: { patient: said, identity: own }, sending }: UnfiledInstance & { readonly sending: Sending },
  now: number,
): Promise<Planned<Fate>> {
  const { records } = deps;
  const known = await findIdentity(records, reading, own.system, own.value);
  if (known === undefined)
    await refuseSuppressed(deps, newIdentity({ own, source: row.source, fromImage: true, said }, now), now);
  const subject = known && { ...known, state: await records.stateOf(reading({ person: known.person }), known.person) };
  const aside = asideOf(row, 'foreign-issuer', now);
  const audit = sending.quarantined(aside);
  const facts = { now, subject, study: row.studyInstanceUID };
  return {
    warrant: mayWrite(sending.requester, { interaction: 'receive-instance' }, facts),
    plan: joinParts({ quarantined: [aside], audit, jobs: listing(row, now, audit) }),
    result: { row, outcome: 'quarantined', aside },
  };
}

function asideOf(row: ComparedRow, reason: QuarantineReason, now: number): QuarantinedInstance {
  const { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source } = row;
  return { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, reason, receivedAt: now };
}

/** A study that is erased meanwhile must not get anything back. */
function stillOf({ studyInstanceUID }: ComparedRow, owner: string): Precondition {
  return { kind: 'claimed', key: claimKey.study(studyInstanceUID), value: owner };
}

function claimsOf({ studyInstanceUID, source }: InstanceRow, patient: string): Claim[] {
  return [
    { key: claimKey.study(studyInstanceUID), value: patient },
    { key: claimKey.studySource(studyInstanceUID), value: source },
  ];
}

/** People are told soon, and again while more come. */
function listing(row: ComparedRow, now: number, [record]: readonly AuditRecord[]): JobRequest[] {
  const event = record?.event.id;
  return [true, false].flatMap((isFirst) => refreshing(row, { now, isFirst, event }));
}

function closing(deps: FileInstanceDeps, row: InstanceRow, now: number, event: string | undefined): JobRequest {
  return jobOf('close-study', row.studyInstanceUID, now + deps.quietPeriodMs, event);
}

/** Of another kind for further ones: they must not put off what the first instance asked for. */
function refreshing(
  { studyInstanceUID }: ComparedRow,
  { now, isFirst, event }: { readonly now: number; readonly isFirst: boolean; readonly event: string | undefined },
): JobRequest[] {
  return [
    isFirst
      ? jobOf('refresh-study', studyInstanceUID, now + FIRST_PAUSE_MS, event)
      : jobOf('update-study', studyInstanceUID, nextRefresh(now), event),
  ];
}

/** A study is brought up to date with its first instance, when its shipment ends, and meanwhile as often. */
const REFRESH_PAUSE_MS = 10_000;
/** A small shipment has ended by then, and asks for the same. */
const FIRST_PAUSE_MS = 500;

function nextRefresh(now: number): number {
  return Math.ceil((now + 1) / REFRESH_PAUSE_MS) * REFRESH_PAUSE_MS;
}

type Placed = Pick<SubjectFacts, 'patient' | 'person' | 'isNew' | 'joined' | 'reviewed'> & {
  readonly parts: PlanParts;
};

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
  const { person, reached, reviewed, parts } = await placeIdentity(deps, { content, standing: undefined }, now);
  if (person === content.home) await refuseSuppressed(deps, content, now);
  return {
    person,
    patient: `Patient/${content.id}`,
    isNew: true,
    joined: reached.filter((one) => one !== person),
    reviewed,
    parts,
  };
}
