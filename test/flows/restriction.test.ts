/**
 * The restriction of processing that a data protection officer grants (GDPR 18): what was filed until then is kept for
 * its author, the patient and officers alone, through every door, until it is lifted, of which she is told before.
 * @see access.md 3, L2; R-61
 */
import type { Communication, DiagnosticReport, ImagingStudy, Parameters, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { eventually, expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { personCaller } from '../support/demonstration.ts';
import { expectHidden, expectShown } from './support/cell.ts';
import { DOORS } from './support/doors/doors.ts';
import { onEachWorld } from './support/each-store.ts';
import { canAsk, type PersonKey } from './support/people.ts';
import { find, send } from './support/fhir.ts';
import { breakGlass, callOf, type World } from './support/world.ts';

const OTHERS: readonly PersonKey[] = ['declared', 'emergency'];
const TYPES = ['ImagingStudy', 'DiagnosticReport', 'DocumentReference'] as const;

onEachWorld('A restriction of processing', (world: () => World, store: string) => {
  const persons: readonly PersonKey[] = store === 'SQLite' ? ['author', 'patient', ...OTHERS] : ['declared'];
  let officer: FhirCaller;

  before(async () => {
    await breakGlass(world());
    officer = await personCaller(world().server, 'demo-region-dpo');
  });

  /** She asks for it, of what one establishment holds or of all. */
  const asked = async (organization?: string): Promise<string> => {
    const body: Parameters = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'right', valueCode: 'restriction' },
        ...(organization === undefined ? [] : [{ name: 'organization', valueReference: { reference: organization } }]),
      ],
    };
    await send(callOf(world(), 'patient'), '/Patient/$data-subject-request', body);
    const tasks = await find<Task>(callOf(world(), 'patient'), 'Task?code=restriction&status=requested');
    return `Task/${tasks[0]?.id}`;
  };
  const decide = async (task: string, verdict: string): Promise<FhirAnswer> => {
    const parameter = [
      { name: 'verdict', valueCode: verdict },
      { name: 'comment', valueString: 'Exactitude contestée, vérification en cours' },
    ];
    return await officer.send('POST', `${task}/$decide`, { resourceType: 'Parameters', parameter });
  };
  const count = async (who: PersonKey, query: string): Promise<number> =>
    (await find(callOf(world(), who), `${query}${query.includes('?') ? '&' : '?'}_count=100`)).length;
  /** What she is answered who shares an item by e-mail. */
  const shared = async (item: string): Promise<FhirAnswer> => {
    const parameter = [
      { name: 'email', valueString: 'friend@example.org' },
      { name: 'reason', valueString: 'Deuxième avis' },
    ];
    const patient = await personCaller(world().server, 'demo-patient');
    return await patient.send('POST', `${item}/$share`, { resourceType: 'Parameters', parameter });
  };
  const seenBy = async (who: PersonKey, expected: number): Promise<void> => {
    await eventually(async () => ((await count(who, 'ImagingStudy')) === expected ? true : undefined));
  };

  it('of what another establishment holds leaves this exam as it is', async () => {
    const task = await asked(ESTABLISHMENTS.nancy.organization);
    expect((await decide(task, 'granted')).status).to.equal(200);
    await settled(world());
    await expectStill(world(), 1);
  });

  it('hides what the record held from all but author, patient and officers, at every door', async () => {
    const task = await asked();
    expect((await officer.find('ImagingStudy')).length, 'before').to.equal(0);
    expect((await decide(task, 'granted')).status).to.equal(200);
    await seenBy('declared', 0);
    const failures: string[] = [];
    for (const person of persons)
      for (const door of DOORS.filter((one) => canAsk(person, one))) {
        const answer = OTHERS.includes(person)
          ? expectHidden(world(), door, person)
          : expectShown(world(), door, person);
        await answer.catch((error: Error) => failures.push(`${person} ${door.name}: ${error.message}`));
      }
    expect(failures.join('\n')).to.equal('');
    for (const type of TYPES) expect((await officer.find(type)).length, type).to.equal(await count('author', type));
    // Who signed the report is its author; the images are the establishment's.
    expect(await count('radiologist', 'ImagingStudy')).to.equal(0);
    expect(await count('radiologist', 'DiagnosticReport')).to.equal(1);
    for (const item of [`ImagingStudy/${world().ids.imagingStudy}`, `DiagnosticReport/${world().ids.diagnosticReport}`])
      expectOutcome(await shared(item), 422, 'business-rule');
    expect(await count('patient', 'Consent?category=urn:passerelle:CodeSystem:temporary-access|share')).to.equal(0);
    expectOutcome(await decide(task, 'refused'), 422, 'business-rule');
    expect((await decide(task, 'lifted')).status).to.equal(200);
    const told = await find<Communication>(callOf(world(), 'patient'), 'Communication?_sort=-sent&_count=1');
    expect(told[0]?.payload?.[0]?.contentString).to.include('La limitation reste en vigueur jusqu’au ');
    await settled(world());
    for (const type of TYPES) expect(await count('declared', type), `${type} until its day`).to.equal(0);
  });
});

/** Waits until the jobs that bring items to a restriction have run. */
async function settled({ server }: World): Promise<void> {
  await eventually(async () => {
    const health = (await (await fetch(`${server.url}/health/ready`)).json()) as {
      jobs: Record<string, { waiting: number; running: number }>;
    };
    const { waiting = 1, running = 1 } = health.jobs['settle-ground'] ?? {};
    return waiting + running === 0 ? true : undefined;
  });
}

async function expectStill(world: World, count: number): Promise<void> {
  const [study] = await find<ImagingStudy>(callOf(world, 'declared'), 'ImagingStudy');
  const [report] = await find<DiagnosticReport>(callOf(world, 'declared'), 'DiagnosticReport');
  expect([study, report].filter((one) => one !== undefined).length).to.equal(count * 2);
  expect(JSON.stringify([study?.meta, report?.meta])).not.to.include('restricted');
}
