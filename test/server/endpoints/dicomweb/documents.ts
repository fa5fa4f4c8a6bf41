/** Documents made element by element: structured reports, and what wraps a PDF or a CDA. */
import { expect } from 'chai';
import { XmlAttribute, XmlElement, type XmlNode } from 'libxml2-wasm';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { withXml } from '../../../../ihe/xml/parse.ts';
import type { Clinic } from '../clinic.ts';
import { addFile, element, freshUIDs, item, part10, type StoredFile } from './files.ts';

/** Elements and attributes that a page may have, those of its head included. */
const ELEMENTS = new Set(
  (
    'html head meta title body header main h1 h2 h3 h4 h5 h6 p div dl dt dd ul ol li section strong em u del ins ' +
    'small sub sup br a table caption thead tbody tfoot tr th td'
  ).split(' '),
);
const ATTRIBUTES = new Set('lang charset http-equiv content name role id href rel colspan rowspan scope'.split(' '));

/** A text in UTF-8, whatever is in it. */
export function text(tag: number, vr: string, value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  const padding = vr === 'UI' ? '\0' : ' ';
  return element(tag, vr, bytes.length % 2 ? Buffer.concat([bytes, Buffer.from(padding)]) : bytes);
}

/** A sequence of items. */
export function sequence(tag: number, ...items: readonly Buffer[]): Buffer {
  return element(tag, 'SQ', Buffer.concat(items.map(item)));
}

/** A code sequence. */
export function code(tag: number, meaning: string, value = '1', scheme = '99TEST'): Buffer {
  return sequence(
    tag,
    Buffer.concat([text(0x00080100, 'SH', value), text(0x00080102, 'SH', scheme), text(0x00080104, 'LO', meaning)]),
  );
}

/** A content item: relationship, type, name, then its value, then what belongs to it. */
export function content(
  relationship: string,
  type: string,
  name: string | undefined,
  value: readonly Buffer[] = [],
  items: readonly Buffer[] = [],
): Buffer {
  return Buffer.concat([
    text(0x0040a010, 'CS', relationship),
    text(0x0040a040, 'CS', type),
    ...(name === undefined ? [] : [code(0x0040a043, name)]),
    ...value,
    ...(items.length === 0 ? [] : [sequence(0x0040a730, ...items)]),
  ]);
}

/** A content item of text. */
export function note(value: string, name = 'Note'): Buffer {
  return content('CONTAINS', 'TEXT', name, [text(0x0040a160, 'UT', value)]);
}

/** What a report is made of. */
export type Report = {
  readonly title?: string;
  readonly patientName?: string;
  readonly items: readonly Buffer[];
  /** Elements between the title and the content. */
  readonly flags?: readonly Buffer[];
};

/** Puts a structured report into the clinic. */
export async function addReport(clinic: Clinic, report: Report, last = '88.33'): Promise<StoredFile> {
  return await addDocument(clinic, last, (uids) => [
    ...patient(uids, last, report.patientName ?? 'Essai^Anne'),
    text(0x0040a040, 'CS', 'CONTAINER'),
    code(0x0040a043, report.title ?? 'Compte rendu'),
    ...(report.flags ?? []),
    sequence(0x0040a730, ...report.items),
  ]);
}

/** Puts an instance into the clinic that wraps a document: `last` ends its SOP class. */
export async function addWrapped(
  clinic: Clinic,
  last: string,
  document: Buffer,
  length: number | undefined = document.length,
): Promise<StoredFile> {
  const even = document.length % 2 ? Buffer.concat([document, Buffer.alloc(1)]) : document;
  const given = Buffer.alloc(4);
  given.writeUInt32LE(length);
  return await addDocument(clinic, last, (uids) => [
    ...patient(uids, last, 'Essai^Anne'),
    element(0x00420011, 'OB', even),
    text(0x00420012, 'LO', last === '104.1' ? 'application/pdf' : 'text/XML'),
    ...(length === 0 ? [] : [element(0x00420015, 'UL', given)]),
  ]);
}

/** Reads a page: it is well-formed, of allowed elements and attributes alone, and nothing of it leads anywhere else. */
export function readPage(page: string): { readonly text: string; readonly names: readonly string[] } {
  expect(page.startsWith('<!DOCTYPE html>\n')).to.equal(true);
  const limits = { maxSizeBytes: 64 * 1024 * 1024, maxDepth: 200, maxMarkup: 10_000_000 };
  return withXml(
    Buffer.from(page.slice('<!DOCTYPE html>\n'.length)),
    (document) => {
      const elements = namesOf(document.find('//*'));
      const attributes = namesOf(document.find('//@*'));
      expect(elements.filter((name) => !ELEMENTS.has(name))).to.deep.equal([]);
      expect(attributes.filter((name) => !ATTRIBUTES.has(name))).to.deep.equal([]);
      const addresses = document.find('//@href').map(({ content: address }) => address);
      expect(addresses.filter((address) => !/^(https?:\/\/|#c[\d.]+$)/.test(address))).to.deep.equal([]);
      return { text: document.root.content, names: elements };
    },
    limits,
  );
}

function namesOf(nodes: readonly XmlNode[]): readonly string[] {
  return nodes.map((node) => (node instanceof XmlElement || node instanceof XmlAttribute ? node.name : ''));
}

function patient({ study, sop }: StoredFile['uids'], last: string, name: string): readonly Buffer[] {
  return [
    text(0x00080005, 'CS', 'ISO_IR 192'),
    text(0x00080016, 'UI', `${DICOM_UID.storageClassPrefix}${last}`),
    text(0x00080018, 'UI', sop),
    text(0x00080060, 'CS', 'SR'),
    text(0x00100010, 'PN', name),
    text(0x00100020, 'LO', 'pat-1'),
    text(0x00100030, 'DA', '19800102'),
    text(0x0020000d, 'UI', study),
    text(0x0020000e, 'UI', `${study}.1`),
  ];
}

async function addDocument(
  clinic: Clinic,
  last: string,
  elementsOf: (uids: StoredFile['uids']) => readonly Buffer[],
): Promise<StoredFile> {
  const uids = freshUIDs();
  const sopClassUID = `${DICOM_UID.storageClassPrefix}${last}`;
  const dataSet = Buffer.concat([...elementsOf(uids)]);
  return await addFile(clinic, part10(dataSet, uids.sop, DICOM_UID.explicitLittleEndian, sopClassUID), uids);
}
