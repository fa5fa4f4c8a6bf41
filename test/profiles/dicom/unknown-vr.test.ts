/** Attributes that stand under another VR than theirs: UN above all. @see DICOM PS3.5 6.2.2 */
import { expect } from 'chai';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { DICOM_UID } from '../../../profiles/codes.ts';
import { intOf, itemsOf, TAG, textOf, textsOf, uidOf } from '../../../profiles/dicom/attributes.ts';
import type { DicomHeader } from '../../../profiles/dicom/data-element.ts';
import { scanHeader, type ScanOptions } from '../../../profiles/dicom/dataset.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { toDicomJson, writeDicomJson, type DicomJson, type JsonAttribute } from '../../../profiles/dicom/json/json.ts';
import { KnownAttributes } from '../../../profiles/dicom/json/known-attributes.ts';
import { sopInstanceIn } from '../../../profiles/dicom/sop-instance.ts';
import { encodingOf } from '../../../profiles/dicom/file/transfer-syntax.ts';
import { element, itemHeader, sequence } from '../../hostile/dicom/raw-data-set.ts';
import { asUnknownVR } from '../../support/dicom/unknown-vr.ts';
import { sample, sampleNames } from './samples.ts';

const { explicitLittleEndian, explicitBigEndian } = DICOM_UID;

const WHOLE: ScanOptions = { isWhole: true };

function headerOf(bytes: Uint8Array, syntax: string = explicitLittleEndian, options = WHOLE): DicomHeader {
  const header = scanHeader(bytes, syntax, options);
  if (header === 'incomplete') throw new Error('incomplete');
  return header;
}

function jsonOf(bytes: Uint8Array, syntax?: string): DicomJson {
  return toDicomJson(headerOf(bytes, syntax), (path) => path.join('/'));
}

/** What an object chooses by itself: US or SS, OB or OW. */
const CHOSEN = ['US', 'SS', 'OB', 'OW'];

/** Both data sets without private attributes, whose VR is lost, and those whose VR the object chooses otherwise. */
function comparable(one: DicomJson, other: DicomJson): [DicomJson, DicomJson] {
  const kept: [DicomJson, DicomJson] = [{}, {}];
  for (const tag of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const [first, second] = [one[tag], other[tag]];
    const isPrivate = Number.parseInt(tag.slice(0, 4), 16) % 2 === 1;
    const isChosen = first?.vr !== second?.vr && CHOSEN.includes(first?.vr ?? '') && CHOSEN.includes(second?.vr ?? '');
    if (isPrivate || isChosen) continue;
    const items = (first?.Value ?? []).map((item, at) => [item, second?.Value?.[at]] as const);
    const inner = items.map(([item, twin]) =>
      isItem(item, first) && isItem(twin, second) ? comparable(item, twin) : [item, twin],
    );
    const isLong = second?.Value?.length === inner.length;
    kept[0][tag] = { ...first, ...(first?.Value && { Value: inner.map(([item]) => item) }) } as JsonAttribute;
    kept[1][tag] = { ...second, ...(isLong && { Value: inner.map(([, item]) => item) }) } as JsonAttribute;
  }
  return kept;
}

function isItem(value: unknown, of: JsonAttribute | undefined): value is DicomJson {
  return of?.vr === 'SQ' && typeof value === 'object' && value !== null;
}

/** Data sets in explicit VR little endian: made ones of each modality, and the published ones that are whole. */
function dataSets(): (readonly [name: string, bytes: Uint8Array])[] {
  const made = (['CT', 'MR', 'CR', 'US'] as const).map((modality) => {
    const [first] = aStudy({ modality }).instances();
    return [modality, first?.bytes ?? new Uint8Array()] as const;
  });
  const published = sampleNames().map((name) => [name, sample(name)] as const);
  const files = published.filter(([name, bytes]) => !/^(?:broken|un)_/.test(name) && isFile(bytes));
  return [...made, ...files].flatMap(([name, bytes]) => {
    const { transferSyntaxUID, dataSetOffset } = parseFileMeta(bytes);
    const { explicitVR, littleEndian, deflated } = encodingOf(transferSyntaxUID);
    return explicitVR && littleEndian && !deflated ? [[name, bytes.subarray(dataSetOffset)] as const] : [];
  });
}

function isFile(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(128, 132)).toString('latin1') === 'DICM';
}

const STUDY_UID = '2.25.4711';
const text = (tag: string, vr: string, value: string): Buffer => element(tag, vr, value);
const implicit = (tag: string, value: string): Buffer => {
  const bytes = Buffer.from(value.length % 2 === 0 ? value : `${value} `);
  const head = Buffer.alloc(8);
  head.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0);
  head.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
};
const item = (...elements: readonly Buffer[]): Buffer => {
  const bytes = Buffer.concat(elements);
  return Buffer.concat([itemHeader(bytes.length), bytes]);
};

describe('Standard attributes under UN (PS3.5 6.2.2)', function () {
  this.timeout(60_000);

  for (const sequences of ['defined', 'undefined', 'kept'] as const) {
    it(`are read as under their own VR, in published and made objects, sequences ${sequences}`, () => {
      const all = dataSets();
      expect(all.length).to.be.greaterThan(3);
      for (const [name, bytes] of all) {
        const [expected, read] = comparable(jsonOf(bytes), jsonOf(asUnknownVR(bytes, sequences)));
        expect(read, name).to.deep.equal(expected);
      }
    });
  }

  it('are text, numbers, tags and UIDs to who asks for them, little endian in a big endian data set', () => {
    const under = (tag: string, value: Buffer): Buffer => {
      const head = Buffer.alloc(12);
      head.writeUInt16BE(Number.parseInt(tag.slice(0, 4), 16), 0);
      head.writeUInt16BE(Number.parseInt(tag.slice(4), 16), 2);
      head.write('UN', 4);
      head.writeUInt32BE(value.length, 8);
      return Buffer.concat([head, value]);
    };
    const lut = Buffer.from([1, 2, 3, 4]);
    const bytes = Buffer.concat([
      under('0020000D', Buffer.from(`${STUDY_UID} `)),
      under('00280009', Buffer.from('18006310', 'hex')),
      under('00280010', Buffer.from([0x10, 0x02])),
      under('00281201', lut),
      under('00400275', item(implicit('00400009', 'STEP'))),
    ]);
    const header = headerOf(bytes, explicitBigEndian);
    expect(uidOf(header, TAG.StudyInstanceUID)).to.equal(STUDY_UID);
    expect(intOf(header, TAG.Rows)).to.equal(0x0210);
    const requests = itemsOf(header, TAG.RequestAttributesSequence);
    expect(requests.map((one) => textOf(one, TAG.ScheduledProcedureStepID))).to.deep.equal(['STEP']);
    expect(jsonOf(bytes, explicitBigEndian)).to.deep.include({
      '00280009': { vr: 'AT', Value: ['00181063'] },
      '00280010': { vr: 'US', Value: [0x0210] },
      '00281201': { vr: 'OW', InlineBinary: lut.toString('base64') },
    });
  });

  it('are told apart from the same bytes in the other byte order when words are kept for the next instance', () => {
    const rows = (vr: string): Buffer => {
      const long = vr === 'UN' ? Buffer.from([0, 0, 0, 0, 0, 2]) : Buffer.from([0, 2]);
      return Buffer.concat([Buffer.from('00280010', 'hex'), Buffer.from(vr), long, Buffer.from([0x02, 0x10])]);
    };
    const known = new KnownAttributes();
    const write = (vr: string): string => writeDicomJson(headerOf(rows(vr), explicitBigEndian), () => undefined, known);
    const values = [0x0210, 0x1002, 0x0210];
    const expected = values.map((value) => `{"00280010":{"vr":"US","Value":[${value}]}}`);
    expect(['US', 'UN', 'US'].map(write)).to.deep.equal(expected);
  });

  it('have their own VR when they are empty', () => {
    const bytes = Buffer.concat(['00080060', '00081032', '00100010', '00280010'].map((tag) => text(tag, 'UN', '')));
    expect(Object.values(jsonOf(bytes))).to.deep.equal([{ vr: 'CS' }, { vr: 'SQ' }, { vr: 'PN' }, { vr: 'US' }]);
  });

  it('decide how others are read: character set and sign of pixels', () => {
    const bytes = Buffer.concat([
      text('00080005', 'UN', 'ISO_IR 100'),
      element('00100010', 'UN', Buffer.from('Lef\xe8vre^Zo\xe9 ', 'latin1')),
      element('00280103', 'UN', Buffer.from([1, 0])),
      element('00280106', 'UN', Buffer.from([0xff, 0xff])),
    ]);
    expect(jsonOf(bytes)).to.deep.include({
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Lefèvre^Zoé' }] },
      '00280106': { vr: 'SS', Value: [-1] },
    });
  });

  it('say what an object is where its file does not', () => {
    const sopClassUID = '1.2.840.10008.5.1.4.1.1.7';
    const bytes = Buffer.concat([
      text('00080016', 'UN', `${sopClassUID}\0`),
      text('00080018', 'UN', `${STUDY_UID}\0`),
      text('00100010', 'PN', ''),
    ]);
    expect(sopInstanceIn(bytes, explicitLittleEndian)).to.deep.equal({ sopClassUID, sopInstanceUID: STUDY_UID });
  });

  it('find pixels under UN, native ones and those of an icon that are encapsulated', () => {
    const end = Buffer.from('feffdde000000000', 'hex');
    const fragments = Buffer.concat([itemHeader(0), itemHeader(4), Buffer.from('ffd8ffd9', 'hex'), end]);
    const pixels = Buffer.concat([element('7FE00010', 'UN', '', 0xffff_ffff), fragments]);
    const icon = Buffer.concat([element('00280010', 'UN', Buffer.from([1, 0])), pixels]);
    const bytes = Buffer.concat([sequence('00880200', [icon]), element('7FE00010', 'UN', Buffer.alloc(64))]);
    const header = headerOf(bytes);
    expect(header.pixelDataOffset).to.equal(bytes.length - 64);
    const iconPixels = { vr: 'OW', BulkDataURI: '00880200/0/7FE00010' };
    expect(jsonOf(bytes)).to.deep.equal({
      '00880200': { vr: 'SQ', Value: [{ '00280010': { vr: 'US', Value: [1] }, '7FE00010': iconPixels }] },
      '7FE00010': { vr: 'OW', BulkDataURI: '7FE00010' },
    });
  });
});

describe('UN that no dictionary explains', () => {
  it('stays the bytes it is: private and unknown attributes; their creators are text', () => {
    const unknown = [text('00081234', 'UN', 'abcd'), text('00091001', 'UN', 'efgh')];
    const bytes = Buffer.concat([...unknown, text('00110010', 'UN', 'MAKER ')]);
    expect(jsonOf(bytes)).to.deep.equal({
      '00081234': { vr: 'UN', InlineBinary: Buffer.from('abcd').toString('base64') },
      '00091001': { vr: 'UN', InlineBinary: Buffer.from('efgh').toString('base64') },
      '00110010': { vr: 'LO', Value: ['MAKER'] },
    });
    expect(textsOf(headerOf(bytes), 0x00_09_10_01)).to.deep.equal([]);
  });

  const behind = text('00100010', 'PN', 'Behind');
  const malformed: Readonly<Record<string, Buffer>> = {
    'no item': Buffer.from('any bytes.'),
    'items in explicit VR': item(text('00080100', 'SH', 'T-D1100'), text('00080102', 'SH', 'SRT')),
    'a length that leads out of it': Buffer.concat([itemHeader(400), Buffer.alloc(8)]),
    'an element longer than its item': item(implicit('00080100', 'T-D1100').subarray(0, 12)),
  };
  for (const [name, value] of Object.entries(malformed)) {
    it(`stays bytes where the dictionary says sequence and the value is none: ${name}`, () => {
      const whole = Buffer.concat([element('00082218', 'UN', value), behind]);
      const inItem = Buffer.concat([sequence('00081032', [element('00082218', 'UN', value)]), behind]);
      const last = element('00082218', 'UN', value);
      const bytesOnly = { vr: 'UN', InlineBinary: value.toString('base64') };
      const name = { vr: 'PN', Value: [{ Alphabetic: 'Behind' }] };
      expect(jsonOf(whole)).to.deep.equal({ '00082218': bytesOnly, '00100010': name });
      const procedures = { vr: 'SQ', Value: [{ '00082218': bytesOnly }] };
      expect(jsonOf(inItem)).to.deep.equal({ '00081032': procedures, '00100010': name });
      expect(jsonOf(last)).to.deep.equal({ '00082218': bytesOnly });
    });
  }

  it('is read whole or asked for again, wherever the prefix is cut', () => {
    const pixels = element('7FE00010', 'OW', Buffer.alloc(8));
    const region = element('00082218', 'UN', item(implicit('00080100', 'T-D1100')));
    const whole = Buffer.concat([region, element('00081032', 'UN', 'no item.'), pixels]);
    for (let cut = 0; cut < whole.length - 8; cut++) {
      expect(scanHeader(whole.subarray(0, cut), explicitLittleEndian), `cut ${cut}`).to.equal('incomplete');
    }
    expect(jsonOf(whole)).to.have.keys('00081032', '00082218', '7FE00010');
  });

  it('is bulk where the sequence is cut by the limit of the header, and is no deeper than sequences are', () => {
    const region = element('00082218', 'UN', item(implicit('00080104', 'x'.repeat(9_000))));
    const long = Buffer.concat([text('00080060', 'CS', 'CT'), region]);
    const cut = headerOf(long, explicitLittleEndian, { maxBytes: 1_000 });
    expect(cut.elements.get(TAG.AnatomicRegionSequence)).to.include({ vr: 'UN', value: undefined, items: undefined });
    const open = Buffer.from('08001822ffffffff', 'hex');
    const wrap = (inner: Buffer): Buffer => Buffer.concat([open, itemHeader(), inner]);
    const deep = Array.from({ length: 70 }).reduce<Buffer>(wrap, Buffer.alloc(0));
    expect(jsonOf(Buffer.concat([element('00082218', 'UN', deep), behind]))['00082218']?.vr).to.equal('UN');
  });
});

describe('Standard attributes under the VR of another text', () => {
  it('are read as what they are: UIDs, names, dates and numbers under LO, a name under SH, a code under PN', () => {
    const bytes = Buffer.concat([
      text('00080018', 'LO', STUDY_UID),
      text('00080020', 'LO', '20260115'),
      text('00080060', 'PN', 'CT'),
      text('00100010', 'LO', 'Durand^Lise'),
      text('00100020', 'PN', 'P^1'),
      text('00101001', 'SH', 'Martin^Lise'),
      text('00200013', 'LO', '7'),
      text('00280030', 'SH', '0.5\\0.5'),
    ]);
    expect(jsonOf(bytes)).to.deep.equal({
      '00080018': { vr: 'UI', Value: [STUDY_UID] },
      '00080020': { vr: 'DA', Value: ['20260115'] },
      '00080060': { vr: 'CS', Value: ['CT'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Durand^Lise' }] },
      '00100020': { vr: 'LO', Value: ['P^1'] },
      '00101001': { vr: 'PN', Value: [{ Alphabetic: 'Martin^Lise' }] },
      '00200013': { vr: 'IS', Value: [7] },
      '00280030': { vr: 'DS', Value: [0.5, 0.5] },
    });
    expect(intOf(headerOf(bytes), TAG.InstanceNumber)).to.equal(7);
  });

  it('are left as they are where they are read the same, or their bytes would be others', () => {
    const bytes = Buffer.concat([
      text('00080050', 'LO', 'A-1'),
      element('00080060', 'US', Buffer.from([1, 0])),
      element('00081032', 'LO', 'no sequence'),
      element('00100010', 'OB', Buffer.from('Durand')),
      sequence('00100020', [text('00080100', 'SH', 'x')]),
      text('00280010', 'IS', '512'),
    ]);
    expect(Object.values(jsonOf(bytes)).map(({ vr }) => vr)).to.deep.equal(['LO', 'US', 'LO', 'OB', 'SQ', 'IS']);
    expect(intOf(headerOf(bytes), TAG.Rows)).to.equal(512);
  });

  it('have no text to who asks for it where they hold numbers or bytes, as in words', () => {
    const uid = element('00080018', 'OB', Buffer.from(`${STUDY_UID}\0`));
    const header = headerOf(Buffer.concat([uid, element('00080060', 'US', Buffer.from('CT'))]));
    expect([uidOf(header, TAG.SOPInstanceUID), textOf(header, TAG.Modality)]).to.deep.equal([undefined, undefined]);
  });
});
