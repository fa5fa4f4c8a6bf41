/**
 * Answers that run while a record is withdrawn: no byte is given that was not decided within half a second. Row C05 of
 * smart-security.md.
 */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { openBinary } from '../../../../server/flows/read/open-binary.ts';
import { retrieveDocumentOfSet } from '../../../../server/flows/read/retrieve-document-set.ts';
import { openInstance, retrieveInstances } from '../../../../server/flows/retrieve/retrieve-instances.ts';
import type { ImageStore } from '../../../../server/ports/image-store.ts';
import { openClinic, type Clinic, type ClinicStudy } from '../../endpoints/clinic.ts';

const LARGE = 4 * 1024 * 1024;

describe('A running answer (access.md 5, streams)', () => {
  let clinic: Clinic;
  let study: ClinicStudy;
  let later = 0;
  beforeEach(async () => {
    clinic = await openClinic();
    later = 0;
    const { now } = clinic.guard.clock;
    clinic.guard.clock.now = () => now() + later;
    study = await clinic.addStudy({
      started: '2026-02-01T10:00:00Z',
      modality: 'CT',
      accession: 'ACC-9',
      description: 'Large',
      series: [[DICOM_UID.explicitLittleEndian]],
      instanceBytes: LARGE,
      manifestBytes: LARGE,
    });
  });
  afterEach(async () => await clinic.close());

  const visit = () => clinic.visitOf('lambert', 'xds');
  const doors: Readonly<Record<string, () => Promise<Readable>>> = {
    'ITI-68, and the report of a viewer': async () =>
      (await openBinary({ ...clinic.guard, images: clinic.images })(visit(), binaryOf(study))).body,
    'ITI-43': async () => {
      const retrieve = retrieveDocumentOfSet({ ...clinic.guard, images: clinic.images });
      return await (await retrieve(visit(), study.manifestUID)).open();
    },
    'RAD-69': async () => {
      const { studyInstanceUID } = study;
      const asked = { studyInstanceUID, passage: 'rad-69', omitMetadata: true } as const;
      const granted = await retrieveInstances(clinic.guard)(visit(), asked);
      for await (const row of granted) return await openInstance(clinic.images, granted, row);
      throw new Error('The study has no instance');
    },
  };

  for (const [door, open] of Object.entries(doors)) {
    it(`${door}: gives every byte while the record is shared, however long it takes`, async () => {
      let length = 0;
      for await (const chunk of await open()) {
        later += 200;
        length += (chunk as Buffer).length;
      }
      expect(length).to.equal(LARGE);
    });

    it(`${door}: ends in an error after a withdrawal, without a further piece`, async () => {
      const body = await open();
      const taken: number[] = [];
      const fault = await read(body, async (length) => {
        taken.push(length);
        if (taken.length > 1) return;
        await clinic.withdraw();
        later += 1_000;
      });
      expect(fault).to.have.property('kind', 'not-found');
      // One piece had been decided, and one more lay ready.
      expect(taken.length).to.be.at.most(2);
      expect(body.destroyed).to.equal(true);
    });
  }

  it('leaves no file open that was given up before its first byte', async () => {
    const opened: Readable[] = [];
    const open = async (...place: Parameters<ImageStore['open']>): Promise<Readable> => {
      const file = await clinic.images.open(...place);
      opened.push(file);
      return file;
    };
    const images: ImageStore = Object.assign(Object.create(clinic.images) as ImageStore, { open });
    const { body } = await openBinary({ ...clinic.guard, images })(visit(), binaryOf(study));
    const closed = once(body, 'close');
    body.destroy();
    await closed;
    expect(opened.map(({ destroyed }) => destroyed)).to.deep.equal([true]);
  });
});

async function read(body: Readable, took: (length: number) => Promise<void>): Promise<unknown> {
  try {
    for await (const chunk of body) await took((chunk as Buffer).length);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The id of the Binary of a study's manifest. */
function binaryOf({ manifest }: ClinicStudy): string {
  return manifest.content[0]?.attachment.url?.replace(/.*Binary\//, '') ?? '';
}
