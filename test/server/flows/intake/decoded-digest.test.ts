/** What an instance says, whichever way it is encoded. @see DICOM PS3.5 7.2, 7.3, 7.5, PS3.10 7.2 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { encodeDataset, type Dataset } from '../../../../fixtures/dicom/part10.ts';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { decodedDigest } from '../../../../server/flows/intake/decoded-digest.ts';
import type { ImageStore } from '../../../../server/ports/image-store.ts';
import { openFileImages } from '../../../../server/stores/files/image-store.ts';
import { ENCODINGS, encodedAs } from '../../../support/dicom/other-encoding.ts';

const PIXELS = Buffer.from(Array.from({ length: 20_000 }, (_, at) => at % 251));

const SAID: Dataset = {
  SpecificCharacterSet: 'ISO_IR 192',
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
  SOPInstanceUID: '2.25.1',
  StudyDescription: 'Thorax',
  PatientID: 'P-1',
  '00101002:SQ': [{ PatientID: 'Q-1' }, { PatientID: 'Q-22' }],
  '00091001:SQ': [{ '00091002:LO': 'private', '00091003:US': [7] }],
  '00091004:SQ': [],
  Rows: 100,
  Columns: 100,
  PixelRepresentation: 1,
  PixelData: PIXELS,
};

const { PixelData: _pixels, ...withoutPixels } = SAID;

describe('decodedDigest: two instances are the same when their data sets are', () => {
  let folder: string;
  let images: ImageStore;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-digest-'));
    images = await openFileImages({ dataDir: folder });
  });
  after(async () => {
    await images.close();
    await rm(folder, { recursive: true, force: true });
  });

  const digestOf = async (bytes: Uint8Array, transferSyntaxUID: string): Promise<string> => {
    const writer = await images.create();
    await writer.write(Buffer.alloc(140));
    await writer.write(bytes);
    const blob = await writer.finish();
    return await decodedDigest(images, { blob, dataSetOffset: 140, transferSyntaxUID });
  };
  const plain = async (dataset: Dataset): Promise<string> =>
    await digestOf(encodeDataset(dataset, 'ISO_IR 192'), DICOM_UID.explicitLittleEndian);

  for (const [name, [transferSyntaxUID, encoding]] of Object.entries(ENCODINGS)) {
    it(`is the same of: ${name}`, async () => {
      const bytes = encodedAs(encodeDataset(SAID, 'ISO_IR 192'), encoding);
      expect(await digestOf(bytes, transferSyntaxUID)).to.equal(await plain(SAID));
    });
  }

  const others: Readonly<Record<string, Dataset>> = {
    'a text': { StudyDescription: 'Thorax2' },
    'a text that begins with a space': { StudyDescription: ' Thorax' },
    'an item more': { '00101002:SQ': [{ PatientID: 'Q-1' }, { PatientID: 'Q-22' }, {}] },
    'an item less': { '00101002:SQ': [{ PatientID: 'Q-1' }] },
    'a value inside an item': { '00101002:SQ': [{ PatientID: 'Q-1' }, { PatientID: 'Q-23' }] },
    'a private number': { '00091001:SQ': [{ '00091002:LO': 'private', '00091003:US': [8] }] },
    'a number': { Rows: 101 },
    'an attribute more': { Modality: 'CT' },
    'one byte of the pixels': { PixelData: Buffer.concat([PIXELS.subarray(0, -1), Buffer.from([9])]) },
  };
  for (const [name, changed] of Object.entries(others)) {
    it(`is another with ${name}, in each encoding`, async () => {
      for (const [transferSyntaxUID, encoding] of Object.values(ENCODINGS)) {
        const bytes = encodedAs(encodeDataset({ ...SAID, ...changed }, 'ISO_IR 192'), encoding);
        expect(await digestOf(bytes, transferSyntaxUID)).not.to.equal(await plain(SAID));
      }
    });
  }

  it('is another with attributes behind the pixels', async () => {
    const bytes = encodeDataset(SAID, 'ISO_IR 192');
    const behind = Buffer.from([0xfc, 0xff, 0x01, 0x00, 0x4c, 0x4f, 2, 0, 0x41, 0x42]);
    expect(await digestOf(Buffer.concat([bytes, behind]), DICOM_UID.explicitLittleEndian)).not.to.equal(
      await plain(SAID),
    );
  });

  it('does not count the space or NUL that pads a text, nor what an offset table says', async () => {
    const padded = { ...SAID, StudyDescription: 'Thorax  ', SOPInstanceUID: '2.25.1\0\0' };
    expect(await plain(padded)).to.equal(await plain(SAID));
    const item = (bytes: Buffer): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return Buffer.concat([Buffer.from([0xfe, 0xff, 0x00, 0xe0]), length, bytes]);
    };
    const encapsulated = (table: Buffer, fragment: Buffer): Buffer =>
      Buffer.concat([
        encodeDataset(withoutPixels, 'ISO_IR 192'),
        Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]),
        item(table),
        item(fragment),
        Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]),
      ]);
    const rle = async (table: Buffer, fragment: Buffer): Promise<string> =>
      await digestOf(encapsulated(table, fragment), '1.2.840.10008.1.2.5');
    const one = await rle(Buffer.alloc(0), Buffer.from('abcd'));
    expect(await rle(Buffer.alloc(4), Buffer.from('abcd'))).to.equal(one);
    expect(await rle(Buffer.alloc(0), Buffer.from('abce'))).not.to.equal(one);
  });

  it('is refused where the bytes end too early', async () => {
    const bytes = encodeDataset(SAID, 'ISO_IR 192').subarray(0, -100);
    const kind = await digestOf(bytes, DICOM_UID.explicitLittleEndian).catch((error: unknown) =>
      error instanceof Fault ? error.kind : error,
    );
    expect(kind).to.equal('exception');
  });
});
