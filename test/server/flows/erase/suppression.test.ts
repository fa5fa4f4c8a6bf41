/** N04 of smart-security.md: who was erased stays erased, and nobody is kept by a number that is another's too. */
import { join } from 'node:path';
import type { Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { isOpposition } from '../../../../server/access/switches.ts';
import { openErasureKey } from '../../../../server/clients/erasure-key/erasure-key.ts';
import { checkErasureKey } from '../../../../server/flows/erase/known-again/check-erasure-key.ts';
import { eraseRecord } from '../../../../server/flows/erase/erase-record.ts';
import { findIdentity } from '../../../../server/flows/identity/persons.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { anINS, domainOf, patientOf, type Somebody } from '../../../flows/identity/people.ts';
import { errorOf } from '../../../support/faults.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { openSession, type Session } from '../identity/session.ts';
import { asked, openErasing, recordOf, sent, sentByAnother, type Erasing, type Texts } from './her-record.ts';

for (const { name, missing, open } of EACH_STORE) {
  describe(`Who was erased, on ${name}`, function () {
    this.timeout(120_000);
    let erasing: Erasing;
    let session: Session;
    let texts: Texts;

    before(async function () {
      if (missing() !== undefined) this.skip();
      erasing = await openErasing(open);
      session = openSession(erasing.world);
      texts = await recordOf(session);
      const task = await asked(session);
      await eraseRecord(erasing.deps)({ subject: task, attempts: 1 }, { goOn: async () => undefined });
    });
    after(async () => await erasing?.close());

    /** Feeds somebody to Luxembourg or Strasbourg; resolves with the Fault, if it is refused. */
    async function fed(at: 'strasbourg' | 'nancy', localId: string, one: Partial<Somebody>): Promise<unknown> {
      const traits = { family: texts.name, given: 'Ysoline', birthDate: '1979-05-14', gender: 'female' } as const;
      const resource: Patient = patientOf(at, localId, { ...traits, ...one });
      const condition = `identifier=${domainOf(at)}|${localId}`;
      const establishment = erasing.world.establishment(ESTABLISHMENTS[at].organization);
      const act = { interaction: 'update', type: 'Patient', condition, resource } as const;
      return await erasing.world.write(establishment, act).then(
        () => undefined,
        (error: unknown) => error,
      );
    }
    const known = async (at: 'strasbourg' | 'nancy', localId: string) =>
      await findIdentity(
        erasing.world.stores.records,
        systemReading('resolve-identity', erasing.world.now()),
        domainOf(at),
        localId,
      );
    const INS = (): Somebody['numbers'] => [{ ...anINS(), value: texts.INS }];

    it('N04 her images that are sent again are refused (0124H), and nothing of them is on disk', async () => {
      expect(isOpposition(await errorOf(sent(session, texts)))).to.equal(true);
      const { token: _, ...own } = { ...texts, token: '' };
      expect(await erasing.found(own)).to.deep.equal([]);
      expect(await known('strasbourg', texts.IPP)).to.equal(undefined);
    });

    it('and so is what another establishment sends under the number that hers had given her', async () => {
      expect(isOpposition(await errorOf(sentByAnother(session, texts)))).to.equal(true);
      expect(await erasing.found({ 'pixel under her number': texts['pixel under her number'] })).to.deep.equal([]);
    });

    it('her establishment feeds her in vain by the number that it had given her, whatever name it says', async () => {
      expect(isOpposition(await fed('strasbourg', texts.IPP, { family: 'Autrenom' }))).to.equal(true);
      expect(await known('strasbourg', texts.IPP)).to.equal(undefined);
    });

    it('another establishment feeds her in vain by her qualified number with her traits', async () => {
      expect(isOpposition(await fed('nancy', `new-${session.run}`, { numbers: INS() ?? [] }))).to.equal(true);
      expect(await erasing.found({ INS: texts.INS })).to.deep.equal([]);
    });

    it('nor when it says who she is after it had said a number of its own alone', async () => {
      const localId = `later-${session.run}`;
      expect(await fed('nancy', localId, { family: 'Inconnue', birthDate: '1900-01-01' })).to.equal(undefined);
      expect(isOpposition(await fed('nancy', localId, { numbers: INS() ?? [] }))).to.equal(true);
      expect(await erasing.found({ INS: texts.INS })).to.deep.equal([]);
    });

    it('who has her name and birth date alone is taken, and so is who bears her number with other traits', async () => {
      expect(await fed('nancy', `namesake-${session.run}`, {})).to.equal(undefined);
      const other = { family: 'Vantréjols', birthDate: '1997-02-03', numbers: INS() ?? [] };
      expect(await fed('nancy', `other-${session.run}`, other)).to.equal(undefined);
      expect((await known('nancy', `other-${session.run}`))?.resource.birthDate).to.equal('1997-02-03');
    });

    it('a start with another key says so, as nobody who was erased is known again by it', async () => {
      const { records } = erasing.world.stores;
      const { erasureKey } = erasing.deps;
      const quiet = (): void => undefined;
      const saidOf = async (key: typeof erasureKey): Promise<readonly object[]> => {
        const said: object[] = [];
        const log = { error: (told: object) => void said.push(told), warn: quiet, info: quiet, debug: quiet };
        await checkErasureKey({ records, erasureKey: key, clock: erasing.deps.clock, log })();
        return said;
      };
      const another = await openErasureKey(join(erasing.keys, 'another'));
      expect(await saidOf(erasureKey)).to.deep.equal([]);
      const known = erasureKey?.thumbprint;
      expect(await saidOf(another)).to.deep.equal([{ known, present: another.thumbprint }]);
    });

    it('is taken again when an operator says so by one number of hers; nobody else’s is known', async () => {
      const { readmit } = erasing.world.flows;
      const number = { system: domainOf('strasbourg'), value: texts.IPP };
      expect(await errorOf(readmit({ ...number, value: 'nobody' }))).to.have.property('kind', 'not-found');
      await readmit(number);
      expect(await fed('strasbourg', texts.IPP, {})).to.equal(undefined);
      await sent(session, texts);
      expect(await errorOf(readmit(number))).to.have.property('kind', 'not-found');
    });
  });
}
