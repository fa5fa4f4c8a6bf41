/** What a restriction of processing (GDPR 18) reaches: identities that join her, exams that are not derived yet. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { ONE, onEachRestricting, OTHER } from './restricting.ts';

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
});
