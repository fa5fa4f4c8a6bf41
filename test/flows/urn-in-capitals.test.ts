/** Scheme and namespace of a URN are the same in capitals (RFC 8141 section 3.1): who numbers, and what is numbered. */
import type { Bundle, ImagingStudy, Parameters, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { aPatient, conditionOf, NATIONAL, nancy, strasbourg, transactionOf } from './support/fhir-write.ts';

/** As somebody may write it. */
const inCapitals = (text: string): string => text.replaceAll('urn:oid:', 'Urn:OID:');

describe('urn:oid in capitals (RFC 8141 section 3.1)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  const sent = <T>(resource: T): T => JSON.parse(inCapitals(JSON.stringify(resource))) as T;

  it('names the domain of a source and the national number, in conditions, bodies and searches', async () => {
    const patient = aPatient(strasbourg, 'U-1', NATIONAL);
    const condition = conditionOf(strasbourg, 'U-1');
    const made = await region.strasbourg.send('PUT', `Patient?${inCapitals(condition)}`, sent(patient));
    expect(made.status, made.text).to.equal(201);
    const again = await region.strasbourg.send('PUT', `Patient?${condition}`, patient);
    expect(again.status, again.text).to.equal(200);
    const entry = { request: { method: 'PUT', url: `Patient?${inCapitals(conditionOf(nancy, 'U-2'))}` } } as const;
    const resource = sent(aPatient(nancy, 'U-2', NATIONAL));
    const batch = await region.nancy.send('POST', '', { ...transactionOf({ ...entry, resource }), type: 'batch' });
    expect(batch.json<Bundle>().entry?.[0]?.response?.status).to.match(/^201/);
    for (const query of [
      condition,
      inCapitals(condition),
      inCapitals(`identifier=${NATIONAL.system}|${NATIONAL.value}`),
    ]) {
      const found = await region.strasbourg.find<Patient>(`Patient?${query}`);
      expect(found).to.have.length(1);
      expect(JSON.stringify(found)).to.not.match(/Urn:OID/);
    }
    const source = encodeURIComponent(inCapitals(`${NATIONAL.system}|${NATIONAL.value}`));
    const { system = '' } = patient.identifier?.[0] ?? {};
    const targets = `&targetSystem=${encodeURIComponent(inCapitals(system))}`;
    const known = await region.strasbourg.get(`Patient/$ihe-pix?sourceIdentifier=${source}${targets}`);
    expect(known.status, known.text).to.equal(200);
    expect(known.json<Parameters>().parameter?.[0]?.valueIdentifier).to.include({ system, value: 'U-1' });
  });

  it('names an exam by its UID', async () => {
    const study = aStudy({ key: 'urn/capitals', patient: PATIENTS.helene, instances: 1 });
    expect(await sendStudy(region.server, study)).to.deep.equal([0]);
    const query = inCapitals(`ImagingStudy?identifier=urn:dicom:uid|urn:oid:${study.studyInstanceUID}`);
    await eventually(async () => (await region.strasbourg.find<ImagingStudy>(query))[0]);
  });
});
