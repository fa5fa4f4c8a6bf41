import { expect } from 'chai';
import { aStudy } from '../../../../fixtures/dicom/a-study.ts';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { HeaderReader } from '../../../../server/flows/intake/header-reader.ts';
import { element, hostileDataSet } from '../../../hostile/dicom/raw-data-set.ts';
import { dataSetOf } from '../../../hostile/kill/store-sender.ts';
import { faultOf } from '../../../support/thrown-fault.ts';

const { explicitLittleEndian } = DICOM_UID;
const MIB = 1024 * 1024;
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
const FRAGMENTS = Buffer.concat([
  Buffer.from('feff00e000000000feff00e000000100', 'hex'),
  Buffer.alloc(65_536),
  Buffer.from('feffdde000000000', 'hex'),
]);

/** Reads a data set as it comes in chunks. */
function read(dataSet: Uint8Array, transferSyntaxUID: string, chunkBytes: number): ReturnType<HeaderReader['end']> {
  const reader = new HeaderReader(transferSyntaxUID);
  for (let at = 0; at < dataSet.length; at += chunkBytes) reader.take(dataSet.subarray(at, at + chunkBytes));
  return reader.end();
}

describe('The header of a data set whose bytes pass by', () => {
  const encapsulated = hostileDataSet('fragments', {
    '7FE00010': Buffer.concat([element('7FE00010', 'OB', '', 0xffff_ffff), FRAGMENTS]),
  });
  const bulk = hostileDataSet('bulk', { '00420011': element('00420011', 'OB', Buffer.alloc(20 * MIB)) });
  const [instance] = aStudy({ key: 'header/native' }).instances();
  const native = dataSetOf(instance?.bytes ?? Buffer.alloc(0));

  it('is read when the bulk data behind it is whole', () => {
    for (const chunkBytes of [7_001, 100_000]) {
      expect(read(native, explicitLittleEndian, chunkBytes).pixelDataOffset).to.be.greaterThan(0);
      expect(read(encapsulated, JPEG_BASELINE, chunkBytes).pixelDataOffset).to.be.greaterThan(0);
    }
    expect(read(bulk, explicitLittleEndian, MIB).elements.size).to.be.greaterThan(10);
  });

  it('is refused when native pixels, a fragment, the delimiter or a document of many megabytes is cut', () => {
    const cuts: [Uint8Array, string, number][] = [
      [native, explicitLittleEndian, 1],
      [encapsulated, JPEG_BASELINE, 1],
      [encapsulated, JPEG_BASELINE, 8],
      [encapsulated, JPEG_BASELINE, 1_000],
      [encapsulated, JPEG_BASELINE, 65_552],
      [bulk, explicitLittleEndian, 3 * MIB],
    ];
    for (const [whole, transferSyntaxUID, missing] of cuts) {
      for (const chunkBytes of [7_001, 100_000]) {
        expect(
          faultOf(() => read(whole.subarray(0, whole.length - missing), transferSyntaxUID, chunkBytes)).kind,
          `${missing} bytes`,
        ).to.equal('invalid');
      }
    }
  });
});
