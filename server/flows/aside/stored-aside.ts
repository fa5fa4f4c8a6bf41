/** An instance that is kept aside, read again from where its bytes lie. */
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { KnownSeries } from '../../../profiles/dicom/json/known-attributes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { DicomPatient } from '../../../profiles/imaging/patient-from-dicom.ts';
import type { QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { describe } from '../intake/receive-bytes.ts';
import type { ComparedRow } from '../intake/standing-instance.ts';
import { collect, readHeader } from '../study/stored-data-set.ts';

/** What its bytes tell: the row that it would be, its patient, and the AE title from which it came. */
export type StoredAside = {
  readonly row: ComparedRow;
  readonly named: DicomPatient;
  readonly aeTitle: string | undefined;
};

/** Preamble and file meta information end before. */
const META_BYTES = 4 * 1024;

/** Reads it; undefined when it cannot be read. */
export async function readAside(
  images: ImageStore,
  region: RegionIndex,
  aside: QuarantinedInstance,
): Promise<StoredAside | undefined> {
  const { blob, dataSetDigest, source, sopInstanceUID } = aside;
  try {
    const meta = parseFileMeta(await collect(await images.open(blob.name, 0, META_BYTES)));
    const { dataSetOffset, transferSyntaxUID, sopClassUID = '', sourceAETitle: aeTitle } = meta;
    const header = await readHeader(images, { blob, dataSetOffset, transferSyntaxUID });
    const { row, named } = describe(
      { patientIdSystemOf: (of) => region.domainOf(of).patientIdSystem, known: new KnownSeries() },
      header,
      { sopClassUID, sopInstanceUID, transferSyntaxUID, peer: { organization: source } },
    );
    return { row: { ...row, blob, dataSetOffset, dataSetDigest }, named, aeTitle };
  } catch (error) {
    if (error instanceof Fault && error.kind !== 'transient') return undefined;
    throw error;
  }
}
