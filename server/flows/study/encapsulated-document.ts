/** Where the document lies that an instance wraps; it is found without being read. @see DICOM PS3.3 C.24.2 */
import { intOf, TAG } from '../../../profiles/dicom/attributes.ts';
import { UNDEFINED_LENGTH, type DicomDataSet, type DicomElement } from '../../../profiles/dicom/data-element.ts';
import { scanHeader } from '../../../profiles/dicom/dataset.ts';
import { encodingOf } from '../../../profiles/dicom/file/transfer-syntax.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { bytesOf, collect, readHeader, type StoredInstance } from './stored-data-set.ts';

/** The bytes of a document, as offsets of the data set. */
export type DocumentRange = { readonly start: number; readonly end: number };

/** As much as is read of a data set before the document, and behind it. */
const MAX_HEADER_BYTES = 256 * 1024;
const MAX_TAIL_BYTES = 64 * 1024;
const SIGNATURE = Buffer.from('%PDF-');

/**
 * Finds the document. It is as long as EncapsulatedDocumentLength says where that is the length of the value, or a byte
 * less, which is the padding; else as the value, its NUL at the end left out.
 * @throws {Fault} not-supported - the instance holds no document
 */
export async function documentRangeOf(images: ImageStore, instance: StoredInstance): Promise<DocumentRange> {
  // An inflated data set has no end that could be found without reading it.
  const isDeflated = encodingOf(instance.transferSyntaxUID).deflated;
  const header = await readHeader(images, instance, isDeflated ? undefined : MAX_HEADER_BYTES);
  const element = header.elements.get(TAG.EncapsulatedDocument);
  if (element === undefined || element.length === UNDEFINED_LENGTH || element.length === 0) throw noDocument();
  const given = intOf(header, TAG.EncapsulatedDocumentLength) ?? (await lengthBehind(images, instance, element));
  const [start, whole] = [element.offset, element.offset + element.length];
  if (given !== undefined && given > 0 && [0, 1].includes(element.length - given)) return { start, end: start + given };
  const last = await collect(bytesOf(images, instance).read(whole - 1, whole));
  return { start, end: last[0] === 0 ? whole - 1 : whole };
}

/** Tells whether bytes begin as a PDF does. */
export function isPdf(bytes: Uint8Array): boolean {
  return SIGNATURE.equals(bytes.subarray(0, SIGNATURE.length));
}

/** What a document is that calls itself a PDF and is none: it would be read as something else. */
export function notPdf(): Fault {
  return new Fault('not-supported', 'The document is no PDF, though it is stored as one');
}

/** EncapsulatedDocumentLength stands behind a document that the header is read up to. */
async function lengthBehind(
  images: ImageStore,
  instance: StoredInstance,
  { offset, length }: DicomElement,
): Promise<number | undefined> {
  if (encodingOf(instance.transferSyntaxUID).deflated) return undefined;
  const [start, end] = [offset + length, instance.blob.size - instance.dataSetOffset];
  if (end <= start || end - start > MAX_TAIL_BYTES) return undefined;
  const tail = await collect(bytesOf(images, instance).read(start, end));
  const behind: DicomDataSet | 'incomplete' = scanHeader(tail, instance.transferSyntaxUID, { isWhole: true });
  return behind === 'incomplete' ? undefined : intOf(behind, TAG.EncapsulatedDocumentLength);
}

function noDocument(): Fault {
  return new Fault('not-supported', 'The instance holds no document');
}
