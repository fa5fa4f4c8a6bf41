/** One request about two patients: the event of each tells what is of that patient (field case B3). */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { patientIdentifier } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { oidUri } from '../../profiles/codes.ts';
import { fillDemonstration, type Demonstration } from '../support/demonstration.ts';
import { onEachStore } from './support/each-store.ts';
import { openTrail } from './support/trail.ts';

onEachStore('A request about two patients', {}, (running) => {
  let region: Demonstration;
  let names: { readonly helene: readonly string[]; readonly gaetan: readonly string[] };

  before(async () => {
    region = await fillDemonstration(running().server);
    const { patients, studies } = region;
    const of = (who: 'helene' | 'gaetan'): readonly string[] => [
      patients[who],
      patientIdentifier(PATIENTS[who], ESTABLISHMENTS.strasbourg).value,
      PATIENTS[who].national.value,
      studies[who].studyInstanceUID,
      PATIENTS[who].familyName,
    ];
    names = { helene: of('helene'), gaetan: of('gaetan') };
  });

  /** The events of the request, by the patient of whom they tell. */
  async function eventsOf(path: string): Promise<ReadonlyMap<string, AuditEvent>> {
    const requestId = randomUUID();
    const url = path.startsWith('/') ? `${running().server.url}${path}` : `${running().server.url}/fhir/${path}`;
    const headers = { authorization: `Bearer ${region.strasbourg.token}`, 'x-request-id': requestId };
    const response = await fetch(url, { headers });
    expect(response.status, await response.text()).to.equal(200);
    const trail = await openTrail(running().store, running().server.dataDir);
    try {
      const events = (await trail.eventsOf(requestId)).map(({ event }) => event);
      return new Map(events.map((event) => [patientOf(event), event]));
    } finally {
      await trail.close();
    }
  }

  const patientOf = ({ entity = [] }: AuditEvent): string =>
    entity.find(({ role }) => role?.code === '1')?.what?.reference ?? '';

  /** All that an event says, in queries too. */
  function textOf(event: AuditEvent | undefined): string {
    const queries = (event?.entity ?? []).flatMap(({ query }) => query ?? []);
    const asked = queries.map((query) => Buffer.from(query, 'base64').toString());
    return [JSON.stringify(event), ...asked, ...asked.map(decodeURIComponent)].join('\n');
  }

  const studiesAsked = () => [region.studies.helene, region.studies.gaetan].map((study) => study.studyInstanceUID);
  const uids = (): string => studiesAsked().map(oidUri).join(',');

  const requests: readonly (readonly [name: string, path: () => string])[] = [
    ['by reference', () => `ImagingStudy?patient=${region.patients.helene},Patient/${region.patients.gaetan}`],
    ['by id', () => `Patient?_id=${region.patients.gaetan},${region.patients.helene}`],
    [
      'by national number',
      () => `Patient?identifier=${PATIENTS.helene.national.value},${PATIENTS.gaetan.national.value}`,
    ],
    [
      'by the national number of whose exams they are',
      () => `ImagingStudy?patient.identifier=${PATIENTS.helene.national.value},${PATIENTS.gaetan.national.value}`,
    ],
    ['by what names them', () => `Patient?_has:ImagingStudy:patient:identifier=${uids()}`],
    [
      'by name',
      () => `Patient?family=${[PATIENTS.helene, PATIENTS.gaetan].map((one) => encodeURI(one.familyName)).join(',')}`,
    ],
    ['by UID (QIDO-RS)', () => `/dicom-web/studies?StudyInstanceUID=${studiesAsked().join(',')}`],
    ['by UID (MHD ITI-67)', () => `DocumentReference?related:identifier=${uids()}&status=current`],
  ];

  for (const [name, path] of requests)
    it(`tells each nothing of the other: ${name}`, async () => {
      const events = await eventsOf(path());
      const [helene, gaetan] = [region.patients.helene, region.patients.gaetan].map((id) =>
        events.get(`Patient/${id}`),
      );
      expect([events.size, helene === undefined, gaetan === undefined]).to.deep.equal([2, false, false]);
      for (const other of names.gaetan) expect(textOf(helene)).to.not.include(other);
      for (const other of names.helene) expect(textOf(gaetan)).to.not.include(other);
      expect(textOf(helene)).to.not.include('results');
    });

  it('tells each her own name among those that were asked for', async () => {
    const { helene, gaetan } = region.patients;
    const events = await eventsOf(`ImagingStudy?patient=${helene},${gaetan}&status=available`);
    expect(textOf(events.get(`Patient/${helene}`))).to.include(`ImagingStudy?patient=${helene}&status=available`);
    expect(textOf(events.get(`Patient/${gaetan}`))).to.include(`ImagingStudy?patient=${gaetan}&status=available`);
  });

  it('tells all of it to her whom alone it found', async () => {
    const { helene } = region.patients;
    const text = `ImagingStudy?patient.identifier=${PATIENTS.helene.national.value}`;
    expect(textOf((await eventsOf(text)).get(`Patient/${helene}`))).to.include(text);
  });
});
