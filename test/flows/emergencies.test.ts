/** Emergencies of patients who are known by their traits, for how long, and what officers decide of them. */
import type { Consent, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { oidUri } from '../../profiles/codes.ts';
import { storedRows } from '../support/data-folder/stored-rows.ts';
import { personCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { byTraits, comparable, count, declare, JUSTIFICATION, UNKNOWN } from './support/emergencies.ts';

describe('Emergencies (Patient/$break-glass)', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  describe('by strict traits', () => {
    const { familyName, givenName, birthDate, gender } = PATIENTS.gaetan;
    const traits = { name: [{ family: familyName, given: [givenName] }], birthDate, gender };
    const by = async (caller: FhirCaller, what: object): Promise<FhirAnswer> =>
      await caller.send('POST', 'Patient/$break-glass', byTraits(what));

    it('finds a patient, however the name is written, and answers the same for nobody', async () => {
      const doctor = await personCaller(region.server, 'demo-region-desk');
      const ofGaetan = `ImagingStudy?patient=${region.patients.gaetan}`;
      for (const other of [
        { ...traits, gender: 'female' },
        { ...traits, birthDate: '1957-11-03' },
        { ...traits, name: [{ family: familyName, given: ['Jean'] }] },
      ])
        expect((await by(doctor, other)).status).to.equal(201);
      expect(await count(doctor, ofGaetan)).to.equal(0);
      const unknown = await by(doctor, { ...traits, name: [{ family: 'Personne', given: [givenName] }] });
      const known = await by(doctor, { ...traits, name: [{ family: 'FREMINVAL', given: ['gaetan'] }] });
      expect(comparable(known)).to.equal(comparable(unknown));
      expect(await count(doctor, ofGaetan)).to.equal(1);
    });

    it('needs a family name, a given name, a birth date and a sex, and no number beside them', async () => {
      for (const left of ['name', 'birthDate', 'gender'] as const) {
        const { [left]: _left, ...others } = traits;
        expectOutcome(await by(region.stranger, others), 400, 'required');
      }
      expectOutcome(await by(region.stranger, { ...traits, birthDate: '1957-11' }), 400, 'required');
      const both = byTraits(traits) as { parameter: object[] };
      both.parameter.push({ name: 'identifier', valueIdentifier: PATIENTS.gaetan.national });
      expectOutcome(await region.stranger.send('POST', 'Patient/$break-glass', both), 400, 'invalid');
    });

    it('opens nothing where two persons bear them, and the desk of the region is told which', async () => {
      const homonym = {
        resourceType: 'Patient',
        ...traits,
        identifier: [{ system: oidUri(ESTABLISHMENTS.nancy.patientIdDomain), value: 'NC-HOMONYM' }],
      };
      expect((await region.nancy.send('POST', 'Patient', homonym)).status).to.equal(201);
      const doctor = await personCaller(region.server, 'demo-strasbourg-desk');
      expect((await by(doctor, traits)).status).to.equal(201);
      expect(await count(doctor, `ImagingStudy?patient=${region.patients.gaetan}`)).to.equal(0);
      const desk = await personCaller(region.server, 'demo-region-desk');
      const [task, ...others] = await desk.find<Task>('Task?code=ambiguous-emergency');
      expect(others).to.deep.equal([]);
      const named = task?.input?.map(({ valueReference }) => valueReference?.reference);
      expect(named).to.have.length(2).and.to.include(`Patient/${region.patients.gaetan}`);
    });
  });

  it('lasts as long as is asked for, and no longer than the server is set to', async () => {
    const lasting = async (value: number, code = 'min', system = 'http://unitsofmeasure.org'): Promise<FhirAnswer> =>
      await declare(region.stranger, {
        identifier: PATIENTS.gaetan.national,
        further: [{ name: 'duration', valueDuration: { value, code, system, unit: code } }],
      });
    for (const answer of [await lasting(241), await lasting(0), await lasting(5, 'h'), await lasting(1, 'd')])
      expectOutcome(answer, 400, 'invalid');
    expectOutcome(await lasting(30, 'min', 'urn:other'), 400, 'invalid');
    expect((await lasting(30)).status).to.equal(201);
    const consents = storedRows(region.server.dataDir, 'Consent') as unknown as Consent[];
    const periods = consents.map(({ provision }) => provision?.period ?? {});
    const minutes = periods.map(({ start = '', end = '' }) => (Date.parse(end) - Date.parse(start)) / 60_000);
    expect(minutes.filter((one) => one === 30)).to.have.length(1);
  });

  describe('the data protection officer of the region', () => {
    let officer: FhirCaller;
    before(async () => {
      officer = await personCaller(region.server, 'demo-region-dpo');
    });
    const tasks = async (search: string): Promise<readonly Task[]> =>
      await officer.find<Task>(`Task?${search}&_count=200`);

    it('finds each review, of whom nobody knows, too, by code, requester and time', async () => {
      const before = await tasks('code=break-glass-review&requester=Practitioner/demo-stranger');
      expect((await declare(region.stranger, { identifier: UNKNOWN })).status).to.equal(201);
      const reviews = await tasks('code=break-glass-review&requester=Practitioner/demo-stranger');
      expect(reviews).to.have.length(before.length + 1);
      expect(reviews[0]).to.deep.include({ description: JUSTIFICATION, status: 'requested' });
      expect(reviews[0]).to.not.have.property('for');
      expect(reviews.some(({ for: of }) => of?.reference === `Patient/${region.patients.gaetan}`)).to.equal(true);
      expect(await tasks('code=break-glass-review&requester=Practitioner/nobody')).to.deep.equal([]);
      expect(await tasks('code=break-glass-review&authored-on=gt2999-01-01')).to.deep.equal([]);
    });

    it('decides a review: unjustified ends the access, suspends and is told; justified gives back', async () => {
      const other = await personCaller(region.server, 'demo-declared');
      const declared = await declare(other, { identifier: PATIENTS.gaetan.national });
      expect(declared.status, declared.text).to.equal(201);
      const review = declared.headers.get('location')?.replace(/.*\/fhir\//, '') ?? '';
      const ofGaetan = `ImagingStudy?patient=${region.patients.gaetan}`;
      const before = await count(other, ofGaetan);
      const decide = async (verdict: string, by: FhirCaller = officer, comment = 'Dossier relu'): Promise<FhirAnswer> =>
        await by.send('POST', `${review}/$decide`, {
          resourceType: 'Parameters',
          parameter: [
            { name: 'verdict', valueCode: verdict },
            { name: 'comment', valueString: comment },
          ],
        });
      for (const by of [other, region.stranger, region.strasbourg, region.patient])
        expectOutcome(await decide('unjustified', by), 403, 'forbidden');
      expectOutcome(await decide('perhaps'), 400, 'invalid');
      expectOutcome(await decide('unjustified', officer, ''), 400);
      expectOutcome(await officer.send('POST', 'Task/nothing/$decide', { resourceType: 'Parameters' }), 400);
      expect((await decide('unjustified')).status).to.equal(200);
      expect(before).to.equal(1);
      expect(await count(other, ofGaetan), 'the access has ended').to.equal(0);
      expectOutcome(await declare(other), 403, 'forbidden');
      const task = (await officer.get(review)).json<Task>();
      expect(task).to.deep.include({ status: 'completed', owner: { reference: 'Practitioner/demo-region-dpo' } });
      const told = storedRows(region.server.dataDir, 'Communication').map((notice) => JSON.stringify(notice));
      expect(told.filter((text) => text.includes('n’était pas justifié'))).to.have.length(1);
      expect(task.output?.[0]?.valueCodeableConcept?.coding?.[0]?.code).to.equal('unjustified');
      expect((await decide('justified')).status).to.equal(200);
      expect((await declare(other)).status, 'given back').to.equal(201);
      expect(await count(other, ofGaetan), 'what ended stays so').to.equal(0);
    });

    it('F08 hears at once of the eleventh of a day, which is granted; who tries numbers of nobody waits', async () => {
      const declared = (await tasks('code=break-glass-review&requester=Practitioner/demo-stranger')).length;
      expect(await tasks('code=break-glass-alert')).to.deep.equal([]);
      for (let more = declared; more < 10; more += 1)
        expect((await declare(region.stranger)).status, String(more)).to.equal(201);
      expect(await tasks('code=break-glass-alert')).to.deep.equal([]);
      expect((await declare(region.stranger)).status).to.equal(201);
      expect(await count(region.stranger, `ImagingStudy?patient=${region.patients.helene}`)).to.equal(2);
      const [alert, ...others] = await tasks('code=break-glass-alert');
      expect(alert).to.deep.include({ priority: 'urgent', requester: { reference: 'Practitioner/demo-stranger' } });
      expect(others).to.deep.equal([]);
      let answer = await declare(region.stranger, { identifier: UNKNOWN });
      for (let tries = 0; tries < 60 && answer.status === 201; tries += 1)
        answer = await declare(region.stranger, { identifier: { ...UNKNOWN, value: `2999999999${10_000 + tries}` } });
      expectOutcome(answer, 429, 'throttled');
      expectOutcome(await declare(region.stranger), 429, 'throttled');
      const reviews = await tasks('code=break-glass-review&requester=Practitioner/demo-stranger');
      const unmatched = reviews.filter(({ for: of }) => of === undefined);
      expect(unmatched).to.have.length(50);
      const other = await personCaller(region.server, 'demo-declared');
      expect((await declare(other)).status).to.equal(201);
    });
  });
});
