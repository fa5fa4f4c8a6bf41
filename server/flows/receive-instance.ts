/**
 * A modality or PACS sends one instance. Bytes go to the image store as they arrive; the header is read on the way;
 * file, instance row and identities are durable before the sender hears of success.
 */
import { createHash, randomUUID } from 'node:crypto';
import { patientFromDicom, type DicomPatient } from '../../profiles/patient-from-dicom.ts';
import { intOf, TAG, uidOf } from '../../profiles/dicom/attributes.ts';
import type { DicomHeader } from '../../profiles/dicom/data-element.ts';
import { bulkDataURIOf } from '../../profiles/dicom/bulk-data-uri.ts';
import { formatFileMeta } from '../../profiles/dicom/file-meta.ts';
import { toDicomJson } from '../../profiles/dicom/json.ts';
import { Fault } from '../../profiles/fault.ts';
import type { Indexer } from '../../profiles/search-index.ts';
import { systemGrant, type SystemGrant } from '../access/grant.ts';
import type { PersonKey } from '../access/requester.ts';
import type { Clock } from '../ports/clock.ts';
import type { AuditRecord, CommitPlan, InstanceRow, QuarantinedInstance } from '../ports/commit-plan.ts';
import type { BlobRef, BlobWriter, ImageStore } from '../ports/image-store.ts';
import type { RecordStore } from '../ports/record-store.ts';
import { HeaderReader } from './header-reader.ts';
import { compareWithStanding, studyKey, studySourceKey } from './standing-instance.ts';
import { enrol, findIdentity } from './persons.ts';
import { authorRight, commitFresh, joinParts, putOf, type PlanParts } from './plan-parts.ts';
import type { RegionIndex } from './region-index.ts';

/**
 * One instance that is announced, before its bytes. `organization` is `Organization/id` of the sender;
 * `studyInstanceUID` is there when the sender named the study beside the data set.
 */
export type AnnouncedInstance = {
  readonly peer: { readonly aeTitle?: string; readonly organization: string };
  readonly studyInstanceUID?: string;
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
};

/** Takes the bytes of an instance; exactly one of `finish` and `abort` comes last. */
export type InstanceSession = {
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<ReceivedInstance>;
  abort(): Promise<void>;
};

/**
 * What became of an instance. The sender hears of success whichever it is: an answer that differs would tell what
 * stands elsewhere.
 */
export type ReceivedInstance = { readonly outcome: 'stored' | 'already' | 'other-transfer-syntax' | 'quarantined'; readonly row: InstanceRow };

/** What the flow needs. */
export type ReceiveInstanceDeps = {
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

/** Events that are to be durable with an instance, by what becomes of it. */
export type EventsOf = {
  readonly accepted: (row: InstanceRow, patient: string) => readonly AuditRecord[];
  readonly quarantined: (instance: QuarantinedInstance) => readonly AuditRecord[];
};

/** Opens the session of an announced instance. */
export function receiveInstance(deps: ReceiveInstanceDeps) {
  return (announced: AnnouncedInstance, eventsOf: EventsOf): InstanceSession => new Session(deps, announced, eventsOf);
}

class Session implements InstanceSession {
  readonly #deps: ReceiveInstanceDeps;
  readonly #announced: AnnouncedInstance;
  readonly #digest = createHash('sha256');
  readonly #header: HeaderReader;
  readonly #meta: Uint8Array;
  readonly #eventsOf: EventsOf;
  #writer: BlobWriter | undefined;

  constructor(deps: ReceiveInstanceDeps, announced: AnnouncedInstance, eventsOf: EventsOf) {
    this.#deps = deps;
    this.#eventsOf = eventsOf;
    this.#announced = announced;
    this.#header = new HeaderReader(announced.transferSyntaxUID);
    const { aeTitle } = announced.peer;
    this.#meta = formatFileMeta({ ...announced, ...(aeTitle === undefined ? {} : { sourceAETitle: aeTitle }) });
  }

  async write(chunk: Uint8Array): Promise<void> {
    const writer = await this.#open();
    this.#digest.update(chunk);
    this.#header.take(chunk);
    await writer.write(chunk);
  }

  async finish(): Promise<ReceivedInstance> {
    const { header, blob } = await this.#close(await this.#open());
    try {
      return await this.#index(header, blob);
    } catch (error) {
      if (isRefusal(error)) await this.#deps.images.remove(blob.name);
      throw error;
    }
  }

  async #close(writer: BlobWriter): Promise<{ header: DicomHeader; blob: BlobRef }> {
    try {
      const header = this.#header.end();
      checkAnnounced(header, this.#announced);
      return { header, blob: await writer.finish() };
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    await this.#writer?.abort();
  }

  async #open(): Promise<BlobWriter> {
    if (this.#writer !== undefined) return this.#writer;
    this.#writer = await this.#deps.images.create();
    await this.#writer.write(this.#meta);
    return this.#writer;
  }

  async #index(header: DicomHeader, blob: BlobRef): Promise<ReceivedInstance> {
    const digest = this.#digest.digest('hex');
    const { organization } = this.#announced.peer;
    const json = toDicomJson(header, bulkDataURIOf(this.#announced.sopInstanceUID));
    const named = patientFromDicom(json, { organization, patientIdSystem: this.#deps.region.domainOf(organization).patientIdSystem });
    const row = { ...rowOf(header, this.#announced), metadata: JSON.stringify(json), blob, dataSetOffset: this.#meta.length, dataSetDigest: digest };
    const build = async () => await planOf(this.#deps, named, row, this.#eventsOf);
    const { receipt, result } = await commitFresh(this.#deps.records, build);
    const kept = [...receipt.instances, ...receipt.quarantined].includes('stored');
    if (!kept) await this.#deps.images.remove(blob.name);
    if (result.aside !== undefined) this.#deps.alert?.(result.aside);
    return { row: result.row, outcome: result.fate === 'accepted' ? (receipt.instances[0] ?? 'stored') : result.fate };
  }
}

/** Whether the store said no. After anything else the row may stand, so the bytes stay and the sweep decides. */
function isRefusal(error: unknown): boolean {
  return error instanceof Fault && error.kind !== 'transient' && error.kind !== 'exception';
}

/** The study, series and instance must be there and be those of the command set. */
function checkAnnounced(header: DicomHeader, announced: AnnouncedInstance): void {
  if (uidOf(header, TAG.SOPClassUID) !== announced.sopClassUID) {
    throw new Fault('required', 'SOP Class UID of the data set is not the one of the command', { expression: 'SOPClassUID' });
  }
  if (uidOf(header, TAG.SOPInstanceUID) !== announced.sopInstanceUID) {
    throw new Fault('required', 'SOP Instance UID of the data set is not the one of the command', { expression: 'SOPInstanceUID' });
  }
  if (announced.studyInstanceUID !== undefined && uidOf(header, TAG.StudyInstanceUID) !== announced.studyInstanceUID) {
    throw new Fault('required', 'Study Instance UID of the data set is not the one of the request', { expression: 'StudyInstanceUID' });
  }
  for (const name of ['StudyInstanceUID', 'SeriesInstanceUID'] as const) {
    if (uidOf(header, TAG[name]) === undefined) throw new Fault('required', `${name} is missing or not a UID`, { expression: name });
  }
}

type UnplacedRow = Omit<InstanceRow, 'person'>;

function rowOf(header: DicomHeader, { peer, ...announced }: AnnouncedInstance): Omit<UnplacedRow, 'metadata' | 'blob' | 'dataSetOffset' | 'dataSetDigest'> {
  return {
    ...announced,
    studyInstanceUID: uidOf(header, TAG.StudyInstanceUID) ?? '',
    seriesInstanceUID: uidOf(header, TAG.SeriesInstanceUID) ?? '',
    seriesNumber: intOf(header, TAG.SeriesNumber),
    instanceNumber: intOf(header, TAG.InstanceNumber),
    source: peer.organization,
  };
}

type Planned = { readonly plan: CommitPlan; readonly result: { readonly row: InstanceRow; readonly fate: 'accepted' | 'other-transfer-syntax' | 'quarantined'; readonly aside?: QuarantinedInstance } };

async function planOf(deps: ReceiveInstanceDeps, named: DicomPatient, unplaced: UnplacedRow, eventsOf: EventsOf): Promise<Planned> {
  const now = deps.clock.now();
  const grant = systemGrant('resolve-identity', now);
  const { person, patient, parts } = await placePatient(deps, grant, unplaced.source, named, now);
  await refuseOpposed(deps.records, grant, person);
  const row: InstanceRow = { ...unplaced, person };
  const verdict = await compareWithStanding(deps.records, grant, row, patient);
  if (verdict === 'same') return { plan: joinParts({ instances: [row], audit: eventsOf.accepted(row, patient) }), result: { row, fate: 'accepted' } };
  if (verdict === 'new') return { plan: joinParts(parts, acceptedParts(deps, row, patient, eventsOf, now)), result: { row, fate: 'accepted' } };
  if (verdict === 'other-transfer-syntax') return { plan: joinParts({ audit: eventsOf.accepted(row, patient) }), result: { row, fate: verdict } };
  const { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source } = row;
  const aside: QuarantinedInstance = { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, reason: verdict, receivedAt: now };
  return { plan: joinParts({ quarantined: [aside], audit: eventsOf.quarantined(aside) }), result: { row, fate: 'quarantined', aside } };
}

function acceptedParts(deps: ReceiveInstanceDeps, row: InstanceRow, patient: string, eventsOf: EventsOf, now: number): PlanParts {
  return {
    claims: [
      { key: studyKey(row.studyInstanceUID), value: patient },
      { key: studySourceKey(row.studyInstanceUID), value: row.source },
    ],
    instances: [row],
    audit: eventsOf.accepted(row, patient),
    agenda: [
      { key: `refresh|${row.studyInstanceUID}`, at: now },
      { key: `close|${row.studyInstanceUID}`, at: now + deps.quietPeriodMs },
    ],
  };
}

type Placed = { readonly person: PersonKey; readonly patient: string; readonly parts: PlanParts };

/** Finds the Patient that the data set names, or makes it. */
async function placePatient(deps: ReceiveInstanceDeps, grant: SystemGrant, organization: string, { patient, identity }: DicomPatient, now: number): Promise<Placed> {
  const known = await findIdentity(deps.records, grant, identity.system, identity.value);
  if (known !== undefined) return { person: known.person, patient: known.patient, parts: {} };
  const id = randomUUID();
  const reference = `Patient/${id}`;
  const { person, parts } = await enrol(deps.records, grant, { reference, identity, identifiers: patient.identifier ?? [] }, deps.region.qualifiedSystems, undefined);
  const put = putOf(deps.indexer, { ...patient, id }, now, { person, subject: reference });
  const rights = [authorRight(person, reference, organization)];
  return { person, patient: reference, parts: { ...parts, puts: [put], rights: [...(parts.rights ?? []), ...rights] } };
}

async function refuseOpposed(records: RecordStore, grant: SystemGrant, person: PersonKey): Promise<void> {
  const { opposed } = await records.stateOf(grant, person);
  if (opposed) throw new Fault('forbidden', 'The patient is opposed to the sharing of exams');
}
