/**
 * N05 of smart-security.md: data that is older than an erasure follows the list that is kept outside. The data of these
 * stories is a copy of before: her erasure is listed, and did not happen in it.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { isOpposition } from '../../../../server/access/switches.ts';
import { openErasureKey } from '../../../../server/clients/erasure-key/erasure-key.ts';
import { eraseRecord } from '../../../../server/flows/erase/erase-record.ts';
import { erasedNumbers } from '../../../../server/flows/erase/known-again/suppression.ts';
import { followErasures } from '../../../../server/flows/erase/known-again/follow-erasures.ts';
import { identityAt, type StandingIdentity } from '../../../../server/flows/identity/identities.ts';
import type { ErasureEntry } from '../../../../server/ports/erasure-key.ts';
import { domainOf, patientOf } from '../../../flows/identity/people.ts';
import { errorOf } from '../../../support/faults.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { openSession, type Session } from '../identity/session.ts';
import { openErasing, patientsOf, recordOf, sent, type Erasing, type Texts } from './her-record.ts';

const GOES_ON = { goOn: async () => undefined };
const TRAITS = { family: 'Orvault', given: 'Maëlle', birthDate: '1981-04-02', gender: 'female' } as const;

for (const { name, missing, open } of EACH_STORE) {
  describe(`Data that is older than an erasure, on ${name}`, function () {
    this.timeout(120_000);
    let erasing: Erasing;
    let session: Session;

    beforeEach(async function () {
      if (missing() !== undefined) this.skip();
      erasing = await openErasing(open);
      session = openSession(erasing.world);
    });
    afterEach(async () => await erasing?.close());

    const key = () => erasing.deps.erasureKey ?? expect.fail('There is no key');
    const fed = async (localId: string): Promise<unknown> => {
      const { world } = erasing;
      const resource: Patient = patientOf('strasbourg', localId, TRAITS);
      const condition = `identifier=${domainOf('strasbourg')}|${localId}`;
      const act = { interaction: 'update', type: 'Patient', condition, resource } as const;
      return await errorOf(world.write(world.establishment(ESTABLISHMENTS.strasbourg.organization), act));
    };
    const identity = async (patient: string): Promise<StandingIdentity> =>
      (await identityAt(
        erasing.world.stores.records,
        systemReading('resolve-identity', erasing.world.now()),
        patient,
      )) ?? expect.fail('There is no such identity');
    /** Lists the erasure of some identities (`Patient/id`) that did not happen in this data. */
    const listed = async (id: string, at: number, ...patients: readonly string[]): Promise<ErasureEntry> => {
      const contents = await Promise.all(patients.map(async (patient) => (await identity(patient)).content));
      const numbers = erasedNumbers(erasing.deps, contents);
      const identities = contents.map((content) => content.id);
      const entry = { kind: 'erased', id, at, receivedAt: erasing.world.now(), identities, numbers } as const;
      await key().add(entry);
      return entry;
    };
    const started = async (erasureKey = key()): Promise<readonly object[]> => {
      const told: object[] = [];
      const keep = (one: object): void => void told.push(one);
      const log = { error: keep, warn: keep, info: () => undefined, debug: () => undefined };
      await followErasures({ ...erasing.deps, erasureKey, log })();
      return told;
    };
    const erased = async (task: string): Promise<void> =>
      void (await eraseRecord(erasing.deps)({ subject: task, attempts: 1 }, GOES_ON));
    const anybody = async (localId: string): Promise<string> => {
      await fed(localId);
      const visit = erasing.world.establishment(ESTABLISHMENTS.strasbourg.organization);
      const [found] = await erasing.world.find<Patient>(
        visit,
        'Patient',
        `identifier=${domainOf('strasbourg')}|${localId}`,
      );
      return `Patient/${found?.id}`;
    };

    it('hides her at its start, which nobody cancels, and erases her again, whole', async () => {
      const texts: Texts = await recordOf(session);
      const patients = await patientsOf(session);
      const [patient = ''] = patients;
      const reports = async (): Promise<readonly unknown[]> => {
        const her = (await erasing.world.person(patient)) ?? expect.fail('Nobody signs in');
        return await erasing.world.find(her, 'DiagnosticReport', '');
      };
      expect(await reports()).to.have.length(1);
      await listed('of-then', 1, ...patients);
      expect(await started()).to.deep.equal([{ entries: 1 }]);
      expect(await reports()).to.deep.equal([]);
      expect(await erasing.taskOf('of-then')).to.have.property('status', 'in-progress');
      const her = (await erasing.world.person(patient)) ?? expect.fail('Nobody signs in');
      expect(await errorOf(erasing.world.flows.cancelErasure(her))).to.have.property('kind', 'not-found');
      // Another start finds it on its way.
      expect(await started()).to.deep.equal([]);
      await erased('of-then');
      const { token: _, ...hers } = { ...texts, token: '' };
      expect(await erasing.found(hers)).to.deep.equal([]);
      expect(isOpposition(await errorOf(sent(session, texts)))).to.equal(true);
      expect(await key().entries()).to.have.length(1);
      expect(await started()).to.deep.equal([]);
    });

    if (name !== 'SQLite') return;

    it('erases the identities that are listed alone, whoever was joined to them in it by a mistake', async () => {
      await recordOf(session);
      const [hers = '', other = ''] = await patientsOf(session);
      expect((await identity(hers)).person).to.equal((await identity(other)).person);
      await listed('of-then', 1, hers);
      await started();
      await erased('of-then');
      expect((await identity(other)).content.id).to.equal(other.replace('Patient/', ''));
      expect(await errorOf(identity(hers))).to.be.an('error');
    });

    it('is followed in the order of what happened, whichever line came first', async () => {
      const entry = await listed('first', 1, await anybody('again'));
      const numbers = entry.kind === 'erased' ? entry.numbers : [];
      await key().add({ ...entry, id: 'third', at: 3 });
      await key().add({ kind: 'readmitted', id: 'second', at: 2, keys: numbers.map((one) => one.key) });
      await started();
      await erased('first');
      expect(isOpposition(await fed('again'))).to.equal(true);
    });

    it('takes whom an operator took again, once she is erased as she was', async () => {
      const entry = await listed('first', 1, await anybody('taken'));
      const numbers = entry.kind === 'erased' ? entry.numbers : [];
      await key().add({ kind: 'readmitted', id: 'second', at: 2, keys: numbers.map((one) => one.key) });
      await started();
      await erased('first');
      expect(await fed('taken')).to.equal(undefined);
      expect(await started()).to.deep.equal([]);
    });

    it('keeps who was erased from data that never knew her', async () => {
      const patient = await anybody('unknown');
      const numbers = erasedNumbers(erasing.deps, [(await identity(patient)).content]);
      await key().add({ kind: 'erased', id: 'of-then', at: 1, receivedAt: 0, identities: ['nobody-here'], numbers });
      await started();
      expect((await identity(patient)).content.id).to.equal(patient.replace('Patient/', ''));
      expect(isOpposition(await fed('unknown'))).to.equal(false);
    });

    it('says so where the list lacks what the data knows, and refuses one of another key', async () => {
      await key().add({ kind: 'readmitted', id: 'known', at: 1, keys: [] });
      await started();
      const other = await openErasing(open);
      try {
        expect(await started(other.deps.erasureKey)).to.deep.equal([{ last: 'known' }]);
      } finally {
        await other.close();
      }
      await rename(join(erasing.keys, 'key'), join(erasing.keys, 'former'));
      const another = await openErasureKey(join(erasing.keys, 'key'));
      expect(await errorOf(another.entries())).to.have.property('kind', 'conflict');
    });
  });
}
