/** Instances that several establishments sent, and what each of them is shown of a study. */
import { expect } from 'chai';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import type { Level } from '../../profiles/confidentiality.ts';
import type { Grant } from '../../server/access/grant.ts';
import type { CommitPlan, InstanceRow } from '../../server/ports/commit-plan.ts';
import type { Question } from '../../server/ports/record-store.ts';
import { expectFault } from '../support/faults.ts';
import {
  anAudit,
  anEstablishmentGrant,
  anInstance,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aPut,
  aStudyClaim,
  aStudyPut,
  aUid,
  SYSTEM,
} from '../support/plans.ts';
import { ask } from '../support/reads.ts';
import { aWarrantWithEvents, commitPlan } from '../support/warrants.ts';
import type { Suite } from './suite.ts';

const [MAKER, OTHER, THIRD] = ['Organization/maker', 'Organization/other', 'Organization/third'];

/** The same instance as another establishment sends it, of a patient of its own. */
function sentAgain(instance: InstanceRow, source: string): InstanceRow {
  return { ...instance, source, subject: identityOf(source), metadata: '{}' };
}

function identityOf(source: string): string {
  return `Patient/of-${source.replace('Organization/', '')}`;
}

/** Runs the contract of the sources of instances. */
export function sourcesContract(suite: Suite): void {
  /** A study of two series, each of another source, which both are its authors; one instance was sent by both. */
  const aStudy = async (label: Level) => {
    const person = aPersonKey();
    const studyInstanceUID = aUid();
    const put = aStudyPut(studyInstanceUID, { person, level: label, released: true, origin: ORIGIN });
    const security = [{ system: CODE_SYSTEM.confidentiality, code: label }];
    const labelled = { ...put, resource: { ...put.resource, meta: { security } } };
    const of = (series: number, number: number, source: string) =>
      anInstance({
        person,
        studyInstanceUID,
        source,
        seriesInstanceUID: `${studyInstanceUID}.${series}`,
        seriesNumber: series,
        instanceNumber: number,
        sopInstanceUID: `${studyInstanceUID}.${series}.${number}`,
        metadata: JSON.stringify({ '00200013': { vr: 'IS', Value: [number] } }),
      });
    const instances = [of(1, 1, MAKER), of(1, 2, MAKER), of(1, 3, OTHER), of(2, 1, OTHER)];
    const claims = [aStudyClaim(studyInstanceUID, put)];
    const patient = aPut({ type: 'Patient', person });
    await commitPlan(suite.records, aPlan({ puts: [patient, labelled], claims, instances }));
    return { person, studyInstanceUID, instances };
  };
  const ORIGIN = { sources: [MAKER, OTHER], services: [] };

  /** What a question of each kind tells: numbers of instances. */
  const told = async (grant: Grant, studyInstanceUID: string) => {
    const place = { studyInstanceUID, offset: 0, limit: 100 } as const;
    const parts = async (level: 'series' | 'instances') => {
      const studies = { where: [], include: [] };
      const question: Question = { kind: 'parts', level, studies, ...place, ofSeries: [], ofInstance: [] };
      return (await ask(suite.records, grant, question)).parts;
    };
    const { instances } = await ask(suite.records, grant, { kind: 'instances', ...place });
    const { metadata } = await ask(suite.records, grant, { kind: 'metadata', ...place });
    return {
      instances: instances.map(({ sopInstanceUID }) => sopInstanceUID.replace(`${studyInstanceUID}.`, '')),
      metadata: metadata.length,
      series: (await parts('series')).map(({ instances: count }) => count),
      found: (await parts('instances')).map(({ row }) => row.sopInstanceUID.replace(`${studyInstanceUID}.`, '')),
    };
  };
  const all = {
    instances: ['1.1', '1.2', '1.3', '2.1'],
    metadata: 4,
    series: [3, 1],
    found: ['1.1', '1.2', '1.3', '2.1'],
  };

  describe('a study of several sources', () => {
    it('is shown whole to each where its label is not above what an imaging service sees', async () => {
      const { studyInstanceUID } = await aStudy('N');
      for (const source of [MAKER, OTHER])
        expect(await told(anEstablishmentGrant(source), studyInstanceUID)).to.deep.equal(all);
    });

    for (const label of ['R', 'V'] as const) {
      it(`shows each its own instances alone above that, in every question: ${label}`, async () => {
        const { studyInstanceUID, person, instances } = await aStudy(label);
        const own = { instances: ['1.1', '1.2'], metadata: 2, series: [2], found: ['1.1', '1.2'] };
        const others = { instances: ['1.3', '2.1'], metadata: 2, series: [1, 1], found: ['1.3', '2.1'] };
        expect(await told(anEstablishmentGrant(MAKER), studyInstanceUID)).to.deep.equal(own);
        expect(await told(anEstablishmentGrant(OTHER), studyInstanceUID)).to.deep.equal(others);
        expect(await told(aPatientGrant(person), studyInstanceUID)).to.deep.equal(all);
        const named = { kind: 'instances', studyInstanceUID, offset: 0, limit: 9 } as const;
        const hidden = instances.slice(2).map(({ sopInstanceUID }) => sopInstanceUID);
        const asked = await ask(suite.records, anEstablishmentGrant(MAKER), { ...named, sopInstanceUIDs: hidden });
        expect(asked.instances).to.deep.equal([]);
        expect((await suite.records.peek(SYSTEM, named)).instances).to.deep.equal(instances);
      });
    }

    it('hides instances that are of another person than its row', async () => {
      const { studyInstanceUID, instances } = await aStudy('N');
      const stranger = anInstance({ person: aPersonKey(), studyInstanceUID, source: MAKER });
      await commitPlan(suite.records, aPlan({ instances: [stranger] }));
      const question = { kind: 'instances', studyInstanceUID, offset: 0, limit: 9 } as const;
      const shown = await ask(suite.records, anEstablishmentGrant(MAKER), question);
      expect(shown.instances).to.deep.equal(instances);
      expect((await suite.records.peek(SYSTEM, question)).instances).to.have.length(5);
    });
  });

  describe('a study that becomes another person’s', () => {
    type MovedStudy = NonNullable<CommitPlan['studies']>[number];
    const aMove = async (moved: MovedStudy) =>
      await suite.records.commit(
        aWarrantWithEvents([moved.from, moved.to]),
        aPlan({ studies: [moved], audit: [anAudit([moved.from, moved.to])] }),
      );
    const filedIn = async (studyInstanceUID: string): Promise<Record<string, unknown>> => {
      const question = { kind: 'instances', studyInstanceUID, offset: 0, limit: 9 } as const;
      const { instances } = await suite.records.peek(SYSTEM, question);
      return Object.fromEntries(
        instances.map(({ sopInstanceUID, person, subject, movedFrom }) => [
          sopInstanceUID,
          [person, subject, ...(movedFrom === undefined ? [] : [movedFrom])],
        ]),
      );
    };

    it('takes along what is filed under the one identity, of the one person, alone', async () => {
      const { studyInstanceUID, person, instances } = await aStudy('N');
      const [to, stranger] = [aPersonKey(), aPersonKey()];
      const [identity, subject, joined] = [instances[0]?.subject ?? '', `Patient/of-${to}`, 'Patient/joined'];
      const others = [
        anInstance({ person: stranger, studyInstanceUID, source: MAKER, subject: identity }),
        anInstance({ person, studyInstanceUID, source: OTHER, subject: joined }),
      ] as const;
      await commitPlan(suite.records, aPlan({ instances: others }));
      await aMove({ studyInstanceUID, from: person, to, identity, subject });
      expect(await filedIn(studyInstanceUID)).to.deep.equal({
        ...Object.fromEntries(instances.map(({ sopInstanceUID }) => [sopInstanceUID, [to, subject, identity]])),
        [others[0].sopInstanceUID]: [stranger, identity],
        [others[1].sopInstanceUID]: [person, joined],
      });
    });

    it('keeps what was sent of the identity that it was moved to when what was moved goes back, or on', async () => {
      const { studyInstanceUID, person, instances } = await aStudy('N');
      const [to, next] = [aPersonKey(), aPersonKey()];
      const [identity, subject, last] = [instances[0]?.subject ?? '', `Patient/of-${to}`, `Patient/of-${next}`];
      await aMove({ studyInstanceUID, from: person, to, identity, subject });
      const own = anInstance({ person: to, studyInstanceUID, source: OTHER, subject });
      await commitPlan(suite.records, aPlan({ instances: [own] }));
      const all = (filed: readonly string[]) => ({
        ...Object.fromEntries(instances.map(({ sopInstanceUID }) => [sopInstanceUID, filed])),
        [own.sopInstanceUID]: [to, subject],
      });
      await aMove({ studyInstanceUID, from: to, to: next, identity: subject, subject: last, isMovedOnly: true });
      expect(await filedIn(studyInstanceUID)).to.deep.equal(all([next, last, identity]));
      await aMove({ studyInstanceUID, from: next, to: person, identity: last, subject: identity, isMovedOnly: true });
      expect(await filedIn(studyInstanceUID)).to.deep.equal(all([person, identity]));
      await aMove({ studyInstanceUID, from: person, to, identity, subject, isMovedOnly: true });
      expect(await filedIn(studyInstanceUID)).to.deep.equal(all([person, identity]));
    });

    it('takes along further sources as it takes instances: by the identity of which each sent its own', async () => {
      const { studyInstanceUID, person, instances } = await aStudy('N');
      const [first] = instances;
      if (first === undefined) throw new Error('No instance');
      const [to, identity] = [aPersonKey(), first.subject];
      const subject = `Patient/of-${to}`;
      const sent = [sentAgain(first, OTHER), { ...sentAgain(first, THIRD), subject: identity }];
      await commitPlan(suite.records, aPlan({ instances: sent }));
      const further = async () => (await suite.records.instanceOf(SYSTEM, first.sopInstanceUID))?.furtherSources;
      const other = { source: OTHER, subject: identityOf(OTHER) };
      await aMove({ studyInstanceUID, from: person, to, identity, subject });
      expect(await further()).to.deep.equal([other, { source: THIRD, subject, movedFrom: identity }]);
      const back = { studyInstanceUID, from: to, to: person, identity: subject, subject: identity };
      await aMove({ ...back, isMovedOnly: true });
      expect(await further()).to.deep.equal([other, { source: THIRD, subject: identity }]);
      await aMove({ studyInstanceUID, from: person, to, identity, subject, isMovedOnly: true });
      expect(await further()).to.deep.equal([other, { source: THIRD, subject: identity }]);
    });

    it('needs an event of both persons, and a warrant that reaches them', async () => {
      const { studyInstanceUID, person, instances } = await aStudy('N');
      const to = aPersonKey();
      const identity = instances[0]?.subject ?? '';
      const studies = [{ studyInstanceUID, from: person, to, identity, subject: `Patient/of-${to}` }];
      for (const told of [[], [person], [to]])
        await expectFault(
          suite.records.commit(aWarrantWithEvents([person, to]), aPlan({ studies, audit: [anAudit(told)] })),
          'exception',
        );
      const audit = [anAudit([person, to])];
      await expectFault(suite.records.commit(aWarrantWithEvents([person]), aPlan({ studies, audit })), 'exception');
    });
  });

  describe('an instance that another establishment sends, too', () => {
    it('is of both, once each, and stays as it was', async () => {
      const { studyInstanceUID, instances } = await aStudy('V');
      const [first] = instances;
      if (first === undefined) throw new Error('No instance');
      const again = async (source: string) =>
        await commitPlan(suite.records, aPlan({ instances: [sentAgain(first, source)] }));
      for (const source of [OTHER, THIRD, OTHER, MAKER])
        expect((await again(source)).instances).to.deep.equal(['already']);
      const furtherSources = [OTHER, THIRD].map((source) => ({ source, subject: identityOf(source) }));
      const of = await suite.records.instanceOf(SYSTEM, first.sopInstanceUID);
      expect(of).to.deep.equal({ ...first, metadata: '', furtherSources });
      const shown = await told(anEstablishmentGrant(OTHER), studyInstanceUID);
      expect(shown.instances).to.deep.equal(['1.1', '1.3', '2.1']);
      expect(shown.series).to.deep.equal([2, 1]);
    });

    it('is written anew of those that a plan names, in their order, with what each was moved from', async () => {
      const { studyInstanceUID, instances } = await aStudy('V');
      const [first] = instances;
      if (first === undefined) throw new Error('No instance');
      await commitPlan(suite.records, aPlan({ instances: [OTHER, THIRD].map((source) => sentAgain(first, source)) }));
      const movedFrom = 'Patient/former';
      const staying = [OTHER, THIRD].map((source) => ({ ...sentAgain(first, source), movedFrom }));
      const erased = [{ instances: [first.sopInstanceUID] }];
      const { erasedBlobs } = await commitPlan(suite.records, aPlan({ erased, instances: staying }));
      expect(erasedBlobs).to.deep.equal([first.blob.name]);
      const of = await suite.records.instanceOf(SYSTEM, first.sopInstanceUID);
      const furtherSources = [{ source: THIRD, subject: identityOf(THIRD), movedFrom }];
      expect(of).to.deep.equal({ ...staying[0], metadata: '', furtherSources });
      expect((await told(anEstablishmentGrant(MAKER), studyInstanceUID)).instances).to.deep.equal(['1.2']);
    });

    it('stands as it was read while neither its identity, its bytes nor its sources have changed', async () => {
      const { instances } = await aStudy('N');
      const [first] = instances;
      if (first === undefined) throw new Error('No instance');
      const { sopInstanceUID } = first;
      await commitPlan(suite.records, aPlan({ instances: [sentAgain(first, OTHER)] }));
      const read = await suite.records.instanceOf(SYSTEM, sopInstanceUID);
      const of = (changes: Partial<InstanceRow>): CommitPlan =>
        aPlan({ preconditions: [{ kind: 'filed', ...first, ...read, ...changes }] });
      await commitPlan(suite.records, of({}));
      const further = { source: OTHER, subject: identityOf(OTHER) };
      for (const changes of [
        { subject: 'Patient/other' },
        { blob: { ...first.blob, name: 'other' } },
        { furtherSources: [] },
        { furtherSources: [{ source: OTHER }] },
        { furtherSources: [{ ...further, subject: 'Patient/other' }] },
        { furtherSources: [{ ...further, movedFrom: 'Patient/other' }] },
        { sopInstanceUID: aUid() },
      ])
        await expectFault(commitPlan(suite.records, of(changes)), 'conflict');
    });

    it('is refused with another data set', async () => {
      const { instances } = await aStudy('N');
      const [first] = instances;
      if (first === undefined) throw new Error('No instance');
      const other = { ...first, source: OTHER, dataSetDigest: 'f'.repeat(64) };
      await expectFault(commitPlan(suite.records, aPlan({ instances: [other] })), 'conflict');
      const of = await suite.records.instanceOf(SYSTEM, first.sopInstanceUID);
      expect(of).to.deep.equal({ ...first, metadata: '' });
    });
  });
}
