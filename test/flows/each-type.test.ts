/** Who writes each type over FHIR, by its file: what is answered, recorded, and seen by nobody else. */
import type { AuditEvent, Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { subjectOf } from '../../profiles/types/row-rules.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../profiles/types/visibility.ts';
import { loadDefinitions, type LoadedDefinitions } from '../../server/runtime/definitions.ts';
import { eventually, expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { exampleResources } from '../support/examples/example-resources.ts';

/** Types without behaviour of their own; what others do is told by the tests of each. */
const PLAIN = STORED_TYPES.filter((type) => fhirType(type).hooks?.write === undefined);
const WRITTEN = PLAIN.filter((type) => (fhirType(type).interactions as readonly string[]).includes('create'));

/** The professional of the demonstration whom nobody declared. */
const STRANGER = 'Practitioner/demo-stranger';

describe('Each type over FHIR, by its file', function () {
  this.timeout(60_000);
  let region: Demonstration;
  let loaded: LoadedDefinitions;
  before(async () => {
    region = await startDemonstration();
    loaded = await loadDefinitions();
  });
  after(async () => await region.server.stop());

  /** Whether an example is about a Patient at all: some are about a Group, or name other participants. */
  function isOf(type: StoredType, example: Resource): boolean {
    return subjectOf(type, example)?.startsWith('Patient/') === true;
  }

  /** Examples about a Patient (its id), which name nothing else. */
  function examplesOf(type: StoredType, patient: string): readonly Resource[] {
    const findTarget = (types: readonly string[]) => (types.includes('Patient') ? `Patient/${patient}` : undefined);
    return exampleResources(type, loaded, { findTarget })
      .filter((example) => isOf(type, example))
      .map(({ id: _id, ...example }) => example as Resource);
  }

  /** Creates it; resolves with `Type/id`. */
  async function create(caller: FhirCaller, resource: Resource): Promise<string> {
    const answer = await caller.send('POST', resource.resourceType, resource);
    expect(answer.status, answer.text).to.equal(201);
    return /\/fhir\/(\w+\/[^/]+)/.exec(answer.headers.get('location') ?? '')?.[1] ?? '';
  }

  const eventsAbout = async (path: string): Promise<readonly AuditEvent[]> =>
    await region.patient.find<AuditEvent>(`AuditEvent?entity=${path}&action=C`);

  for (const type of WRITTEN) {
    const { writers, class: visibility } = fhirType(type);

    it(`${type}: is written by the source of its patient, who sees that; others see nothing of it`, async () => {
      const examples = examplesOf(type, region.patients.helene);
      expect(examples).to.not.have.lengthOf(0);
      for (const example of examples) {
        const path = await create(region.strasbourg, example);
        expect((await region.strasbourg.get(path)).status).to.equal(200);
        for (const other of [region.nancy, region.stranger]) {
          expectOutcome(await other.get(path), 404, 'not-found');
          expect(await other.find(`${type}?_id=${path.split('/')[1]}`)).to.deep.equal([]);
        }
        await eventually(async () => (await eventsAbout(path))[0]);
      }
    });

    it(`${type}: is of a patient whom the sender knows, or it is refused and nothing of it stays`, async () => {
      const [example] = examplesOf(type, region.patients.gaetan);
      if (example === undefined) throw new Error('There is no example');
      const before = await region.nancy.find(`${type}?_count=1000`);
      expectOutcome(await region.nancy.send('POST', type, example), 400, 'invalid');
      expectOutcome(await region.stranger.send('POST', type, example), 403, 'forbidden');
      expect(await region.nancy.find(`${type}?_count=1000`)).to.deep.equal(before);
    });

    it(`${type}: is written by ${writers === 'source' ? 'no patient' : 'the patient of her own record'}`, async () => {
      const [own] = examplesOf(type, region.patients.helene);
      const [foreign] = examplesOf(type, region.patients.gaetan);
      if (own === undefined || foreign === undefined) throw new Error('There is no example');
      if (writers === 'source') {
        expectOutcome(await region.patient.send('POST', type, own), 403, 'forbidden');
        return;
      }
      const path = await create(region.patient, own);
      expect((await region.patient.get(path)).status).to.equal(200);
      expectOutcome(await region.stranger.get(path), 404, 'not-found');
      expectOutcome(await region.patient.send('POST', type, foreign), 400, 'invalid');
    });

    it(`${type}: is changed and deleted by who wrote it alone`, async () => {
      const { helene, gaetan } = region.patients;
      for (const [other, patient] of [
        [region.nancy, gaetan],
        [region.stranger, helene],
        [region.patient, helene],
      ] as const) {
        const [example] = examplesOf(type, patient);
        if (example === undefined) throw new Error('There is no example');
        const path = await create(region.strasbourg, example);
        const changed = { ...example, id: path.split('/')[1] };
        const update = await other.send('PUT', path, changed);
        expect(update.status, update.text).to.be.oneOf([403, 404]);
        // By a condition, too: what is hidden does not match, and would be made by who may.
        const conditional = await other.send('PUT', `${type}?_id=${changed.id}`, changed);
        expect(conditional.status, conditional.text).to.be.oneOf([400, 403, 404]);
        // What is hidden is absent, and what is absent is deleted already.
        const deletion = await other.send('DELETE', path);
        expect(deletion.status, deletion.text).to.be.oneOf([204, 403, 404]);
        expect((await region.strasbourg.get(path)).headers.get('etag')).to.equal('W/"1"');
        expect((await region.strasbourg.send('PUT', path, changed)).status).to.equal(200);
        expect((await region.strasbourg.send('DELETE', path)).status).to.equal(204);
        expectOutcome(await region.strasbourg.get(path), 410, 'deleted');
        expectOutcome(await region.nancy.get(path), 404, 'not-found');
      }
    });

    it(`${type}: of a person whom both know is each one’s own: a condition finds no other’s`, async () => {
      const [example] = examplesOf(type, region.patients.helene);
      if (example === undefined) throw new Error('There is no example');
      const path = await create(region.strasbourg, example);
      const id = path.split('/')[1];
      expectOutcome(await region.nancy.send('PUT', path, { ...example, id }), 404, 'not-found');
      const made = await region.nancy.send('PUT', `${type}?_id=${id}`, example);
      expect(made.status, made.text).to.equal(201);
      expect(made.headers.get('location')).to.not.include(path);
      expect((await region.strasbourg.get(path)).headers.get('etag')).to.equal('W/"1"');
    });

    it(`${type}: gives no right to whom it names`, async () => {
      const named = exampleResources(type, loaded, {
        findTarget: (types) => {
          if (types.includes('Patient')) return `Patient/${region.patients.gaetan}`;
          return types.includes('Practitioner') ? STRANGER : undefined;
        },
      });
      for (const { id: _id, ...example } of named.filter((one) => isOf(type, one)))
        await create(region.strasbourg, example as Resource);
      for (const other of ['Patient', 'ImagingStudy', 'DiagnosticReport', 'DocumentReference', type] as const)
        expect(await region.stranger.find(`${other}?_count=100`), other).to.deep.equal([]);
      expect(visibility).to.be.oneOf(['item', 'patient']);
    });
  }

  for (const type of PLAIN.filter((one) => !WRITTEN.includes(one))) {
    it(`${type}: is written by no client`, async () => {
      for (const caller of [region.strasbourg, region.patient, region.stranger]) {
        for (const [method, path] of [['POST', type] as const, ['PUT', `${type}/some-id`] as const]) {
          const answer = await caller.send(method, path, { resourceType: type, id: 'some-id' });
          expect(answer.status, `${method} ${path}: ${answer.text}`).to.be.oneOf([403, 404, 405]);
        }
      }
    });
  }
});
