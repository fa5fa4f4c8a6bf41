/**
 * The same object sent again in another encoding: a success, the first is kept, and the event counts it. Another data
 * set under the same UID is kept aside. @see DICOM PS3.4 B.2.3, PS3.5 7 and 10
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { formatFileMeta, parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { dataSetOf } from '../hostile/kill/store-sender.ts';
import { stow } from '../hostile/stow.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { ENCODINGS, encodedAs } from '../support/dicom/other-encoding.ts';
import { TESTDATA } from '../support/testdata.ts';
import { partsOf, readReply } from './support/door.ts';
import { onEachStore } from './support/each-store.ts';
import { dataSetDigest } from './support/exam.ts';
import { openTrail } from './support/trail.ts';

const SAMPLES = [1, 2, 3].map((at) => join(TESTDATA, 'field', 'same-object', String(at), 'same.dcm'));
const RLE = '1.2.840.10008.1.2.5';
const STAYS_OPEN = { env: { STUDY_QUIET_SECONDS: '3600' } };

onEachStore('The same object in another encoding', STAYS_OPEN, (running) => {
  let caller: FhirCaller;
  before(async () => {
    caller = await establishmentCaller(running().server, 'strasbourg');
  });

  const send = async (file: Uint8Array): Promise<void> => {
    const stowed = await stow({ url: running().server.url, token: caller.token }, [file]);
    expect(stowed).to.deep.equal({ status: 200, reasons: [] });
  };

  /** What the events of the study say of what was sent, openings left out, when as many have come. */
  const toldOf = async (studyInstanceUID: string, count: number): Promise<Record<string, string>[]> => {
    const { store, server } = running();
    const trail = await openTrail(store, server.dataDir);
    try {
      return await eventually(async () => {
        const named = await trail.eventsNaming(studyInstanceUID);
        const events = named
          .filter(({ event }) => event.type.code === '110104' && event.outcome !== undefined && event.action === 'C')
          .sort((one, other) => ((one.event.id ?? '') < (other.event.id ?? '') ? -1 : 1));
        if (events.length < count) return undefined;
        return events.map(({ event }) => ({
          outcome: event.outcome ?? '',
          ...Object.fromEntries(
            (event.entity ?? []).flatMap(({ detail = [] }) => detail.map((one) => [one.type, one.valueString ?? ''])),
          ),
        }));
      });
    } finally {
      await trail.close();
    }
  };

  /** The stored bytes of the one instance of a study. */
  const storedDigest = async (studyInstanceUID: string): Promise<string> => {
    const reply = await eventually(async () => {
      const headers = {
        Authorization: `Bearer ${caller.token}`,
        Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
      };
      const found = await readReply(
        await fetch(`${running().server.url}/dicom-web/studies/${studyInstanceUID}`, { headers }),
      );
      return found.status === 200 ? found : undefined;
    });
    const parts = partsOf(reply);
    expect(parts).to.have.length(1);
    return dataSetDigest(parts[0]?.content ?? new Uint8Array());
  };

  const written = (study: DemoStudy, transferSyntaxUID: string, dataSet: Uint8Array): Uint8Array => {
    const [{ sopInstanceUID = '', bytes = new Uint8Array() } = {}] = [...study.instances()];
    const { sopClassUID = '' } = parseFileMeta(bytes);
    return Buffer.concat([formatFileMeta({ sopClassUID, sopInstanceUID, transferSyntaxUID }), dataSet]);
  };
  const fileOf = (study: DemoStudy): Uint8Array => {
    const [one] = [...study.instances()];
    return one?.bytes ?? new Uint8Array();
  };

  for (const [name, [transferSyntaxUID, encoding]] of Object.entries(ENCODINGS)) {
    it(`is a success, counted, and the first is kept: ${name}`, async () => {
      const study = aStudy({ key: `same/${name}`, instances: 1 });
      const first = fileOf(study);
      await send(first);
      await send(written(study, transferSyntaxUID, encodedAs(dataSetOf(first), encoding)));
      expect(await toldOf(study.studyInstanceUID, 2)).to.deep.equal([
        { outcome: '0', stored: '1', already: '0' },
        { outcome: '0', stored: '0', already: '1' },
      ]);
      expect(await storedDigest(study.studyInstanceUID)).to.equal(dataSetDigest(first));
    });
  }

  it('is a success of the published samples, whichever comes first', async function () {
    if (!SAMPLES.every((path) => existsSync(path))) this.skip();
    const files = SAMPLES.map((path) => readFileSync(path));
    for (const file of [...files, ...files]) await send(file);
    const told = await toldOf(sampleStudy(files[0] ?? Buffer.alloc(0)), files.length * 2);
    expect(told.map(({ stored, already }) => [stored, already])).to.deep.equal([
      ['1', '0'],
      ...Array.from({ length: 5 }, () => ['0', '1']),
    ]);
  });

  it('is kept aside when one value differs, in whatever encoding, and the first stays', async () => {
    for (const [name, [transferSyntaxUID, encoding]] of Object.entries(ENCODINGS)) {
      const head = { key: `other/${name}`, instances: 1 };
      const [first, other] = [aStudy(head), aStudy({ ...head, description: 'Autre examen' })];
      await send(fileOf(first));
      await send(written(other, transferSyntaxUID, encodedAs(dataSetOf(fileOf(other)), encoding)));
      const [, second] = await toldOf(first.studyInstanceUID, 2);
      expect(second, name).to.include({ outcome: '4', reason: 'other-data-set' });
      expect(await storedDigest(first.studyInstanceUID), name).to.equal(dataSetDigest(fileOf(first)));
    }
  });

  it('is a success by its place where pixels are compressed in another way', async () => {
    const study = aStudy({ key: 'same/compressed', instances: 1 });
    await send(fileOf(study));
    const plain = dataSetOf(fileOf(study));
    const encapsulated = Buffer.concat([
      withoutPixels(plain),
      Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]),
      Buffer.from([0xfe, 0xff, 0x00, 0xe0, 4, 0, 0, 0, 1, 2, 3, 4]),
      Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]),
    ]);
    await send(written(study, RLE, encapsulated));
    expect(await toldOf(study.studyInstanceUID, 2)).to.deep.include({
      outcome: '0',
      stored: '0',
      already: '0',
      'other-transfer-syntax': '1',
    });
  });
});

function withoutPixels(dataSet: Uint8Array): Buffer {
  const bytes = Buffer.from(dataSet);
  return bytes.subarray(0, bytes.indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00])));
}

/** The Study Instance UID of a sample: Explicit VR Little Endian. */
function sampleStudy(file: Buffer): string {
  const at = file.indexOf(Buffer.from([0x20, 0x00, 0x0d, 0x00, 0x55, 0x49]));
  const length = file.readUInt16LE(at + 6);
  return file.toString('latin1', at + 8, at + 8 + length).replace(/\0+$/, '');
}
