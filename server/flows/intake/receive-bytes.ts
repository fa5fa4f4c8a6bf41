/**
 * The bytes of one instance: they go to the image store as they arrive, and the header is read on the way. What comes
 * out is plain data, for file-instance to file, on whatever thread that runs.
 */
import { createHash } from 'node:crypto';
import { intOf, TAG, uidOf } from '../../../profiles/dicom/attributes.ts';
import { bulkDataURIOf } from '../../../profiles/dicom/json/bulk-data-uri.ts';
import type { DicomHeader } from '../../../profiles/dicom/data-element.ts';
import { formatFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { InflationCheck } from '../../../profiles/dicom/file/inflation-check.ts';
import { toDicomJson, writeDicomJson } from '../../../profiles/dicom/json/json.ts';
import { KnownSeries } from '../../../profiles/dicom/json/known-attributes.ts';
import { encodingOf } from '../../../profiles/dicom/file/transfer-syntax.ts';
import { Fault } from '../../../profiles/fault.ts';
import { PATIENT_TAGS, patientFromDicom, type DicomPatient } from '../../../profiles/imaging/patient-from-dicom.ts';
import type { InstanceRow } from '../../ports/commit-plan.ts';
import type { BlobWriter, ImageStore } from '../../ports/image-store.ts';
import { HeaderReader } from './header-reader.ts';

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

/** An instance before it is filed: its row, whose person nobody knows yet, and its patient. */
export type UnfiledInstance = { readonly row: Omit<InstanceRow, 'person' | 'subject'>; readonly named: DicomPatient };

/** Takes the bytes of an instance; exactly one of `finish` and `abort` comes last. */
export type Receiving = {
  /** A promise holds the sender back until it resolves. */
  write(chunk: Uint8Array): void | Promise<void>;
  /** Resolves when the header is read and put into words. After it rejects nothing is left to abort. */
  finish(): Promise<FinishedInstance>;
  abort(): Promise<void>;
};

/**
 * An instance whose bytes have all come. Nobody may hear of success, and no row may name its bytes, before `durable`
 * resolves; when it rejects nothing is left of them.
 */
export type FinishedInstance = { readonly unfiled: UnfiledInstance; readonly durable: Promise<void> };

/** What the flow needs: where bytes go, and the system of an establishment's patient identifiers. */
export type ReceiveBytesDeps = {
  readonly images: ImageStore;
  readonly patientIdSystemOf: (organization: string) => string;
};

/** Opens the receiving of an announced instance. */
export function receiveBytes(deps: ReceiveBytesDeps) {
  const known = new KnownSeries();
  return (announced: AnnouncedInstance): Receiving => new InstanceReceiving({ ...deps, known }, announced);
}

/** What the header tells. */
type Described = Omit<UnfiledInstance['row'], 'blob' | 'dataSetOffset' | 'dataSetDigest'>;

type ReceivingDeps = ReceiveBytesDeps & { readonly known: KnownSeries };

class InstanceReceiving implements Receiving {
  readonly #deps: ReceivingDeps;
  readonly #announced: AnnouncedInstance;
  readonly #digest = createHash('sha256');
  readonly #header: HeaderReader;
  readonly #inflation: InflationCheck | undefined;
  readonly #meta: Uint8Array;
  #writer: BlobWriter | undefined;

  constructor(deps: ReceivingDeps, announced: AnnouncedInstance) {
    this.#deps = deps;
    this.#announced = announced;
    this.#header = new HeaderReader(announced.transferSyntaxUID);
    this.#inflation = encodingOf(announced.transferSyntaxUID).deflated ? new InflationCheck() : undefined;
    const { aeTitle } = announced.peer;
    this.#meta = formatFileMeta({ ...announced, ...(aeTitle === undefined ? {} : { sourceAETitle: aeTitle }) });
  }

  write(chunk: Uint8Array): void | Promise<void> {
    this.#digest.update(chunk);
    this.#header.take(chunk);
    const written = this.#writer === undefined ? this.#begin(chunk) : this.#writer.write(chunk);
    return this.#inflation === undefined ? written : this.#inflate(this.#inflation, chunk, written);
  }

  async finish(): Promise<FinishedInstance> {
    const writer = this.#writer ?? (await this.#open());
    try {
      const header = this.#header.end();
      await this.#inflation?.end();
      checkAnnounced(header, this.#announced);
      // The disk works while the header is put into words, and the plan of filing made.
      const durable = this.#makeDurable(writer);
      return { unfiled: await orAfter(durable, () => this.#describe(header, writer.name)), durable };
    } catch (error) {
      this.#inflation?.drop();
      await writer.abort();
      await this.#deps.images.remove(writer.name);
      throw error;
    }
  }

  async abort(): Promise<void> {
    this.#inflation?.drop();
    await this.#writer?.abort();
  }

  async #makeDurable(writer: BlobWriter): Promise<void> {
    try {
      await writer.finish();
    } catch (error) {
      await this.#deps.images.remove(writer.name);
      throw error;
    }
  }

  #describe(header: DicomHeader, name: string): UnfiledInstance {
    const { row, named } = describe(this.#deps, header, this.#announced);
    const blob = { name, size: this.#meta.length + this.#header.received };
    return {
      row: { ...row, blob, dataSetOffset: this.#meta.length, dataSetDigest: this.#digest.digest('hex') },
      named,
    };
  }

  async #inflate(inflation: InflationCheck, chunk: Uint8Array, written: void | Promise<void>): Promise<void> {
    await Promise.all([inflation.take(chunk), written]);
  }

  async #begin(chunk: Uint8Array): Promise<void> {
    await (await this.#open()).write(chunk);
  }

  async #open(): Promise<BlobWriter> {
    this.#writer = await this.#deps.images.create();
    await this.#writer.write(this.#meta);
    return this.#writer;
  }
}

/** Says; what cannot be said is thrown when the blob is settled, so that nothing is written behind its removal. */
async function orAfter<T>(durable: Promise<void>, say: () => T): Promise<T> {
  // Whoever gets the promise hears of it; until then it must not end the process.
  const settled = durable.catch(() => undefined);
  try {
    return say();
  } catch (error) {
    await settled;
    throw error;
  }
}

/** The study, series and instance must be there and be those of the command set. */
function checkAnnounced(header: DicomHeader, announced: AnnouncedInstance): void {
  if (uidOf(header, TAG.SOPClassUID) !== announced.sopClassUID) {
    throw new Fault('required', 'SOP Class UID of the data set is not the one of the command', {
      expression: 'SOPClassUID',
    });
  }
  if (uidOf(header, TAG.SOPInstanceUID) !== announced.sopInstanceUID) {
    throw new Fault('required', 'SOP Instance UID of the data set is not the one of the command', {
      expression: 'SOPInstanceUID',
    });
  }
  if (announced.studyInstanceUID !== undefined && uidOf(header, TAG.StudyInstanceUID) !== announced.studyInstanceUID) {
    throw new Fault('required', 'Study Instance UID of the data set is not the one of the request', {
      expression: 'StudyInstanceUID',
    });
  }
  for (const name of ['StudyInstanceUID', 'SeriesInstanceUID'] as const) {
    if (uidOf(header, TAG[name]) === undefined)
      throw new Fault('required', `${name} is missing or not a UID`, { expression: name });
  }
}

/** Puts the header of an instance into words: its row, as far as the header tells it, and its patient. */
export function describe(
  { patientIdSystemOf, known }: Pick<ReceivingDeps, 'patientIdSystemOf' | 'known'>,
  header: DicomHeader,
  announced: AnnouncedInstance,
): { readonly row: Described; readonly named: DicomPatient } {
  const { sopClassUID, sopInstanceUID, transferSyntaxUID, peer } = announced;
  const { organization } = peer;
  const seriesInstanceUID = uidOf(header, TAG.SeriesInstanceUID) ?? '';
  const row = {
    sopClassUID,
    sopInstanceUID,
    transferSyntaxUID,
    studyInstanceUID: uidOf(header, TAG.StudyInstanceUID) ?? '',
    seriesInstanceUID,
    seriesNumber: intOf(header, TAG.SeriesNumber),
    instanceNumber: intOf(header, TAG.InstanceNumber),
    source: organization,
    metadata: writeDicomJson(header, bulkDataURIOf(sopInstanceUID), known.of(seriesInstanceUID)),
  };
  return {
    row,
    named: patientFromDicom(toDicomJson(patientPart(header)), {
      organization,
      patientIdSystem: patientIdSystemOf(organization),
    }),
  };
}

function patientPart(header: DicomHeader): DicomHeader {
  return { ...header, elements: new Map([...header.elements].filter(([tag]) => PATIENT_TAGS.has(tag))) };
}
