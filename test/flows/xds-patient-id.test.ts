/** One person has one patient id in XDS, whatever she is asked by and whichever stored query answers. */
import type { DocumentReference, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { patientIdentifier, toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS, type EstablishmentKey } from '../../fixtures/people.ts';
import { oidOf, oidUri } from '../../profiles/codes.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { STATUS_SLOT, type QuerySlots } from '../support/clients/xds.ts';
import { establishmentCaller, fillDemonstration, type Demonstration } from '../support/demonstration.ts';
import { askRegistry, entriesOf, listOf, succeeded } from './support/registry-consumer.ts';
import { onEachStore } from './support/each-store.ts';

/** The region's own system (fixtures/region/region.json). */
const OWN = '2.25.186985072874225505166103600283483536615';
const { strasbourg, nancy, luxembourg } = ESTABLISHMENTS;
const INS = '1.2.250.1.213.1.4.10';
const cx = (value: string, domain: string): string => `${value}^^^&${domain}&ISO`;
const helene = {
  ins: cx(PATIENTS.helene.national.value, INS),
  local: cx('8000012345', strasbourg.patientIdDomain),
  nancy: cx('NC-004711', nancy.patientIdDomain),
};

onEachStore('XDSDocumentEntry.patientId (ITI TF-3 4.2.3.2.16)', {}, (running) => {
  let region: Demonstration;

  before(async () => {
    region = await fillDemonstration(running().server);
    // A manifest and a report of each of three studies.
    await eventually(async () => ((await find(region.strasbourg, helene.ins)).length === 2 ? true : undefined));
    await eventually(async () => ((await find(region.declared, helene.ins)).length === 4 ? true : undefined));
  });

  type Who = Pick<FhirCaller, 'token'>;
  const find = async (who: Who, patientId: string) =>
    await answer(who, 'findDocuments', [['$XDSDocumentEntryPatientId', `'${patientId}'`], STATUS_SLOT]);
  const answer = async (who: Who, query: 'findDocuments' | 'getDocuments', slots: QuerySlots) =>
    entriesOf(succeeded(await askRegistry(region.server.url, who, { query, slots })));
  const byUniqueId = async (who: Who, uniqueIds: readonly string[]) =>
    await answer(who, 'getDocuments', [['$XDSDocumentEntryUniqueId', listOf(uniqueIds)]]);

  /** Sends the images of a patient whom only her images name, and waits for their manifest. */
  async function published(key: string, establishment: EstablishmentKey, patient = {}): Promise<DemoStudy> {
    const study = aStudy({ key, establishment, patient, instances: 1 });
    await sendStudy(region.server, study);
    const author = await establishmentCaller(region.server, establishment);
    const path = `DocumentReference?related:identifier=${oidUri(study.studyInstanceUID)}`;
    await eventually(async () => (await author.find<DocumentReference>(path))[0]);
    return study;
  }

  it('is her INS, whether she is asked by it, by a number of a hospital or by the id of the region', async () => {
    for (const asked of [helene.ins, helene.local, cx(region.patients.helene, OWN)]) {
      const found = await find(region.strasbourg, asked);
      expect(found, asked).to.have.length(2);
      for (const { patientId, sourcePatientId } of found)
        expect([patientId, sourcePatientId], asked).to.deep.equal([helene.ins, helene.local]);
      const again = await byUniqueId(
        region.strasbourg,
        found.map(({ uniqueId }) => uniqueId),
      );
      expect(again, asked).to.have.deep.members(found);
    }
  });

  it('is one for the documents of two hospitals, which each number her', async () => {
    const found = await find(region.declared, helene.ins);
    expect(new Set(found.map(({ patientId }) => patientId))).to.deep.equal(new Set([helene.ins]));
    expect(new Set(found.map(({ sourcePatientId }) => sourcePatientId))).to.deep.equal(
      new Set([helene.local, helene.nancy]),
    );
    const together = await byUniqueId(
      region.declared,
      found.map(({ uniqueId }) => uniqueId),
    );
    expect(together).to.have.deep.members(found);
  });

  it('is the region’s own for whoever has no qualified number, and finds her', async () => {
    const { studyInstanceUID } = await published('patient-id/unknown', 'strasbourg', {
      localId: { strasbourg: 'X-1' },
    });
    const [patient] = await region.strasbourg.find<Patient>(
      `Patient?identifier=${oidUri(strasbourg.patientIdDomain)}|X-1`,
    );
    const own = cx(patient?.id ?? '', OWN);
    const found = await find(region.strasbourg, cx('X-1', strasbourg.patientIdDomain));
    expect(found.map(({ patientId }) => patientId)).to.deep.equal([own]);
    expect(found[0]?.sourcePatientId).to.equal(cx('X-1', strasbourg.patientIdDomain));
    expect(await find(region.strasbourg, own)).to.deep.equal(found);
    expect(await byUniqueId(region.strasbourg, [found[0]?.uniqueId ?? ''])).to.deep.equal(found);
    const byMHD = `DocumentReference?status=current&patient.identifier=${oidUri(OWN)}|${patient?.id}`;
    const [document] = await region.strasbourg.find<DocumentReference>(byMHD);
    expect(JSON.stringify(document?.context?.related)).to.include(studyInstanceUID);
    expect(await region.stranger.find(byMHD)).to.deep.equal([]);
  });

  it('opens nothing to who may not see her, and tells nothing of her', async () => {
    const own = cx(region.patients.gaetan, OWN);
    for (const who of [region.stranger, region.declared, region.nancy])
      for (const asked of [own, cx('nobody', OWN), cx(`${region.patients.gaetan}/_history/1`, OWN)])
        expect(await find(who, asked)).to.deep.equal([]);
    expect(await find(region.strasbourg, own)).to.have.length(2);
  });

  it('becomes her qualified number with the first feed that says it; the former one still finds her', async () => {
    const number = { strasbourg: 'X-2' };
    await published('patient-id/fed-later', 'strasbourg', { localId: number });
    const local = cx('X-2', strasbourg.patientIdDomain);
    const [before] = await find(region.strasbourg, local);
    expect(before?.patientId).to.match(new RegExp(`&${OWN.replaceAll('.', '\\.')}&ISO$`));
    const fed = { ...PATIENTS.noemie, localId: number };
    const { system, value } = patientIdentifier(fed, strasbourg);
    const put = await region.strasbourg.send(
      'PUT',
      `Patient?identifier=${system}|${value}`,
      toPatient(fed, strasbourg),
    );
    expect(put.status, put.text).to.equal(200);
    const ins = cx(PATIENTS.noemie.national.value, INS);
    for (const asked of [local, ins, before?.patientId ?? ''])
      expect(
        (await find(region.strasbourg, asked)).map(({ patientId }) => patientId),
        asked,
      ).to.deep.equal([ins]);
  });

  it('is the matricule in Luxembourg', async () => {
    const caller = await establishmentCaller(region.server, 'luxembourg');
    await published('patient-id/luxembourg', 'luxembourg', PATIENTS.josee);
    const { system, value } = patientIdentifier(PATIENTS.josee, luxembourg);
    await caller.send('PUT', `Patient?identifier=${system}|${value}`, toPatient(PATIENTS.josee, luxembourg));
    const matricule = cx(PATIENTS.josee.national.value, oidOf(PATIENTS.josee.national.system) ?? '');
    for (const asked of [matricule, cx('LU-77001', luxembourg.patientIdDomain)]) {
      const [found, ...others] = await find(caller, asked);
      expect(others).to.deep.equal([]);
      expect([found?.patientId, found?.sourcePatientId]).to.deep.equal([
        matricule,
        cx('LU-77001', luxembourg.patientIdDomain),
      ]);
    }
  });
});
