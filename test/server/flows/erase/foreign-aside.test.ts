/** What another establishment sends under a number that is not its own to give (identity.md 4, R-34, R-60). */
import type { Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { oidUri } from '../../../../profiles/codes.ts';
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { eraseRecord } from '../../../../server/flows/erase/erase-record.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import { anINS, domainOf, patientOf } from '../../../flows/identity/people.ts';
import { errorOf } from '../../../support/faults.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { SYSTEM } from '../../../support/plans.ts';
import { openSession, type Session } from '../identity/session.ts';
import { asked, openErasing, recordOf, sentByAnother, type Erasing } from './her-record.ts';

for (const { name, missing, open } of EACH_STORE) {
  describe(`What is kept aside under a number of another establishment, on ${name}`, function () {
    this.timeout(120_000);
    let erasing: Erasing;

    before(async function () {
      if (missing() !== undefined) this.skip();
      erasing = await openErasing(open);
    });
    after(async () => await erasing?.close());

    /** The Tasks that list it, and how many instances they list. */
    async function listsOf(session: Session): Promise<readonly Task[]> {
      const query = { type: 'Task', where: [], count: 500, total: 'none', include: [] } as const;
      const { rows } = await erasing.world.stores.records.peek(SYSTEM, { kind: 'search', query });
      const study = oidUri(uidOf(`${session.run}/foreign`));
      return rows.map((row) => openedResource<Task>(row)).filter(({ focus }) => focus?.identifier?.value === study);
    }

    it('takes nothing while her record takes nothing; what is another’s stays, on a list of its own', async () => {
      const session = openSession(erasing.world);
      const texts = await recordOf(session);
      const [another, pixel] = [`ANOTHER-${session.run}`, `OF-ANOTHER-${session.run}`];
      await sentByAnother(session, { ...texts, name: 'Autre', IPP: another, 'pixel under her number': pixel });
      // Nancy says that number of her, which is not its to give.
      const localId = session.localId({ at: 'nancy', number: 0 });
      const numbers = [
        { ...anINS(), value: texts.INS },
        { system: domainOf('strasbourg'), value: another },
      ];
      const one = { family: texts.name, given: 'Ysoline', birthDate: '1979-05-14', gender: 'female', numbers } as const;
      const condition = `identifier=${domainOf('nancy')}|${localId}`;
      const resource = patientOf('nancy', localId, one);
      const nancy = erasing.world.establishment(ESTABLISHMENTS.nancy.organization);
      await erasing.world.write(nancy, { interaction: 'update', type: 'Patient', condition, resource });
      const [list, ...more] = await listsOf(session);
      expect([list?.status, more]).to.deep.equal(['requested', []]);
      expect(JSON.stringify(list)).to.include(texts.IPP);
      const task = await asked(session);
      expect(await errorOf(sentByAnother(session, texts))).to.have.property('kind', 'forbidden');
      await eraseRecord(erasing.deps)({ subject: task, attempts: 1 }, { goOn: async () => undefined });
      await erasing.world.rest();
      const lists = await listsOf(session);
      expect(lists.map(({ status }) => status)).to.deep.equal(['requested']);
      expect(JSON.stringify(lists)).to.include(another).and.not.include(texts.IPP);
      expect(await erasing.found({ IPP: pixel })).to.deep.equal(['IPP']);
      expect(await erasing.found(texts)).to.deep.equal([]);
    });
  });
}
