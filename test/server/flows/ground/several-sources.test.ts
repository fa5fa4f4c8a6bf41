/** An exam of two establishments is shared on the ground of each of them. */
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { ONE, onEachRestricting, OTHER, strasbourgInforms } from './restricting.ts';

onEachRestricting(
  'The ground of an exam of two establishments',
  (restricting) => {
    it('is that of each of them: it is shared while both have informed her', async () => {
      const { world, fed, sent, judged, informed, patientOf, isIn } = restricting();
      for (const whose of [ONE, OTHER]) await fed(whose);
      await judged('join');
      await sent(ONE, 0, 0);
      await sent(OTHER, 1, 0);
      await world.rest();
      expect([await isIn(0, 'unshared'), await isIn(1, 'unshared')], 'of one').to.deep.equal([false, true]);
      await sent(OTHER, 0, 1);
      await sent(ONE, 1, 1);
      await world.rest();
      expect([await isIn(0, 'unshared'), await isIn(1, 'unshared')], 'of both').to.deep.equal([true, true]);
      await informed(OTHER);
      await world.rest();
      expect([await isIn(0, 'unshared'), await isIn(1, 'unshared')], 'informed').to.deep.equal([false, false]);
      const nancy = world.establishment(ESTABLISHMENTS.nancy.organization);
      const [consent] = await world.find(nancy, 'Consent', `patient=${await patientOf(OTHER)}`);
      await world.write(nancy, { interaction: 'delete', type: 'Consent', id: consent?.id ?? '' });
      await world.rest();
      expect([await isIn(0, 'unshared'), await isIn(1, 'unshared')], 'no more').to.deep.equal([true, true]);
    });

    it('is that of the one who is left once a desk says that the other sent of somebody else', async () => {
      const { world, fed, sent, judged, isIn } = restricting();
      for (const whose of [ONE, OTHER]) await fed(whose);
      await judged('join');
      await sent(ONE, 0, 0);
      await sent(OTHER, 0, 1);
      await world.rest();
      expect(await isIn(0, 'unshared')).to.equal(true);
      await judged('separate');
      await world.rest();
      expect(await isIn(0, 'unshared')).to.equal(false);
    });
  },
  strasbourgInforms,
);
