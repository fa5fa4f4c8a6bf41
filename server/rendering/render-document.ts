/**
 * Renders a stored document as a page: in a thread of the pool, for a report of thousands of items, or the XML of a
 * CDA, would keep the main thread from everybody else for longer than the 20 ms that a request may.
 */
import { showCda } from '../../ihe/cda/clinical-document.ts';
import { MEDIA_TYPE } from '../../profiles/codes.ts';
import { UNDEFINED_LENGTH, type DicomHeader } from '../../profiles/dicom/data-element.ts';
import { formatReportPage } from '../../profiles/dicom/sr/report-page.ts';
import { Fault } from '../../profiles/fault.ts';
import { documentRangeOf, isPdf, notPdf } from '../flows/study/encapsulated-document.ts';
import { bytesOf, collect, readHeader, type StoredInstance } from '../flows/study/stored-data-set.ts';
import type { DocumentRequest, Picture } from '../ports/frame-renderer.ts';
import type { ImageStore } from '../ports/image-store.ts';

/** Largest structured report, in bytes of its inflated data set. */
const MAX_REPORT_BYTES = 2 * 1024 * 1024;
/** Largest CDA document, a PDF within it included. */
const MAX_CDA_BYTES = 16 * 1024 * 1024;

/** Makes the rendering of documents over a store of bytes. */
export function renderDocument(images: ImageStore) {
  return async ({ instance, document }: DocumentRequest): Promise<Picture> =>
    document === 'cda' ? await renderCda(images, instance) : page(formatReportPage(await reportOf(images, instance)));
}

/** A report is read whole or not at all: what a bulk value cuts off could be its content. */
async function reportOf(images: ImageStore, instance: StoredInstance): Promise<DicomHeader> {
  const header = await readHeader(images, instance, MAX_REPORT_BYTES);
  const isCut = [...header.elements.values()].some(
    ({ items, offset, length }) =>
      items === undefined && length !== UNDEFINED_LENGTH && offset + length > MAX_REPORT_BYTES,
  );
  if (isCut) throw new Fault('too-costly', `A report of more than ${MAX_REPORT_BYTES} bytes is not rendered`);
  return header;
}

async function renderCda(images: ImageStore, instance: StoredInstance): Promise<Picture> {
  const bytes = bytesOf(images, instance);
  const { start, end } = await documentRangeOf(images, instance);
  if (end - start > MAX_CDA_BYTES)
    throw new Fault('too-costly', `A document of more than ${MAX_CDA_BYTES} bytes is not rendered`);
  const shown = showCda(withoutPadding(await collect(bytes.read(start, end))));
  if ('page' in shown) return page(shown.page);
  if (!isPdf(shown.pdf)) throw notPdf();
  return { bytes: shown.pdf, mediaType: MEDIA_TYPE.pdf };
}

/** Where its length is not given a document of odd length ends with the NUL that made it even. */
function withoutPadding(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
}

function page(text: string): Picture {
  return { bytes: Buffer.from(text, 'utf8'), mediaType: MEDIA_TYPE.html };
}
