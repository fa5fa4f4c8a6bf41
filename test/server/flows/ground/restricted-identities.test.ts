/** What a restriction of processing (GDPR 18) reaches: identities that join her, exams that are not derived yet. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Communication, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { expectFault } from '../../../support/faults.ts';
import { visitOf } from '../identity/session.ts';
import { doStep } from '../identity/steps.ts';
import { ONE, onEachRestricting, OTHER } from './restricting.ts';

const DAY_MS = 24 * 3_600_000;

onEachRestricting('A restriction of all that a patient’s record holds', (restricting) => {
  it('reaches an exam that was stored before it and is derived after it, and none that is stored later', async () => {
    const { world, fed, sent, asked, decided, isIn } = restricting();
    await fed(ONE);
    const task = await asked(ONE);
    await sent(ONE, 0);
    await decided(task, 'granted');
    // Longer than the clock of the decision is ahead of that of the store.
    await pause(1_500);
    await sent(ONE, 1);
    await world.rest();
    expect([await isIn(0, 'restricted'), await isIn(1, 'restricted')]).to.deep.equal([true, false]);
  });

  it('reaches what another identity had filed once a desk says that it is she', async () => {
    const { world, fed, sent, judged, asked, decided, isIn } = restricting();
    for (const whose of [ONE, OTHER]) await fed(whose);
    await sent(ONE, 0);
    await sent(OTHER, 1);
    await world.rest();
    await decided(await asked(ONE), 'granted');
    await world.rest();
    expect([await isIn(0, 'restricted'), await isIn(1, 'restricted')]).to.deep.equal([true, false]);
    await judged('join');
    await world.rest();
    expect([await isIn(0, 'restricted'), await isIn(1, 'restricted')]).to.deep.equal([true, true]);
  });

  it('is of her alone once a desk says that another identity is somebody else', async () => {
    const { world, fed, sent, judged, asked, decided, isIn } = restricting();
    for (const whose of [ONE, OTHER]) await fed(whose);
    await sent(ONE, 0);
    await sent(OTHER, 1);
    await judged('join');
    await world.rest();
    await decided(await asked(ONE), 'granted');
    await world.rest();
    expect([await isIn(0, 'restricted'), await isIn(1, 'restricted')]).to.deep.equal([true, true]);
    await judged('separate');
    await world.rest();
    expect([await isIn(0, 'restricted'), await isIn(1, 'restricted')]).to.deep.equal([true, false]);
  });

  it('is lifted, not refused, and ends with the day that she was told before (GDPR 18 (3))', async () => {
    const { world, session, fed, sent, asked, decided, patientOf, declaredSees } = restricting();
    await fed(ONE);
    await sent(ONE, 0);
    await doStep(session, { does: 'declare', of: ONE }, async () => undefined);
    await world.rest();
    const types = ['ImagingStudy', 'DocumentReference'] as const;
    expect(await declaredSees(...types), 'at first').to.deep.equal([1, 1]);
    const task = await asked(ONE);
    await expectFault(decided(task, 'lifted'), 'business-rule');
    await decided(task, 'granted');
    await world.rest();
    expect(await declaredSees(...types), 'granted').to.deep.equal([0, 0]);
    await expectFault(decided(task, 'refused'), 'business-rule');
    await decided(task, 'lifted');
    await expectFault(decided(task, 'lifted'), 'business-rule');
    const patient = await visitOf(session, await patientOf(ONE));
    const notices = await world.find<Communication>(patient, 'Communication', '');
    const texts = notices.map(({ payload }) => payload?.[0]?.contentString ?? '');
    const { executionPeriod } = (await world.find<Task>(patient, 'Task', `_id=${task}`))[0] ?? {};
    const end = Date.parse(executionPeriod?.end ?? '');
    const day = new Intl.DateTimeFormat('fr', { dateStyle: 'long', timeZone: 'Europe/Paris' }).format(end);
    expect(texts.filter((text) => text.includes(`jusqu’au ${day} inclus`))).to.have.length(1);
    for (const left of [6 * DAY_MS, 1]) {
      world.tick(end - left - world.now());
      await world.flows.jobs.runners.look();
      await world.flows.jobs.runners.idle();
      expect(await declaredSees(...types), `${left} ms before its end`).to.deep.equal([0, 0]);
    }
    world.tick(2);
    await world.rest();
    expect(await declaredSees(...types), 'after its end').to.deep.equal([1, 1]);
  });
});
