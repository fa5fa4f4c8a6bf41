import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { DICOM_UID } from '../../../profiles/codes.ts';
import type { DicomHeader } from '../../../profiles/dicom/data-element.ts';
import { scanHeader } from '../../../profiles/dicom/dataset.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { toDicomJson, writeDicomJson } from '../../../profiles/dicom/json/json.ts';
import type { BulkDataURI, DicomJson, JsonAttribute } from '../../../profiles/dicom/json/json.ts';
import { KnownAttributes, KnownSeries } from '../../../profiles/dicom/json/known-attributes.ts';
import { Fault } from '../../../profiles/fault.ts';
import { hasProgram, sample, sampleNames, samplePath } from './samples.ts';
import { processorMsDuring } from '../../support/run/cpu-time.ts';

function headerOf(bytes: Uint8Array, transferSyntaxUID: string): DicomHeader {
  const header = scanHeader(bytes, transferSyntaxUID, { isWhole: true });
  if (header === 'incomplete') throw new Error('incomplete');
  return header;
}

function jsonOf(bytes: Uint8Array, transferSyntaxUID: string, bulkDataURI?: BulkDataURI): DicomJson {
  return toDicomJson(headerOf(bytes, transferSyntaxUID), bulkDataURI);
}

/** The text of a header as JSON, beside what is known of the instance before. */
function writtenOf(bytes: Uint8Array, transferSyntaxUID: string, known: KnownAttributes): unknown {
  return JSON.parse(writeDicomJson(headerOf(bytes, transferSyntaxUID), () => 'bulk', known));
}

/** Explicit little endian short elements from `tag VR value`, little endian hexadecimal tag. */
function dataSet(...elements: [tag: string, vr: string, value: Buffer][]): Buffer {
  return Buffer.concat(
    elements.map(([tag, vr, value]) => {
      const length = Buffer.alloc(2);
      length.writeUInt16LE(value.length);
      const swapped = Buffer.from(tag, 'hex').swap16();
      return Buffer.concat([swapped, Buffer.from(vr), length, value]);
    }),
  );
}

/** Text padded to an even length. */
const text = (value: string): Buffer => Buffer.from(value.length % 2 === 0 ? value : `${value} `, 'latin1');

describe('DICOM JSON model (PS3.18 F.2)', () => {
  it('writes names by group, numbers, tags, nulls and empty attributes', () => {
    const bytes = dataSet(
      ['00080000', 'UL', Buffer.from([1, 0, 0, 0])],
      ['00080005', 'CS', text('ISO_IR 100')],
      ['00080008', 'CS', text('ORIGINAL\\\\AXIAL ')],
      ['00100010', 'PN', text('Lef\xe8vre^Zo\xe9^==x ')],
      ['00100030', 'DA', text('')],
      ['00200013', 'IS', text(' 7\\x ')],
      ['00280009', 'AT', Buffer.from('18006310', 'hex')],
      ['00280030', 'DS', text('0.50\\1e-1')],
    );
    expect(jsonOf(bytes, DICOM_UID.explicitLittleEndian)).to.deep.equal({
      '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
      '00080008': { vr: 'CS', Value: ['ORIGINAL', null, 'AXIAL'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Lefèvre^Zoé', Phonetic: 'x' }] },
      '00100030': { vr: 'DA' },
      '00200013': { vr: 'IS', Value: [7, 'x'] },
      '00280009': { vr: 'AT', Value: ['00181063'] },
      '00280030': { vr: 'DS', Value: [0.5, 0.1] },
    });
  });

  it('asks for the address of bulk data by its path, and turns big endian words round', () => {
    const pixels = Buffer.from('7fe00010 4f57 0000 00000002 0102'.replaceAll(' ', ''), 'hex');
    const lut = Buffer.from('00281201 4f57 0000 00000004 01020304'.replaceAll(' ', ''), 'hex');
    const json = jsonOf(Buffer.concat([lut, pixels]), DICOM_UID.explicitBigEndian, (path) => `bulk/${path.join('/')}`);
    expect(json).to.deep.equal({
      '00281201': { vr: 'OW', InlineBinary: Buffer.from([2, 1, 4, 3]).toString('base64') },
      '7FE00010': { vr: 'OW', BulkDataURI: 'bulk/7FE00010' },
    });
  });
});

describe('DICOM JSON as text (PS3.18 F.2)', () => {
  const slice = (kernel: string, number: string, vr = 'SH', characterSet = 'ISO_IR 100'): Buffer =>
    dataSet(
      ['00080005', 'CS', text(characterSet)],
      ['00181210', vr, text(kernel)],
      ['00200013', 'IS', text(number)],
      ['00100010', 'PN', text('Zo\xe9')],
    );

  it('is that of the object, attributes in ascending order, and so for every sample', function () {
    const names = sampleNames();
    if (names.length === 0) return this.skip();
    const known = new KnownSeries();
    for (const name of names.filter((one) => !one.startsWith('broken_') && one !== 'rtstruct.dcm')) {
      const { dataSetOffset, transferSyntaxUID } = parseFileMeta(sample(name));
      const header = headerOf(sample(name).subarray(dataSetOffset), transferSyntaxUID);
      const written = writeDicomJson(header, () => 'bulk', known.of('1.2'));
      expect(JSON.parse(written), name).to.deep.equal(JSON.parse(JSON.stringify(toDicomJson(header, () => 'bulk'))));
    }
    return undefined;
  });

  it('tells what a slice says, not the slice before: other value, VR, character set, length of text', () => {
    const known = new KnownAttributes();
    const sent: readonly [Buffer, string][] = [
      [slice('B30', '1'), DICOM_UID.explicitLittleEndian],
      [slice('B31', '2'), DICOM_UID.explicitLittleEndian],
      [slice('B31', '2'), DICOM_UID.explicitLittleEndian],
      [slice('B3', '22'), DICOM_UID.explicitLittleEndian],
      [slice('B3', '22', 'UI'), DICOM_UID.explicitLittleEndian],
      [slice('B3', '22', 'SH', 'ISO_IR 144'), DICOM_UID.explicitLittleEndian],
    ];
    for (const [bytes, syntax] of sent) expect(writtenOf(bytes, syntax, known)).to.deep.equal(jsonOf(bytes, syntax));
  });

  it('does not confuse byte orders', () => {
    const known = new KnownAttributes();
    const little = Buffer.from('28001000 5553 0200 0102'.replaceAll(' ', ''), 'hex');
    const big = Buffer.from('00280010 5553 0002 0102'.replaceAll(' ', ''), 'hex');
    expect(writtenOf(little, DICOM_UID.explicitLittleEndian, known)).to.deep.equal({
      '00280010': { vr: 'US', Value: [0x02_01] },
    });
    expect(writtenOf(big, DICOM_UID.explicitBigEndian, known)).to.deep.equal({
      '00280010': { vr: 'US', Value: [0x01_02] },
    });
  });

  it('knows sixteen series, the latest of them', () => {
    const known = new KnownSeries();
    const first = known.of('1');
    for (let number = 2; number <= 16; number++) known.of(String(number));
    expect(known.of('1')).to.equal(first);
    known.of('17');
    expect(known.of('1')).to.equal(first);
    const second = known.of('2');
    for (let number = 18; number <= 40; number++) known.of(String(number));
    expect(known.of('2')).not.to.equal(second);
  });
});

describe('What the JSON of a header may cost', () => {
  /** `count` elements side by side that hold the same bytes. */
  const filled = (count: number, vr: string, unit: string, bytes = 65_000): Buffer =>
    dataSet(
      ...Array.from({ length: count }, (_, at): [string, string, Buffer] => [
        `0021${(0x1000 + at).toString(16)}`,
        vr,
        Buffer.alloc(bytes, unit, 'latin1'),
      ]),
    );
  const costOf = (bytes: Buffer): string => {
    try {
      return typeof jsonOf(bytes, DICOM_UID.explicitLittleEndian);
    } catch (error) {
      return error instanceof Fault ? error.kind : String(error);
    }
  };

  it('is bounded by values of each kind, and by escapes', () => {
    const costly: readonly [string, string][] = [
      ['PN', 'A\\'],
      ['LO', 'A\\'],
      ['UI', '1\\'],
      ['DS', '1\\'],
      ['IS', '1\\'],
      ['AT', '\x01'],
      ['LT', '\x1b-A'],
      ['ST', '\xff'],
    ];
    for (const [vr, unit] of costly) expect(costOf(filled(240, vr, unit)), vr).to.equal('too-costly');
    const affordable: readonly [string, string][] = [
      ['LO', 'abcdefghijklmno\\'],
      ['DS', '-12.5\\'],
      ['LT', '\\'],
      ['ST', 'été '],
      ['FD', '\x3d'],
    ];
    for (const [vr, unit] of affordable) expect(costOf(filled(60, vr, unit)), vr).to.equal('object');
  });

  it('grows by the length of names and decimals that are none, not by its square', async () => {
    const bytes = dataSet(
      ['00101001', 'PN', text(`${'^'.repeat(65_000)}x`)],
      ['00280030', 'DS', text(`${'1'.repeat(65_000)}x`)],
    );
    let json: DicomJson = {};
    const processorMs = await processorMsDuring(() => {
      json = jsonOf(bytes, DICOM_UID.explicitLittleEndian);
    });
    expect(processorMs).to.be.lessThan(200);
    expect(json['00101001']?.Value?.[0]).to.deep.equal({ Alphabetic: `${'^'.repeat(65_000)}x` });
    expect(json['00280030']?.Value?.[0]).to.equal(`${'1'.repeat(65_000)}x`);
  });
});

describe('DICOM JSON model compared with dcm2json of DCMTK', () => {
  const names = sampleNames();
  before(function skipWithoutPeer() {
    if (names.length === 0 || !hasProgram('dcm2json')) this.skip();
  });

  it('is the same for every native sample file but for bulk values', function compare() {
    this.timeout(60_000);
    const compared = names.filter((name) => {
      const bytes = sample(name);
      if (name.startsWith('broken_') || name === 'rtstruct.dcm') return false;
      const meta = parseFileMeta(bytes);
      if (meta.transferSyntaxUID === DICOM_UID.implicitLittleEndian && name.startsWith('ct_')) return false;
      const run = spawnSync('dcm2json', [samplePath(name)], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
      if (run.status !== 0) return false;
      const ours = jsonOf(bytes.subarray(meta.dataSetOffset), meta.transferSyntaxUID);
      expectSame(ours, JSON.parse(run.stdout) as DicomJson, name);
      return true;
    });
    expect(compared.length).to.be.greaterThan(30);
  });
});

function expectSame(ours: DicomJson, theirs: DicomJson, where: string): void {
  for (const [tag, attribute] of Object.entries(ours)) {
    const other = theirs[tag];
    const place = `${where} ${tag}`;
    expect(other?.vr, place).to.equal(attribute.vr);
    if (other === undefined) continue;
    if (attribute.vr === 'SQ') expectSameItems(attribute, other, place);
    else if (attribute.vr === 'FL')
      expect(attribute.Value?.map(rounded), place).to.deep.equal(other.Value?.map(rounded));
    else if (!isDroppedBulk(attribute, other)) expect(attribute, place).to.deep.equal(other);
  }
  const behindPixels = (tag: string): boolean => tag > '7FE00010';
  expect(
    Object.keys(theirs).filter((tag) => !behindPixels(tag)),
    where,
  ).to.have.members(Object.keys(ours).filter((tag) => !behindPixels(tag)));
}

function expectSameItems(ours: JsonAttribute, theirs: JsonAttribute, where: string): void {
  expect(ours.Value?.length, where).to.equal(theirs.Value?.length);
  for (const [index, item] of (ours.Value ?? []).entries())
    expectSame(item as DicomJson, theirs.Value?.[index] as DicomJson, `${where}/${index}`);
}

/** DCMTK prints single precision with nine digits. */
function rounded(value: unknown): string {
  return Number(value).toPrecision(6);
}

function isDroppedBulk(ours: JsonAttribute, theirs: JsonAttribute): boolean {
  return ours.Value === undefined && ours.InlineBinary === undefined && theirs.InlineBinary !== undefined;
}
