import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';

import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, askJson, serveDicomweb } from './door.ts';
import {
  addFile,
  element,
  encapsulated,
  freshUIDs,
  imageDataSet,
  item,
  part10,
  type Image,
  type StoredFile,
} from './files.ts';
import { partsOf } from './parts.ts';

const OCTETS = 'application/octet-stream';
const { explicitLittleEndian, deflatedExplicitLittleEndian } = DICOM_UID;
const JPEG = '1.2.840.10008.1.2.4.50';

/** Bytes that count up, so that each place is told from its neighbours. */
function counting(length: number, first = 0): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => (first + at) % 251));
}

function image(text: string): Buffer {
  return Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.from(text)]);
}

describe('WADO-RS Retrieve Bulk Data (PS3.18 10.4.1.1.5)', () => {
  let clinic: Clinic;
  let door: ServedRouter;

  before(async () => {
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  async function addImage(transferSyntaxUID: string, facts: Image, ...pixels: readonly Buffer[]): Promise<StoredFile> {
    const uids = freshUIDs();
    const dataSet = imageDataSet(uids, facts, ...pixels);
    const body = transferSyntaxUID === deflatedExplicitLittleEndian ? deflateRawSync(dataSet) : dataSet;
    return await addFile(clinic, part10(body, uids.sop, transferSyntaxUID), uids);
  }

  it('serves bulk data where metadata of study, series and instance lead to', async () => {
    const pixels = counting(5_000);
    const document = counting(6_000, 3);
    const inner = element(0x00091010, 'OB', document);
    const sequence = element(0x00081140, 'SQ', item(Buffer.concat([element(0x00090010, 'LO', 'PASSERELLE'), inner])));
    const uids = freshUIDs();
    const dataSet = Buffer.concat([
      sequence,
      imageDataSet(uids, { rows: 50, columns: 50, bits: 16 }, element(0x7fe00010, 'OW', pixels)),
    ]);
    const file = await addFile(clinic, part10(dataSet, uids.sop, explicitLittleEndian), uids);
    for (const place of [file.study, file.series, file.instance]) {
      const [metadata] = await askJson(door, `${place}/metadata`);
      const uri = metadata?.['7FE00010']?.BulkDataURI ?? '';
      expect(uri).to.equal(`instances/${uids.sop}/bulkdata/7FE00010`);
      const { pathname } = new URL(uri, `http://host${place}/metadata`);
      const [part, ...others] = await partsOf(await ask(door, pathname), OCTETS);
      expect([part?.content, others.length, part?.type]).to.deep.equal([
        pixels,
        0,
        `${OCTETS}; transfer-syntax=${explicitLittleEndian}`,
      ]);
    }
    const [metadata] = await askJson(door, `${file.series}/metadata`);
    const items = (metadata?.['00081140']?.Value ?? []) as readonly Record<string, { BulkDataURI?: string }>[];
    const uri = items[0]?.['00091010']?.BulkDataURI ?? '';
    const single = await ask(door, `${file.series}/${uri}`, 'lambert', { Accept: OCTETS });
    expect(single.headers.get('Content-Type')).to.equal(OCTETS);
    expect(single.headers.get('Content-Security-Policy')).to.include('sandbox');
    expect(Buffer.from(await single.arrayBuffer())).to.deep.equal(document);
    for (const path of [
      '00091010',
      '7FE00010/0',
      '7fe00010',
      '00081140',
      '00081140/7/00091010',
      '00081140/0',
      'x',
      '..%2F..%2Fx',
      `00081140${'/0'.repeat(40)}`,
    ]) {
      expect((await ask(door, `${file.instance}/bulkdata/${path}`)).status, path).to.equal(404);
    }
    expect((await ask(door, `${file.instance}/bulkdata/7FE00010`, 'stranger')).status).to.equal(404);
  });

  it('serves a long text as bulk data, as it is stored', async () => {
    const text = Buffer.from(`${'é'.repeat(140_000)}`);
    const uids = freshUIDs();
    const dataSet = Buffer.concat([
      element(0x00080005, 'CS', 'ISO_IR 192'),
      imageDataSet(uids, { rows: 1, columns: 1, bits: 8 }),
      element(0x00420010, 'UT', text),
    ]);
    const file = await addFile(clinic, part10(dataSet, uids.sop, explicitLittleEndian), uids);
    const [metadata] = await askJson(door, `${file.series}/metadata`);
    const uri = metadata?.['00420010']?.BulkDataURI ?? '';
    expect(metadata?.['00420010']).to.deep.equal({ vr: 'UT', BulkDataURI: `instances/${uids.sop}/bulkdata/00420010` });
    const single = await ask(door, `${file.series}/${uri}`, 'lambert', { Accept: OCTETS });
    expect(Buffer.from(await single.arrayBuffer()).equals(text)).to.equal(true);
  });

  it('sends encapsulated bulk data as its frames, and a PDF by its own type', async () => {
    const file = await addImage(
      JPEG,
      { rows: 2, columns: 2, bits: 8, frames: '2' },
      encapsulated([], [image('1'), image('2')]),
    );
    const parts = await partsOf(await ask(door, `${file.instance}/bulkdata/7FE00010`), OCTETS);
    expect(parts.map(({ content }) => content)).to.deep.equal([image('1'), image('2')]);
    const document = Buffer.concat([Buffer.from('%PDF-1.7'), counting(5_000)]);
    const uids = freshUIDs();
    const dataSet = Buffer.concat([
      imageDataSet(uids, { rows: 1, columns: 1, bits: 8 }),
      element(0x00420011, 'OB', document),
      element(0x00420012, 'LO', 'application/pdf'),
    ]);
    const report = await addFile(clinic, part10(dataSet, uids.sop, explicitLittleEndian), uids);
    const pdf = await ask(door, `${report.instance}/bulkdata/00420011?accept=application/pdf`);
    expect(pdf.headers.get('Content-Type')).to.equal('application/pdf');
    expect(Buffer.from(await pdf.arrayBuffer())).to.deep.equal(document);
    expect((await ask(door, `${report.instance}/bulkdata/00420011?accept=text/html`)).status).to.equal(406);
  });
});
