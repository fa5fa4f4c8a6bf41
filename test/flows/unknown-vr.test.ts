/** Images whose standard attributes stand under UN, as routers send them on, on every door. @see DICOM PS3.5 6.2.2 */
import { expect } from 'chai';
import type { ImagingStudy, Patient } from '@medplum/fhirtypes';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { ESTABLISHMENTS, localIdOf, PATIENTS } from '../../fixtures/people.ts';
import { TAG } from '../../profiles/dicom/attributes.ts';
import { formatTag } from '../../profiles/dicom/data-element.ts';
import { parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { toDicomJson, type DicomJson } from '../../profiles/dicom/json/json.ts';
import { sendInstances, type SentInstance } from '../hostile/kill/store-sender.ts';
import { stow } from '../hostile/stow.ts';
import { byStudyUid, establishmentCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { headerOf } from '../support/imaging.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { asUnknownVR } from '../support/dicom/unknown-vr.ts';
import { partsOf, readReply } from './support/door.ts';
import { dataSetDigest } from './support/exam.ts';

const COMPARED = ['PatientName', 'PatientID', 'StudyDate', 'StudyDescription', 'Modality', 'Rows'] as const;

/** Attributes under UN, by what an early reader made of them; undefined is all. */
const UNKNOWN: Readonly<Record<string, readonly (keyof typeof TAG)[] | undefined>> = {
  'every attribute': undefined,
  'the study alone': ['StudyInstanceUID'],
  'the series alone': ['SeriesInstanceUID'],
  'the patient alone': ['PatientID'],
  'modality, description and name': ['Modality', 'StudyDescription', 'PatientName'],
};

describe('Images whose attributes stand under UN (PS3.5 6.2.2)', function () {
  this.timeout(60_000);
  let server: TestServer;
  let caller: FhirCaller;
  before(async () => {
    server = await startServer();
    caller = await establishmentCaller(server, 'strasbourg');
  });
  after(async () => {
    await server?.stop();
  });

  const get = async (path: string, accept: string) => {
    const headers = { Authorization: `Bearer ${caller.token}`, Accept: accept };
    return await readReply(await fetch(`${server.url}/dicom-web/studies/${path}`, { headers }));
  };

  const send: Readonly<Record<string, (files: readonly SentInstance[]) => Promise<unknown>>> = {
    'C-STORE': async (files) => {
      const statuses: number[] = [];
      const { aeTitle } = ESTABLISHMENTS.strasbourg;
      await sendInstances(server.dimse, aeTitle, files, (_, status) => void statuses.push(status));
      expect(statuses).to.deep.equal(files.map(() => 0));
    },
    'STOW-RS': async (files) => {
      const stowed = await stow(
        { url: server.url, token: caller.token },
        files.map(({ bytes }) => bytes),
      );
      expect(stowed).to.deep.equal({ status: 200, reasons: [] });
    },
  };

  for (const [door, sendBy] of Object.entries(send)) {
    for (const [name, keywords] of Object.entries(UNKNOWN)) {
      it(`are filed, found and described as others are, and sent as they came: ${name}, by ${door}`, async () => {
        const study = aStudy({ key: `unknown/${door}/${name}`, instances: 2, description: 'Thorax' });
        const tags = keywords?.map((keyword) => TAG[keyword]);
        const files = [...study.instances()].map((one) => ({ ...one, bytes: underUnknown(one.bytes, tags) }));
        await sendBy(files);
        const imagingStudy = await derived(caller, study);
        expect(imagingStudy.modality?.map(({ code }) => code)).to.deep.equal(['CT']);
        expect(imagingStudy).to.include({ description: 'Thorax', numberOfSeries: 1, numberOfInstances: 2 });
        expect(imagingStudy.series?.[0]?.uid).to.equal(files[0]?.seriesInstanceUID);
        const patient = await caller.findOne<Patient>(`Patient?identifier=${localIdOf(PATIENTS.helene, 'strasbourg')}`);
        expect(imagingStudy.subject.reference).to.equal(`Patient/${patient.id}`);
        expect(patient.name?.[0]?.family).to.equal(PATIENTS.helene.familyName);
        const { body } = await get(`${study.studyInstanceUID}/metadata`, 'application/dicom+json');
        const [metadata] = JSON.parse(body.toString()) as DicomJson[];
        const [first] = study.instances();
        const expected = toDicomJson(headerOf(first?.bytes ?? new Uint8Array()));
        for (const tag of COMPARED.map((keyword) => formatTag(TAG[keyword]))) {
          expect(metadata?.[tag], tag).to.deep.equal(expected[tag]);
        }
        const whole = 'multipart/related; type="application/dicom"; transfer-syntax=*';
        const digests = partsOf(await get(study.studyInstanceUID, whole)).map(({ content }) => dataSetDigest(content));
        expect(digests).to.have.members(files.map(({ bytes }) => dataSetDigest(bytes)));
      });
    }
  }

  it('leave no job that fails', () => {
    expect(server.log()).to.not.match(/"level":"(?:error|warn)"/);
  });
});

/** A Part 10 file with attributes of its data set under UN. */
function underUnknown(file: Uint8Array, tags: readonly number[] | undefined): Buffer {
  const { dataSetOffset } = parseFileMeta(file);
  return Buffer.concat([file.subarray(0, dataSetOffset), asUnknownVR(file.subarray(dataSetOffset), 'defined', tags)]);
}

async function derived(caller: FhirCaller, study: DemoStudy): Promise<ImagingStudy> {
  return await eventually(async () => {
    const found = await caller.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`);
    return found.find(({ numberOfInstances }) => numberOfInstances === 2);
  });
}
