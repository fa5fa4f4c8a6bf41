/**
 * Images whose PatientID is empty (type 2, PS3.3 C.7.1.1): kept for the establishment that sent them, and no other
 * patient's.
 */
import type { DocumentReference, ImagingStudy, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { DICOM_UID, oidUri } from '../../profiles/codes.ts';
import { element, hostileDataSet, hostileUids } from '../hostile/dicom/raw-data-set.ts';
import { associateModality, storeBytes } from '../hostile/dicom/store.ts';
import { quarantinedCount, rowsOfStudy } from '../hostile/kill/data-folder.ts';
import { CT_IMAGE } from '../server/endpoints/dimse/door.ts';
import { establishmentCaller, personCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openTrail } from './support/trail.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;

describe('C-STORE of images without PatientID', function () {
  this.timeout(60_000);
  let server: TestServer;
  let sender: FhirCaller;
  before(async () => {
    server = await startServer();
    sender = await establishmentCaller(server, 'strasbourg');
  });
  after(async () => await server?.stop());

  const send = async (
    name: string,
    aeTitle: string = strasbourg.aeTitle,
    changes: Readonly<Record<string, Buffer>> = {},
  ): Promise<number> => {
    const association = await associateModality(server, DICOM_UID.explicitLittleEndian, CT_IMAGE, aeTitle);
    const dataSet = hostileDataSet(name, { '00100020': element('00100020', 'LO'), ...changes });
    return await storeBytes(association, hostileUids(name).sopInstanceUID, dataSet).finally(() =>
      association.socket.destroy(),
    );
  };
  const byUid = (name: string): string => `identifier=urn:dicom:uid|${oidUri(hostileUids(name).studyInstanceUID)}`;
  const closed = async (name: string): Promise<ImagingStudy> =>
    await eventually(async () => (await sender.find<ImagingStudy>(`ImagingStudy?${byUid(name)}&status=available`))[0]);
  const patientOf = async ({ subject }: ImagingStudy): Promise<Patient> =>
    (await sender.get(subject.reference ?? '')).json<Patient>();

  it('are stored and published, each study of a Patient of its own that has no identifier', async () => {
    expect([await send('unidentified/one'), await send('unidentified/two')]).to.deep.equal([0, 0]);
    const patients = await Promise.all(
      [await closed('unidentified/one'), await closed('unidentified/two')].map(patientOf),
    );
    expect(new Set(patients.map(({ id }) => id)).size).to.equal(2);
    for (const patient of patients) expect(patient).to.not.have.property('identifier');
    for (const { id } of patients)
      await eventually(async () => (await sender.find<DocumentReference>(`DocumentReference?patient=${id}`))[0]);
    expect(server.log()).to.not.match(/"level":"(error|warn)"/);
  });

  it('are in the trail, of the Patient that was made', async () => {
    const trail = await openTrail('sqlite', server.dataDir);
    const events = await trail.eventsOf(hostileUids('unidentified/one').studyInstanceUID).finally(trail.close);
    const stored = events.filter(({ event }) => event.type.code === '110104' && event.outcome === '0');
    const { subject } = await closed('unidentified/one');
    expect(stored).to.not.deep.equal([]);
    for (const { event } of stored) expect(JSON.stringify(event)).to.include(subject.reference);
  });

  it('are the same when they come again, and lie aside when they come from elsewhere or with a PatientID', async () => {
    expect(await send('unidentified/one')).to.equal(0);
    expect(quarantinedCount(server.dataDir)).to.equal(0);
    expect(await send('unidentified/one', nancy.aeTitle, { '00081030': element('00081030', 'LO', 'other') })).to.equal(
      0,
    );
    expect(
      await send('unidentified/one', strasbourg.aeTitle, { '00100020': element('00100020', 'LO', 'LATER-1') }),
    ).to.equal(0);
    expect(quarantinedCount(server.dataDir)).to.equal(2);
    expect(rowsOfStudy(server.dataDir, hostileUids('unidentified/one').studyInstanceUID)).to.have.length(1);
  });

  it('are seen by nobody else', async () => {
    for (const caller of [await establishmentCaller(server, 'nancy'), await personCaller(server, 'demo-stranger')]) {
      expect(await caller.find(`ImagingStudy?${byUid('unidentified/one')}`)).to.deep.equal([]);
      expect(
        (
          await fetch(`${server.url}/dicom-web/studies/${hostileUids('unidentified/one').studyInstanceUID}`, {
            headers: { authorization: `Bearer ${caller.token}` },
          })
        ).status,
      ).to.equal(404);
    }
  });
});
