/** R-61 of access.md: the six rights of a patient about her data, as Tasks of data protection officers. */
import { expect } from 'chai';
import type { Communication, CommunicationPayload, Task } from '@medplum/fhirtypes';
import { eventsOf, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { changeResource } from '../support/region-file.ts';
import { onEachStore } from './support/each-store.ts';

const STRASBOURG = 'Organization/demo-strasbourg';
const OFFICE = { system: 'urn:passerelle:CodeSystem:region-role', code: 'establishment-dpo' };

onEachStore(
  'Patient/$data-subject-request (R-61)',
  {
    region: (region) =>
      changeResource(region, 'PractitionerRole/demo-strasbourg-desk-role', { code: [{ coding: [OFFICE] }] }),
  },
  (running) => {
    let region: Demonstration;
    let officers: { readonly region: FhirCaller; readonly strasbourg: FhirCaller };
    before(async () => {
      const { server } = running();
      region = await fillDemonstration(server);
      officers = {
        region: await personCaller(server, 'demo-region-dpo'),
        strasbourg: await personCaller(server, 'demo-strasbourg-desk'),
      };
    });

    const parameters = (members: Readonly<Record<string, object>>): object => ({
      resourceType: 'Parameters',
      parameter: Object.entries(members).map(([name, value]) => ({ name, ...value })),
    });
    const ask = async (caller: FhirCaller, members: Readonly<Record<string, object>>): Promise<FhirAnswer> =>
      await caller.send('POST', 'Patient/$data-subject-request', parameters(members));
    const right = (code: string): { right: object } => ({ right: { valueCode: code } });
    const at = (reference: string): { organization: object } => ({ organization: { valueReference: { reference } } });
    const helene = (): { patient: object } => ({
      patient: { valueReference: { reference: `Patient/${region.patients.helene}` } },
    });
    const decide = async (caller: FhirCaller, path: string, verdict: string, comment: string): Promise<FhirAnswer> =>
      await caller.send(
        'POST',
        `${path}/$decide`,
        parameters({
          verdict: { valueCode: verdict },
          comment: { valueString: comment },
        }),
      );
    const newest = async (): Promise<Communication | undefined> =>
      (await region.patient.find<Communication>('Communication?_sort=-sent&_count=1'))[0];

    for (const code of ['access', 'rectification', 'restriction', 'objection'])
      it(`${code} is a Task of the region’s officer, due in a month, of which she is told`, async () => {
        const answer = await ask(region.patient, right(code));
        expect(answer.status, answer.text).to.equal(201);
        const path = pathOf(answer);
        const task = (await region.patient.get(path)).json<Task>();
        expect([task.status, task.code?.coding?.[0]?.code]).to.deep.equal(['requested', code]);
        expect(task.performerType?.[0]?.coding?.[0]?.code).to.equal('region-dpo');
        const days = (Date.parse(task.restriction?.period?.end ?? '') - Date.parse(task.authoredOn ?? '')) / 86_400_000;
        expect(days).to.be.within(28, 32);
        const found = await officers.region.find<Task>(`Task?code=${code}&status=requested`);
        expect(found.map(({ id }) => `Task/${id}`)).to.deep.equal([path]);
        expectOutcome(await officers.strasbourg.get(path), 404, 'not-found');
        for (const caller of [region.declared, region.strasbourg, region.nancy])
          expectOutcome(await caller.get(path), 404, 'not-found');
        const notice = await newest();
        expect(notice?.about?.[0]?.reference).to.equal(path);
        expect(notice?.payload?.[0]?.contentString).to.match(
          /^Votre demande .* vous répondra le \d+ \S+ \d{4} au plus/,
        );
        const [event] = await eventsOf(region.patient, 'operation');
        expect(JSON.stringify(event?.entity)).to.include(path).and.to.include('data-subject-request');
        expect(pathOf(await ask(region.patient, right(code))), 'said again it is the same').to.equal(path);
      });

    it('erasure is asked of the server itself: it hides the record at once', async () => {
      const answer = await ask(region.patient, right('erasure'));
      expect(answer.status, answer.text).to.equal(201);
      expect((await region.patient.get(pathOf(answer))).json<Task>().code?.coding?.[0]?.code).to.equal('erasure');
      expect(await region.declared.find(`ImagingStudy?patient=${region.patients.helene}`)).to.deep.equal([]);
      expect((await region.patient.send('POST', 'Patient/$cancel-erasure')).status).to.equal(200);
      for (const further of [at(STRASBOURG), { detail: { valueString: 'Le scanner de mai' } }])
        expectOutcome(await ask(region.patient, { ...right('erasure'), ...further }), 400, 'invalid');
    });

    it('is read, searched and decided by the officer of the establishment that she names', async () => {
      const detail = { detail: { valueString: 'Le côté est faux dans le compte rendu' } };
      const asked = { ...right('rectification'), ...detail, ...at(STRASBOURG) };
      const path = pathOf(await ask(region.patient, asked));
      const [task] = await officers.strasbourg.find<Task>('Task?code=rectification');
      expect(`Task/${task?.id}`).to.equal(path);
      expect([task?.owner?.reference, task?.description]).to.deep.equal([STRASBOURG, detail.detail.valueString]);
      expect((await officers.region.get(path)).status, 'the region sees that it is answered').to.equal(200);
      for (const by of [region.declared, region.strasbourg, region.patient])
        expectOutcome(await decide(by, path, 'granted', 'Corrigé'), 403, 'forbidden');
      for (const none of ['justified', 'lifted'])
        expectOutcome(await decide(officers.strasbourg, path, none, 'Corrigé'), 400, 'invalid');
      const before = (await region.patient.get(path)).json<Task>().restriction?.period?.end ?? '';
      expect((await decide(officers.strasbourg, path, 'extended', 'Le service est fermé')).status).to.equal(200);
      const longer = (await region.patient.get(path)).json<Task>();
      expect([longer.status, longer.owner?.reference]).to.deep.equal(['requested', STRASBOURG]);
      expect(pathOf(await ask(region.patient, asked)), 'said again it is the same').to.equal(path);
      expect(Date.parse(longer.restriction?.period?.end ?? '')).to.be.greaterThan(Date.parse(before) + 55 * 86_400_000);
      expect((await newest())?.payload?.[0]?.contentString).to.include('demande plus de temps');
      expectOutcome(await decide(officers.strasbourg, path, 'extended', 'Encore'), 422, 'business-rule');
      expect((await decide(officers.strasbourg, path, 'refused', 'Le côté est juste')).status).to.equal(200);
      const refused = (await region.patient.get(path)).json<Task>();
      expect(refused).to.deep.include({
        status: 'rejected',
        owner: { reference: 'Practitioner/demo-strasbourg-desk' },
      });
      expect(refused.output?.[0]?.valueCodeableConcept?.text).to.equal('Le côté est juste');
      const notice = await newest();
      expect(notice?.category?.[0]?.coding?.[0]?.code).to.equal('request-decided');
      const [payload] = (notice?.payload ?? []) as (CommunicationPayload & { _contentString?: object })[];
      expect(payload?.contentString).to.include('est refusée').and.to.include('réclamation');
      expect(JSON.stringify(payload?._contentString)).to.include('abgelehnt').and.to.include('is refused');
      expect((await decide(officers.region, path, 'granted', 'Corrigé')).status, 'decided anew').to.equal(200);
      expect((await region.patient.get(path)).json<Task>().status).to.equal('completed');
    });

    it('is filed by an establishment that feeds her, for its own officer; others hear of nobody', async () => {
      const answer = await ask(region.strasbourg, { ...right('access'), ...helene() });
      expect(answer.status, answer.text).to.equal(201);
      expect((await officers.strasbourg.get(pathOf(answer))).json<Task>().owner?.reference).to.equal(STRASBOURG);
      expect((await region.patient.get(pathOf(answer))).status).to.equal(200);
      expectOutcome(await region.strasbourg.get(pathOf(answer)), 404, 'not-found');
      expectOutcome(await ask(region.strasbourg, right('access')), 400, 'required');
      expectOutcome(await ask(region.declared, { ...right('access'), ...helene() }), 403, 'forbidden');
      const unknown = { patient: { valueReference: { reference: 'Patient/nobody' } } };
      const hers = await ask(region.luxembourg, { ...right('access'), ...helene() });
      const nobody = await ask(region.luxembourg, { ...right('access'), ...unknown });
      expectOutcome(hers, 404, 'not-found');
      expect(hers.text).to.equal(nobody.text);
      const other = at('Organization/demo-nancy');
      expectOutcome(await ask(region.strasbourg, { ...right('access'), ...helene(), ...other }), 400, 'invalid');
    });

    it('names a right, an establishment of the region and few words; one speaker has twenty that wait', async () => {
      expectOutcome(await ask(region.patient, right('everything')), 400, 'invalid');
      expectOutcome(await ask(region.patient, at(STRASBOURG)), 400, 'required');
      expectOutcome(await ask(region.patient, { ...right('access'), ...at('Organization/nobody') }), 400, 'invalid');
      const long = { detail: { valueString: 'x'.repeat(2_001) } };
      expectOutcome(await ask(region.patient, { ...right('access'), ...long }), 400, 'invalid');
      let answer = await ask(region.patient, { ...right('objection'), detail: { valueString: 'une' } });
      for (let more = 0; more < 20 && answer.status === 201; more += 1)
        answer = await ask(region.patient, { ...right('objection'), detail: { valueString: `objet ${more}` } });
      expectOutcome(answer, 413, 'too-costly');
      expect((await ask(region.patient, right('access'))).status, 'what waits is said again').to.equal(201);
    });
  },
);

function pathOf(answer: FhirAnswer): string {
  return answer.headers.get('location')?.replace(/.*\/fhir\//, '') ?? '';
}
