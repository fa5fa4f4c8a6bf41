/** The instance index of studies. */
import { expect } from 'chai';
import { principal } from '../../../server/access/right.ts';
import { expectFault } from '../../support/faults.ts';
import { aBlob, aGrant, anInstance, aPatientGrant, aPersonKey, aPlan, aPut, aRight } from '../../support/plans.ts';
import { aQuery, aStudyClaim, aStudyPut, aUid, SYSTEM } from '../../support/plans.ts';
import { ask, type InstancesQuestion } from '../../support/reads.ts';
import type { StudyMetadata } from '../../../server/ports/record-store.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of instances. */
export function instancesContract(suite: Suite): void {
  const grant = aGrant('Practitioner/lambert');

  /** A study of 2 series and 5 instances that the holder may see, in the order that answers must have. */
  const aStudy = async (studyInstanceUID = aUid()) => {
    const person = aPersonKey();
    const put = aStudyPut(studyInstanceUID, { person });
    const instance = (series: number, number: number, sop: string) =>
      anInstance({
        person,
        studyInstanceUID,
        seriesInstanceUID: `${studyInstanceUID}.${series}`,
        seriesNumber: series,
        instanceNumber: number,
        sopInstanceUID: `${studyInstanceUID}.${series}.${sop}`,
      });
    const instances = [
      instance(2, 1, '9'),
      instance(2, 2, '1'),
      instance(2, 10, '0'),
      instance(10, 1, '1'),
      instance(10, 1, '2'),
    ];
    const shuffled = [3, 1, 4, 0, 2].flatMap((at) => instances[at] ?? []);
    const claims = [aStudyClaim(studyInstanceUID, put)];
    await commitPlan(suite.records, aPlan({ puts: [put], claims, instances: shuffled, rights: [aRight({ person })] }));
    const question = (parts: Partial<InstancesQuestion> = {}): InstancesQuestion => ({
      kind: 'instances',
      studyInstanceUID,
      offset: 0,
      limit: 100,
      ...parts,
    });
    return { person, studyInstanceUID, put, instances, question };
  };

  describe('instances of a study', () => {
    it('come with the study, by series number, series, instance number and SOP Instance UID', async () => {
      const { put, instances, question } = await aStudy();
      const answer = await ask(suite.records, grant, question());
      expect(answer.study?.id).to.equal(put.id);
      expect(answer.study?.shownBy?.relation).to.equal('declared');
      expect(answer.instances).to.deep.equal(instances);
    });

    it('say what their study is, without its series, where they are asked for that; metadata, too', async () => {
      const [person, studyInstanceUID] = [aPersonKey(), aUid()];
      const series = [{ uid: '1.2', instance: [{ uid: '1.2.3' }] }];
      const words = { description: 'Scanner "thorax"', started: '2026-03-14' };
      const put = aStudyPut(studyInstanceUID, { person });
      const resource = { ...put.resource, ...words, series };
      const instances = [anInstance({ person, studyInstanceUID })];
      const claims = [aStudyClaim(studyInstanceUID, put)];
      const stood = { ...put, resource };
      await commitPlan(suite.records, aPlan({ puts: [stood], claims, instances, rights: [aRight({ person })] }));
      for (const kind of ['instances', 'metadata'] as const) {
        const asked = { kind, studyInstanceUID, offset: 0, limit: 10 } as const;
        const { study } = await ask(suite.records, grant, { ...asked, withStudy: true });
        expect([study?.type, study?.isOpenToPatient]).to.deep.equal(['ImagingStudy', true]);
        expect(JSON.parse(study?.json ?? '{}'))
          .to.deep.include(words)
          .and.not.have.property('series');
        expect((await ask(suite.records, grant, asked)).study).to.not.have.property('json');
      }
    });

    it('say whether label and release leave their study to its patient', async () => {
      const open = async (label: object): Promise<unknown> => {
        const [person, studyInstanceUID] = [aPersonKey(), aUid()];
        const origin = { sources: ['Practitioner/lambert'], services: [] };
        const put = aStudyPut(studyInstanceUID, { person, origin, ...label });
        const instances = [anInstance({ person, studyInstanceUID })];
        const claims = [aStudyClaim(studyInstanceUID, put)];
        await commitPlan(suite.records, aPlan({ puts: [put], claims, instances }));
        const asked = { kind: 'instances', studyInstanceUID, withStudy: true, offset: 0, limit: 10 } as const;
        const { study } = await ask(suite.records, grant, asked);
        const row = await ask(suite.records, grant, { kind: 'resource', type: 'ImagingStudy', id: put.id });
        const page = await ask(suite.records, grant, {
          kind: 'search',
          query: aQuery('ImagingStudy', { where: [{ kind: 'id', values: [put.id] }] }),
        });
        return [study, row, page.rows[0]].map((one) => one?.isOpenToPatient);
      };
      expect(await open({})).to.deep.equal([true, true, true]);
      expect(await open({ level: 'V' })).to.deep.equal([true, true, true]);
      expect(await open({ released: false })).to.deep.equal([undefined, undefined, undefined]);
      expect(await open({ masks: ['patient'] })).to.deep.equal([undefined, undefined, undefined]);
    });

    it('come in parts by offset and limit', async () => {
      const { instances, question } = await aStudy();
      const part = async (offset: number, limit: number) =>
        (await ask(suite.records, grant, question({ offset, limit }))).instances;
      expect(await part(0, 2)).to.deep.equal(instances.slice(0, 2));
      expect(await part(2, 2)).to.deep.equal(instances.slice(2, 4));
      expect(await part(4, 2)).to.deep.equal(instances.slice(4));
      expect(await part(5, 2)).to.deep.equal([]);
    });

    it('are those of a series and of SOP Instance UIDs where these are given', async () => {
      const { instances, question } = await aStudy();
      const [first, , , fourth] = instances;
      const seriesInstanceUID = fourth?.seriesInstanceUID ?? '';
      const sopInstanceUIDs = [fourth?.sopInstanceUID ?? '', first?.sopInstanceUID ?? '', '1.2.3'];
      const of = async (parts: Partial<InstancesQuestion>) =>
        (await ask(suite.records, grant, question(parts))).instances;
      expect(await of({ seriesInstanceUID })).to.deep.equal(instances.slice(3));
      expect(await of({ sopInstanceUIDs })).to.deep.equal([first, fourth]);
      expect(await of({ seriesInstanceUID, sopInstanceUIDs })).to.deep.equal([fourth]);
      expect(await of({ seriesInstanceUID: '1.2.3' })).to.deep.equal([]);
      expect(await of({ sopInstanceUIDs: [] })).to.deep.equal([]);
    });

    it('come without their metadata where it is left out', async () => {
      const { instances, question } = await aStudy();
      const answer = await ask(suite.records, grant, question({ omitMetadata: true }));
      expect(answer.instances).to.deep.equal(instances.map((row) => ({ ...row, metadata: '' })));
    });

    it('of another study are not answered under the UID of a visible one', async () => {
      const [mine, other] = [await aStudy(), await aStudy()];
      const sopInstanceUIDs = [other.instances[0]?.sopInstanceUID ?? ''];
      expect((await ask(suite.records, grant, mine.question({ sopInstanceUIDs }))).instances).to.deep.equal([]);
    });

    it('are none without a visible study, as of an unknown one', async () => {
      const { person, put, question } = await aStudy();
      const none = { study: undefined, instances: [] };
      expect(await ask(suite.records, aGrant('Practitioner/other'), question())).to.deep.equal(none);
      expect(await ask(suite.records, grant, question({ studyInstanceUID: aUid() }))).to.deep.equal(none);
      expect(await ask(suite.records, aPatientGrant(person), question())).to.deep.equal(none);
      await commitPlan(suite.records, aPlan({ puts: [{ ...put, level: 'R' }] }));
      expect(await ask(suite.records, grant, question())).to.deep.equal(none);
    });

    it('are none after a withdrawal, for the patient all', async () => {
      const { person, instances, question } = await aStudy();
      const self = aRight({ person, principal: principal.patient(person), relation: 'self' });
      await commitPlan(suite.records, aPlan({ rights: [self], states: [{ person, change: { withdrawn: true } }] }));
      expect(await ask(suite.records, grant, question())).to.deep.equal({ study: undefined, instances: [] });
      expect((await ask(suite.records, aPatientGrant(person), question())).instances.length).to.equal(instances.length);
    });
  });

  describe('the study of a question', () => {
    /** Two rows that say the UID of a study that is not theirs, as those who see them; one has a claim of its own. */
    const borrowers = async (studyInstanceUID: string) => {
      const persons = [aPersonKey(), aPersonKey()];
      const puts = persons.map((person) => aStudyPut(studyInstanceUID, { person }));
      const holderOf = (person: string) => principal.practitioner(`Practitioner/${person}`);
      const rights = persons.map((person) => aRight({ person, principal: holderOf(person) }));
      const claims = puts.slice(0, 1).map((put) => aStudyClaim(aUid(), put));
      await commitPlan(suite.records, aPlan({ puts, rights, claims }));
      return persons.map((person) => aGrant(`Practitioner/${person}`));
    };

    it('is the row that its claim names: another row that says the UID opens nothing', async () => {
      const { studyInstanceUID, question } = await aStudy();
      for (const other of await borrowers(studyInstanceUID)) {
        expect(await ask(suite.records, other, question())).to.deep.equal({ study: undefined, instances: [] });
        const metadata = await ask(suite.records, other, { ...question(), kind: 'metadata' });
        expect(metadata).to.deep.equal({ study: undefined, metadata: [] });
      }
    });

    it('is the row that its claim names: another row that says the UID hides nothing', async () => {
      const studyInstanceUID = aUid();
      // The borrower's row is the older one.
      await borrowers(studyInstanceUID);
      const { put, instances, question } = await aStudy(studyInstanceUID);
      await borrowers(studyInstanceUID);
      const answer = await ask(suite.records, grant, question());
      expect([answer.study?.id, answer.instances]).to.deep.equal([put.id, instances]);
      const { study, metadata } = await ask(suite.records, grant, { ...question(), kind: 'metadata' });
      expect([study?.id, metadata.length]).to.deep.equal([put.id, instances.length]);
    });

    it('is none when no claim names a row, for the server itself its instances alone', async () => {
      const person = aPersonKey();
      const studyInstanceUID = aUid();
      const instances = [anInstance({ person, studyInstanceUID })];
      const puts = [aStudyPut(studyInstanceUID, { person })];
      await commitPlan(suite.records, aPlan({ puts, instances, rights: [aRight({ person })] }));
      const question = { kind: 'instances', studyInstanceUID, offset: 0, limit: 10 } as const;
      expect(await ask(suite.records, grant, question)).to.deep.equal({ study: undefined, instances: [] });
      expect(await suite.records.peek(SYSTEM, question)).to.deep.equal({ study: undefined, instances });
    });

    it('is none when the row that its claim names is deleted', async () => {
      const { put, question } = await aStudy();
      await commitPlan(suite.records, aPlan({ deletes: [put] }));
      expect(await ask(suite.records, grant, question())).to.deep.equal({ study: undefined, instances: [] });
    });
  });

  describe('metadata of a study', () => {
    it('are those of its instances, byte for byte and in their order', async () => {
      const { person, put, studyInstanceUID, instances, question } = await aStudy();
      const last = anInstance({
        person,
        studyInstanceUID,
        seriesInstanceUID: `${studyInstanceUID}.99`,
        seriesNumber: 99,
        metadata: '{"00081030":{"vr":"LO","Value":["Tête é 𝒜"]}}',
      });
      await commitPlan(suite.records, aPlan({ instances: [last] }));
      const answer = await ask(suite.records, grant, { ...question(), kind: 'metadata' });
      expect(answer.study?.id).to.equal(put.id);
      expect(textsOf(answer)).to.deep.equal([...instances, last].map(({ metadata }) => metadata));
    });

    it('come in parts, and of a series and of SOP Instance UIDs where these are given', async () => {
      const { instances, question } = await aStudy();
      const { seriesInstanceUID = '', sopInstanceUID = '' } = instances[1] ?? {};
      const of = async (parts: Partial<InstancesQuestion>) =>
        textsOf(await ask(suite.records, grant, { ...question(parts), kind: 'metadata' }));
      const texts = instances.map(({ metadata }) => metadata);
      expect(await of({ offset: 1, limit: 3 })).to.deep.equal(texts.slice(1, 4));
      expect(await of({ seriesInstanceUID })).to.deep.equal(texts.slice(0, 3));
      expect(await of({ seriesInstanceUID, offset: 2 })).to.deep.equal(texts.slice(2, 3));
      expect(await of({ sopInstanceUIDs: [sopInstanceUID, '1.2.3'] })).to.deep.equal(texts.slice(1, 2));
      expect(await of({ seriesInstanceUID: '1.2.3' })).to.deep.equal([]);
    });

    it('are none without a visible study, and for the server itself all', async () => {
      const { person, put, instances, question } = await aStudy();
      const asked = { ...question(), kind: 'metadata' } as const;
      const none = { study: undefined, metadata: [] };
      expect(await ask(suite.records, aGrant('Practitioner/other'), asked)).to.deep.equal(none);
      await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: true } }] }));
      expect(await ask(suite.records, grant, asked)).to.deep.equal(none);
      const { study, metadata } = await suite.records.peek(SYSTEM, asked);
      expect(study).to.deep.equal({ id: put.id, person, subject: put.subject, shownBy: undefined });
      expect(metadata.length).to.equal(instances.length);
    });
  });

  describe('instances that are received', () => {
    it('again with the same data set stand already, and the first bytes stay', async () => {
      const { instances, question } = await aStudy();
      const again = instances
        .slice(0, 1)
        .map((row) => ({ ...row, blob: aBlob(), transferSyntaxUID: '1.2.840.10008.1.2' }));
      const fresh = instances
        .slice(0, 1)
        .map((row) => ({ ...row, sopInstanceUID: aUid(), instanceNumber: 99, blob: aBlob() }));
      const receipt = await commitPlan(suite.records, aPlan({ instances: [...again, ...fresh] }));
      expect(receipt.instances).to.deep.equal(['already', 'stored']);
      const { instances: standing } = await suite.records.peek(
        SYSTEM,
        question({ seriesInstanceUID: again[0]?.seriesInstanceUID ?? '' }),
      );
      expect(standing).to.deep.equal([...instances.slice(0, 3), ...fresh]);
      const names = await namesOf(suite);
      expect(names.has(again[0]?.blob.name ?? '')).to.equal(false);
      expect(names.has(fresh[0]?.blob.name ?? '')).to.equal(true);
    });

    it('again with another data set conflict, and the message holds no UID', async () => {
      const { instances, question } = await aStudy();
      const changed = instances.slice(0, 1).map((row) => ({ ...row, dataSetDigest: '0'.repeat(64), blob: aBlob() }));
      const fault = await expectFault(commitPlan(suite.records, aPlan({ instances: changed })), 'conflict');
      expect(fault.message).not.to.include(instances[0]?.sopInstanceUID ?? '');
      expect((await suite.records.peek(SYSTEM, question())).instances).to.deep.equal(instances);
    });

    it('by racing senders are stored once', async () => {
      const { person, studyInstanceUID } = await aStudy();
      const instance = anInstance({ person, studyInstanceUID });
      const receipts = await Promise.all(
        Array.from({ length: 10 }, () =>
          commitPlan(suite.records, aPlan({ instances: [{ ...instance, blob: aBlob() }] })),
        ),
      );
      const results = receipts.flatMap((receipt) => receipt.instances);
      expect(results.filter((result) => result === 'stored').length).to.equal(1);
      expect(results.filter((result) => result === 'already').length).to.equal(9);
    });

    it('keep what the sender gave, numbers that are absent included', async () => {
      const { person, studyInstanceUID, question } = await aStudy();
      const series = `${studyInstanceUID}.77`;
      const instance = anInstance({
        person,
        studyInstanceUID,
        seriesInstanceUID: series,
        seriesNumber: undefined,
        instanceNumber: undefined,
        metadata: '{"00081030":{"vr":"LO","Value":["Tête é 𝒜"]}}',
      });
      await commitPlan(suite.records, aPlan({ instances: [instance] }));
      const { instances } = await ask(suite.records, grant, question({ seriesInstanceUID: series }));
      expect(instances).to.deep.equal([instance]);
    });
  });

  describe('the instance of a SOP Instance UID', () => {
    it('is found in whatever study, without its metadata, and an unknown one is not', async () => {
      const { instances } = await aStudy();
      const [first] = instances;
      expect(await suite.records.instanceOf(SYSTEM, first?.sopInstanceUID ?? '')).to.deep.equal({
        ...first,
        metadata: '',
      });
      expect(await suite.records.instanceOf(SYSTEM, aUid())).to.equal(undefined);
    });

    it('tells that its person has one under its identity, and under no other, nor has anybody else', async () => {
      const { person, instances } = await aStudy();
      const subject = instances[0]?.subject ?? '';
      expect(await suite.records.hasInstances(SYSTEM, person, subject)).to.equal(true);
      expect(await suite.records.hasInstances(SYSTEM, person, 'Patient/another')).to.equal(false);
      expect(await suite.records.hasInstances(SYSTEM, aPersonKey(), subject)).to.equal(false);
    });
  });

  describe('blobNames', () => {
    it('names the bytes of rows and of instances', async () => {
      const { person, instances } = await aStudy();
      const put = aPut({ type: 'Binary', person, parent: 'DocumentReference/none', blob: aBlob() });
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      const names = await namesOf(suite);
      for (const { blob } of [...instances, { blob: put.blob ?? aBlob() }]) expect(names.has(blob.name)).to.equal(true);
    });
  });
}

function textsOf({ metadata }: StudyMetadata): readonly string[] {
  return metadata.map((json) => Buffer.from(json).toString());
}

async function namesOf(suite: Suite): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for await (const name of suite.records.blobNames(SYSTEM)) names.add(name);
  return names;
}
