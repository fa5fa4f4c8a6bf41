import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { DICOM_UID } from '../../../profiles/codes.ts';
import { TAG, intOf, itemsOf, textOf, uidOf } from '../../../profiles/dicom/attributes.ts';
import { scanHeader } from '../../../profiles/dicom/dataset.ts';
import type { ScanOptions } from '../../../profiles/dicom/dataset.ts';
import type { DicomHeader } from '../../../profiles/dicom/data-element.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { Fault } from '../../../profiles/fault.ts';
import { sample, sampleNames } from './samples.ts';

const { explicitLittleEndian, implicitLittleEndian, explicitBigEndian, deflatedExplicitLittleEndian } = DICOM_UID;

/** A short explicit VR little endian element. */
function element(tag: number, vr: string, value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value.length % 2 ? `${value} ` : value, 'latin1') : value;
  const isLong = ['OB', 'OW', 'SQ', 'UN', 'UT', 'ZZ'].includes(vr);
  const header = Buffer.alloc(isLong ? 12 : 8);
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xffff, 2);
  header.write(vr, 4, 'latin1');
  if (isLong) header.writeUInt32LE(bytes.length, 8);
  else header.writeUInt16LE(bytes.length, 6);
  return Buffer.concat([header, bytes]);
}

function raw(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

function header(bytes: Uint8Array, transferSyntaxUID: string, options?: ScanOptions): DicomHeader {
  const result = scanHeader(bytes, transferSyntaxUID, options);
  if (result === 'incomplete') throw new Error('incomplete');
  return result;
}

function faultOf(run: () => unknown): Fault {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('No Fault was thrown');
}

const MODALITY = element(TAG.Modality, 'CS', 'CT');
const PIXELS = element(TAG.PixelData, 'OW', Buffer.alloc(64, 7));
const OPEN_SEQUENCE = raw('08001111 5351 0000 ffffffff');
const OPEN_ITEM = raw('feff00e0 ffffffff');

describe('DICOM data set header (PS3.5 7)', () => {
  it('stops at the pixel data and says where its value begins', () => {
    const scanned = header(Buffer.concat([MODALITY, PIXELS]), explicitLittleEndian);
    expect(textOf(scanned, TAG.Modality)).to.equal('CT');
    expect(scanned.pixelDataOffset).to.equal(MODALITY.length + 12);
    expect(scanned.elements.get(TAG.PixelData)).to.include({ vr: 'OW', length: 64, value: undefined });
  });

  it('is incomplete until the pixel data or the end, wherever the prefix is cut', () => {
    const whole = Buffer.concat([MODALITY, element(TAG.Rows, 'US', raw('0002')), PIXELS]);
    const pixelHeaderEnd = whole.length - 64;
    for (let cut = 0; cut < pixelHeaderEnd; cut++) {
      expect(scanHeader(whole.subarray(0, cut), explicitLittleEndian), `cut ${cut}`).to.equal('incomplete');
    }
    expect(scanHeader(whole.subarray(0, pixelHeaderEnd), explicitLittleEndian)).to.not.equal('incomplete');
  });

  it('reads a data set without pixels when told that it is whole, and refuses it when cut', () => {
    expect(header(MODALITY, explicitLittleEndian, { isWhole: true }).pixelDataOffset).to.equal(undefined);
    const cut = MODALITY.subarray(0, MODALITY.length - 1);
    expect(faultOf(() => scanHeader(cut, explicitLittleEndian, { isWhole: true })).kind).to.equal('invalid');
  });

  it('keeps binary values up to 4 KiB and only the length of longer ones', () => {
    const short = element(TAG.EncapsulatedDocument, 'OB', Buffer.alloc(4096, 1));
    const long = element(TAG.EncapsulatedDocument, 'OB', Buffer.alloc(4098, 1));
    const options = { isWhole: true };
    expect(header(short, explicitLittleEndian, options).elements.get(TAG.EncapsulatedDocument)?.value?.length).to.equal(
      4096,
    );
    const bulk = header(long, explicitLittleEndian, options).elements.get(TAG.EncapsulatedDocument);
    expect(bulk).to.include({ length: 4098, value: undefined });
  });

  it('keeps texts up to 256 KiB and only the length of longer ones', () => {
    const [kept, long] = [
      element(0x00_21_10_01, 'UT', 'a'.repeat(256 * 1024)),
      element(0x00_21_10_02, 'UT', 'b'.repeat(256 * 1024 + 2)),
    ];
    const scanned = header(Buffer.concat([kept, long, PIXELS]), explicitLittleEndian);
    expect(scanned.elements.get(0x00_21_10_01)?.value).to.have.length(256 * 1024);
    expect(scanned.elements.get(0x00_21_10_02)).to.include({ value: undefined, length: 256 * 1024 + 2 });
    expect(scanned.pixelDataOffset).to.equal(kept.length + long.length + 12);
  });

  it('refuses nesting 10 000 deep', () => {
    const nested = Buffer.concat(Array.from({ length: 10_000 }, () => [OPEN_SEQUENCE, OPEN_ITEM]).flat());
    expect(faultOf(() => scanHeader(nested, explicitLittleEndian)).message).to.match(/nest deeper than 64/);
  });

  it('refuses more than 50 000 elements', () => {
    const many = Buffer.concat(Array.from({ length: 50_001 }, () => MODALITY));
    expect(faultOf(() => scanHeader(many, explicitLittleEndian)).kind).to.equal('too-costly');
  });

  it('refuses more than 10 000 elements side by side', () => {
    const many = (count: number): Buffer =>
      Buffer.concat(Array.from({ length: count }, (_, at) => element((0x0021_1000 + at) >>> 0, 'LO', Buffer.alloc(0))));
    expect(faultOf(() => scanHeader(many(10_001), explicitLittleEndian, { isWhole: true })).kind).to.equal(
      'too-costly',
    );
    expect(scanHeader(many(10_000), explicitLittleEndian, { isWhole: true })).to.not.equal('incomplete');
  });

  it('refuses a header longer than the limit of bytes, but ends it in a bulk value that passes the limit', () => {
    const text = element(0x00420010, 'UT', Buffer.alloc(3000, 0x20));
    expect(faultOf(() => scanHeader(text, explicitLittleEndian, { maxBytes: 1000 })).kind).to.equal('too-costly');
    const bulk = Buffer.concat([MODALITY, element(TAG.EncapsulatedDocument, 'OB', Buffer.alloc(9000))]);
    const scanned = header(bulk, explicitLittleEndian, { maxBytes: 1000 });
    expect([...scanned.elements.keys()]).to.deep.equal([TAG.Modality, TAG.EncapsulatedDocument]);
  });

  it('refuses zero bytes, file meta elements, odd lengths, VRs that are none, and lengths beyond their item', () => {
    const bad = {
      zeros: Buffer.alloc(200),
      meta: element(0x00020010, 'UI', '1.2'),
      odd: raw('08006000 4353 0300 435430'),
      vr: raw('08006000 0101 0200 4354'),
      item: raw('08001111 5351 0000 10000000 feff00e0 08000000 08006000 4353 4000'),
      notAnItem: Buffer.concat([OPEN_SEQUENCE, MODALITY]),
      openText: raw('08006000 5554 0000 ffffffff'),
    };
    for (const [name, bytes] of Object.entries(bad)) {
      expect(faultOf(() => scanHeader(bytes, explicitLittleEndian, { isWhole: true })).kind, name).to.equal('invalid');
    }
  });

  it('reads a VR of a later edition as UN with a long length', () => {
    expect(
      header(element(0x00081234, 'ZZ', 'abcd'), explicitLittleEndian, { isWhole: true }).elements.get(0x00081234)?.vr,
    ).to.equal('UN');
  });

  it('reads UN of undefined length as a sequence in implicit VR little endian (6.2.2)', () => {
    const bytes = Buffer.concat([
      raw('08001111 554e 0000 ffffffff feff00e0 ffffffff'),
      raw('08006000 02000000 4354'),
      raw('feff0de0 00000000 feffdde0 00000000'),
      MODALITY,
    ]);
    const scanned = header(bytes, explicitLittleEndian, { isWhole: true });
    expect(itemsOf(scanned, 0x00081111).map((item) => textOf(item, TAG.Modality))).to.deep.equal(['CT']);
    expect(textOf(scanned, TAG.Modality)).to.equal('CT');
  });

  it('reads a header out of a deflated data set without inflating its pixels, and bounds a bomb', () => {
    const pixels = element(TAG.PixelData, 'OW', Buffer.alloc(40 * 1024 * 1024));
    const image = deflateRawSync(Buffer.concat([MODALITY, pixels]));
    expect(textOf(header(image, deflatedExplicitLittleEndian), TAG.Modality)).to.equal('CT');
    const bomb = deflateRawSync(element(TAG.DocumentTitle, 'UT', Buffer.alloc(40 * 1024 * 1024, 0x20)));
    expect(faultOf(() => scanHeader(bomb, deflatedExplicitLittleEndian)).kind).to.equal('too-costly');
    expect(faultOf(() => scanHeader(Buffer.alloc(40, 0xff), deflatedExplicitLittleEndian)).kind).to.equal('invalid');
  });
});

describe('DICOM data set header of sample files', () => {
  const names = sampleNames();
  before(function skipWithoutSamples() {
    if (names.length === 0) this.skip();
  });

  it('reads the same CT in implicit, explicit, big endian and deflated form', () => {
    const forms = {
      ct_implicit_le: implicitLittleEndian,
      ct_explicit_le: explicitLittleEndian,
      ct_explicit_be: explicitBigEndian,
    };
    for (const [name, transferSyntaxUID] of Object.entries(forms)) {
      const bytes = sample(`${name}.dcm`);
      const meta = parseFileMeta(bytes);
      expect(meta.transferSyntaxUID).to.equal(transferSyntaxUID);
      const scanned = header(bytes.subarray(meta.dataSetOffset, meta.dataSetOffset + 32_768), meta.transferSyntaxUID);
      expect(
        [textOf(scanned, TAG.Modality), intOf(scanned, TAG.Rows), intOf(scanned, TAG.InstanceNumber)],
        name,
      ).to.deep.equal(['CT', 512, intOf(scanned, TAG.InstanceNumber)]);
      expect(uidOf(scanned, TAG.SOPInstanceUID)).to.equal(meta.sopInstanceUID);
    }
    const deflated = sample('ct_deflated.dcm');
    const meta = parseFileMeta(deflated);
    expect(intOf(header(deflated.subarray(meta.dataSetOffset), meta.transferSyntaxUID), TAG.Columns)).to.equal(512);
  });

  it('reads every file that has a file meta information with a transfer syntax', () => {
    const unreadable = names.filter((name) => {
      const bytes = sample(name);
      try {
        const meta = parseFileMeta(bytes);
        header(bytes.subarray(meta.dataSetOffset), meta.transferSyntaxUID, { isWhole: true });
        return false;
      } catch (error) {
        if (error instanceof Fault) return true;
        throw error;
      }
    });
    expect(unreadable).to.deep.equal(['broken_missing_transfer_syntax.dcm', 'rtstruct.dcm']);
  });

  it('never throws anything but a Fault on cut or altered files', () => {
    const small = names.filter((name) => sample(name).length < 20_000);
    const property = fc.property(
      fc.constantFrom(...small),
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }),
      fc.boolean(),
      (name, cut, flips, isWhole) => {
        const bytes = Buffer.from(sample(name));
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        const prefix = bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length);
        try {
          const meta = parseFileMeta(prefix);
          scanHeader(prefix.subarray(meta.dataSetOffset), meta.transferSyntaxUID, { isWhole });
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
        }
      },
    );
    fc.assert(property, { numRuns: 600 });
  });
});
