/**
 * An establishment writes the Study Instance UID of another's study where an order number goes. What is below a study
 * is found by the claim that names its row, so the number opens, hides and moves nothing.
 */
import { randomUUID } from 'node:crypto';
import type { DocumentReference, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { Dataset } from '../../fixtures/dicom/part10.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { clientToken, signIn } from '../../fixtures/sign-in.ts';
import { CODE_SYSTEM, oidUri } from '../../profiles/codes.ts';
import { get, type Call, type Door, type Sent } from '../flows/support/door.ts';
import { DOORS } from '../flows/support/doors/doors.ts';
import { makeExam } from '../flows/support/exam.ts';
import { onEachStore } from '../flows/support/each-store.ts';
import { publish } from '../flows/support/world.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { byStudyUid } from '../support/demonstration.ts';
import { runErase } from '../support/data-folder/erasing.ts';
import { eventually, fhirCaller, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import type { TestServer } from '../support/server.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
const EVERY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*';
const EVERY_FRAME = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';
const SLICES = 2;

/** Where the bytes of a study are found: QIDO-RS, WADO-RS and RAD-69. */
const IMAGE_DOORS: readonly Door[] = DOORS.filter(({ name }) => /^(QIDO-RS|WADO-RS|RAD-69)/.test(name));

/** Who issued the number: `urn:dicom:uid`, which issues the UIDs of studies, or nobody, so that it is the sender. */
const ISSUERS: Readonly<Record<string, Dataset>> = {
  'by the system of UIDs': {
    IssuerOfAccessionNumberSequence: [{ UniversalEntityID: 'urn:dicom:uid', UniversalEntityIDType: 'URI' }],
  },
  'by nobody': {},
};

/** Paths below the study that no other door names; each is 404 for whom the study is hidden from. */
function pathsBelow({ ids }: Sent): readonly (readonly [path: string, accept: string])[] {
  const [instance = ''] = ids.sopInstanceUIDs;
  const series = `/dicom-web/studies/${ids.studyInstanceUID}/series/${ids.seriesInstanceUID}`;
  return [
    [`${series}`, EVERY_SYNTAX],
    [`${series}/instances/${instance}`, EVERY_SYNTAX],
    [`${series}/metadata`, 'application/dicom+json'],
    [`${series}/instances/${instance}/metadata`, 'application/dicom+json'],
    [`${series}/instances/${instance}/bulkdata/7FE00010`, EVERY_FRAME],
  ];
}

onEachStore('The UID of a study as an order number (PS3.3 table 10-9)', {}, (running) => {
  let server: TestServer;
  let sent: Sent;
  let tokens: { readonly owner: string; readonly patient: string; readonly stranger: string };
  let stranger: FhirCaller;

  const borrower = (key: string, uid: string, issuer: Dataset): DemoStudy => {
    const head = { key: `hostile/borrowed/${key}`, establishment: 'nancy', modality: 'CR', instances: 1 } as const;
    const patient = { ...PATIENTS.gaetan, localId: { nancy: 'NC-BORROWER' } };
    return aStudy({ ...head, accessionNumber: oidUri(uid), patient, attributes: issuer });
  };
  const callOf = (token: string): Call => {
    const requestId = `urn:uuid:${randomUUID()}`;
    return { url: server.url, token, requestId, ids: sent.ids };
  };
  const documentsOf = async (caller: FhirCaller): Promise<DocumentReference[]> =>
    await caller.find<DocumentReference>(`DocumentReference?format=${CODE_SYSTEM.dicomUids}|&_count=100`);
  /** The manifests that a caller sees: whether each is current, by its id. */
  const manifestsOf = async (caller: FhirCaller): Promise<ReadonlyMap<string, boolean>> =>
    new Map((await documentsOf(caller)).map(({ id = '', status }) => [id, status === 'current']));
  const currentOf = (manifests: ReadonlyMap<string, boolean>): string[] =>
    [...manifests.keys()].filter((id) => manifests.get(id) === true);
  const sendAndClose = async (study: DemoStudy): Promise<void> => {
    const before = (await manifestsOf(stranger)).size;
    expect(await sendStudy(server, study)).to.deep.equal([0]);
    await eventually(async () => ((await manifestsOf(stranger)).size > before ? true : undefined), 30);
  };

  before(async function open() {
    this.timeout(120_000);
    if (!hasProgram('storescu')) this.skip();
    ({ server } = running());
    const { url } = server;
    const owner = await clientToken({ url, client: strasbourg.clientId });
    stranger = fhirCaller(url, await clientToken({ url, client: nancy.clientId }));
    const exam = await makeExam(SLICES);
    const borrowAll = async (when: string): Promise<void> => {
      for (const [name, issuer] of Object.entries(ISSUERS)) {
        await sendAndClose(borrower(`${when}, ${name}`, exam.study.studyInstanceUID, issuer));
      }
    };
    // Their rows stand before and behind that of the study whose UID they borrow.
    await borrowAll('early');
    sent = { exam, ...(await publish(server, { url, token: owner }, exam)) };
    await borrowAll('late');
    tokens = { owner, patient: await signIn({ url, person: 'demo-patient' }), stranger: stranger.token };
  });

  for (const door of IMAGE_DOORS) {
    it(`${door.name} shows the study to its establishment and patient, and to the borrower nothing`, async () => {
      for (const token of [tokens.owner, tokens.patient]) door.expectShown(await door.ask(callOf(token)), sent);
      door.expectHidden(await door.ask(callOf(tokens.stranger)), sent.ids);
    });
  }

  it('WADO-RS of a series, an instance, their metadata and bulk data is 404 for the borrower alone', async () => {
    for (const [path, accept] of pathsBelow(sent)) {
      expect((await get(callOf(tokens.owner), path, accept)).status, path).to.equal(200);
      expect((await get(callOf(tokens.stranger), path, accept)).status, path).to.equal(404);
    }
  });

  it('the borrower’s own studies have their own UIDs and no other identifier of that system', async () => {
    const studies = await stranger.find<ImagingStudy>('ImagingStudy?patient.identifier=NC-BORROWER');
    expect(studies.length).to.equal(2 * Object.keys(ISSUERS).length);
    for (const { identifier = [] } of studies) {
      const uids = identifier.filter(({ system }) => system === 'urn:dicom:uid').map(({ value }) => value);
      expect(uids.length).to.equal(1);
      expect(uids).not.to.include(oidUri(sent.ids.studyInstanceUID));
    }
  });

  it('a further image renews the manifest of the study, and leaves those of the borrower where they are', async () => {
    const [owner, patient] = [fhirCaller(server.url, tokens.owner), fhirCaller(server.url, tokens.patient)];
    const borrowed = await manifestsOf(stranger);
    expect(currentOf(borrowed).length).to.equal(2 * Object.keys(ISSUERS).length);
    const [before] = currentOf(await manifestsOf(owner));
    const head = { key: 'hostile/further', studyInstanceUID: sent.ids.studyInstanceUID, patient: PATIENTS.helene };
    expect(await sendStudy(server, aStudy({ ...head, instances: 1 }))).to.deep.equal([0]);
    const renewed = await eventually(async () => {
      const current = currentOf(await manifestsOf(owner));
      return current.length === 1 && current[0] !== before ? current : undefined;
    }, 30);
    expect(await manifestsOf(stranger)).to.deep.equal(borrowed);
    expect(currentOf(await manifestsOf(patient))).to.deep.equal(renewed);
    expect([...(await manifestsOf(patient)).keys()]).to.have.members([before, ...renewed]);
    const report = await patient.findOne<DocumentReference>(`DocumentReference?_id=${sent.ids.reportDocument.id}`);
    const named = (report.context?.related ?? []).map(({ reference }) => reference ?? '');
    expect(named.filter((reference) => reference.startsWith('DocumentReference/'))).to.deep.equal(
      renewed.map((id) => `DocumentReference/${id}`),
    );
  });

  it('erasing the study erases its own manifests, and not those of the borrower', async () => {
    const borrowed = await manifestsOf(stranger);
    const { code, stderr } = await runErase(server.dataDir, sent.ids.studyInstanceUID, '--yes');
    expect([code, stderr]).to.deep.equal([0, '']);
    expect((await manifestsOf(fhirCaller(server.url, tokens.patient))).size).to.equal(0);
    expect(await manifestsOf(stranger)).to.deep.equal(borrowed);
    for (const { content } of await documentsOf(stranger)) {
      const binary = content[0]?.attachment.url?.split('/').at(-1) ?? '';
      expect((await get(callOf(tokens.stranger), `/fhir/Binary/${binary}`, 'application/dicom')).status).to.equal(200);
    }
  });

  it('a PatientID that borrows the UID of a study without PatientID names another Patient', async () => {
    const issued = [{ UniversalEntityID: 'urn:dicom:uid', UniversalEntityIDType: 'URI' }];
    const anonymous = { PatientID: [] };
    const nobodys = aStudy({ key: 'hostile/nobody', establishment: 'nancy', instances: 1, attributes: anonymous });
    const named = { PatientID: oidUri(nobodys.studyInstanceUID), IssuerOfPatientIDQualifiersSequence: issued };
    const borrowing = aStudy({ key: 'hostile/somebody', instances: 1, attributes: named });
    const standing = async (token: string, study: DemoStudy): Promise<ImagingStudy> => {
      expect(await sendStudy(server, study)).to.deep.equal([0]);
      const search = `ImagingStudy?${byStudyUid(study)}`;
      return await eventually(async () => (await fhirCaller(server.url, token).find<ImagingStudy>(search))[0], 30);
    };
    const [one, other] = [await standing(tokens.stranger, nobodys), await standing(tokens.owner, borrowing)];
    expect(other.subject.reference).not.to.equal(one.subject.reference);
    const radiologist = await signIn({ url: server.url, person: 'demo-radiologist' });
    const path = `/dicom-web/studies/${nobodys.studyInstanceUID}`;
    expect((await get(callOf(radiologist), path, EVERY_SYNTAX)).status).to.equal(404);
    expect((await get(callOf(tokens.stranger), path, EVERY_SYNTAX)).status).to.equal(200);
  });
});
