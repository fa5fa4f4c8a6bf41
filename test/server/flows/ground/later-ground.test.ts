/** What a patient is told when what was filed on no ground gets one later. */
import type { Communication, Encounter } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { visitOf } from '../identity/session.ts';
import { doStep } from '../identity/steps.ts';
import { onEachRestricting, OTHER, strasbourgInforms } from './restricting.ts';

const DAY_MS = 24 * 3_600_000;

onEachRestricting(
  'A ground that comes later',
  (restricting) => {
    it('tells her who reads her record then, service and people of a stay, and of no document again', async () => {
      const { world, session, fed, sent, informed, patientOf } = restricting();
      const { organization } = ESTABLISHMENTS.nancy;
      await fed(OTHER);
      await sent(OTHER, 0);
      await doStep(session, { does: 'report', of: OTHER, study: 0, isFinal: true }, async () => undefined);
      const stay: Encounter = {
        resourceType: 'Encounter',
        status: 'in-progress',
        class: { system: CODE_SYSTEM.actCode, code: 'IMP' },
        subject: { reference: await patientOf(OTHER) },
        period: { start: '2026-01-14T08:00:00Z' },
        serviceProvider: { reference: organization },
      };
      const nancy = world.establishment(organization);
      await world.write(nancy, { interaction: 'create', type: 'Encounter', resource: stay });
      await world.rest();
      const told = async (): Promise<readonly string[]> => {
        const patient = await visitOf(session, await patientOf(OTHER));
        const notices = await world.find<Communication>(patient, 'Communication', '');
        return notices.map(({ category }) => category?.[0]?.coding?.[0]?.code ?? '').sort();
      };
      expect(await told(), 'on no ground').to.deep.equal(['new-document']);
      world.tick(DAY_MS);
      await informed(OTHER);
      await world.rest();
      expect(await told(), 'informed').to.deep.equal(['imaging-service', 'new-document', 'stay']);
    });
  },
  strasbourgInforms,
);
