/** Series and instances across studies. */
import { expect } from 'chai';
import { TAG } from '../../../profiles/dicom/attributes.ts';
import { formatTag } from '../../../profiles/dicom/data-element.ts';
import type { MatchKey } from '../../../profiles/dicom/match.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { principal } from '../../../server/access/right.ts';
import type { FoundPart, Question } from '../../../server/ports/record-store.ts';
import { expectFault } from '../../support/faults.ts';
import { aGrant, anInstance, aPatientGrant, aPersonKey, aPlan, aPut, aRight } from '../../support/plans.ts';
import { aStudyClaim, aStudyPut, aUid } from '../../support/plans.ts';
import { ask, idsOf } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

type PartsQuestion = Extract<Question, { kind: 'parts' }>;

/** Runs the contract of parts. */
export function partsContract(suite: Suite): void {
  /**
   * Three studies of a person, latest first: of 2, 1 and 1 series, with 2 instances each; and one of another person.
   */
  const world = async () => {
    const [person, other] = [aPersonKey(), aPersonKey()];
    const patient = aPut({ type: 'Patient', person });
    const subject = `Patient/${patient.id}`;
    const studies = [2, 1, 1].map((series, at) => ({
      uid: aUid(),
      series,
      sort: 100 - at,
      modality: ['CT', 'MR', 'CT'][at] ?? '',
    }));
    const puts = studies.map(({ uid, sort, modality }) => {
      const put = aStudyPut(uid, { person, sort, subject });
      const tokens = [...put.index.tokens, { param: 'modality', system: '', value: modality }];
      return { ...put, index: { ...put.index, tokens, references: [{ param: 'patient', target: subject }] } };
    });
    const instances = studies.flatMap(({ uid, series, modality }) =>
      Array.from({ length: series * 2 }, (_, at) => aPart(person, uid, Math.floor(at / 2) + 1, (at % 2) + 1, modality)),
    );
    const hidden = aStudyPut(aUid(), { person: other, sort: 200 });
    const hiddenUid = hidden.index.tokens[0]?.value.replace('urn:oid:', '') ?? '';
    const hiddenPart = aPart(other, hiddenUid, 1, 1, 'CT');
    const holder = principal.practitioner(`Practitioner/${person}`);
    const claims = [...puts.map((put, at) => aStudyClaim(studies[at]?.uid ?? '', put)), aStudyClaim(hiddenUid, hidden)];
    const rights = [aRight({ person, principal: holder })];
    const parts = [...instances, hiddenPart];
    await commitPlan(suite.records, aPlan({ puts: [patient, ...puts, hidden], claims, instances: parts, rights }));
    const grant = aGrant(`Practitioner/${person}`);
    const find = async (level: PartsQuestion['level'], parts: Partial<PartsQuestion> = {}) =>
      await ask(suite.records, grant, { ...question(level), ...parts });
    return { person, patient, puts, studies, instances, hiddenPart, find };
  };

  const aPart = (
    person: ReturnType<typeof aPersonKey>,
    study: string,
    series: number,
    number: number,
    modality: string,
  ) =>
    anInstance({
      person,
      studyInstanceUID: study,
      seriesInstanceUID: `${study}.${series}`,
      seriesNumber: series,
      instanceNumber: number,
      sopInstanceUID: `${study}.${series}.${number}`,
      metadata: JSON.stringify({
        [formatTag(TAG.Modality)]: { vr: 'CS', Value: [modality] },
        [formatTag(TAG.SeriesNumber)]: { vr: 'IS', Value: [series] },
      }),
    });

  const question = (level: PartsQuestion['level']): PartsQuestion => ({
    kind: 'parts',
    level,
    studies: { where: [], include: [] },
    ofSeries: [],
    ofInstance: [],
    offset: 0,
    limit: 100,
  });

  const key = (tag: keyof typeof TAG, value: string): MatchKey => ({ path: [TAG[tag]], value });
  const uidsOf = (parts: readonly FoundPart[]): readonly string[] => parts.map(({ row }) => row.sopInstanceUID);

  describe('series and instances across studies', () => {
    it('come by study, latest first, then in canonical order, with their studies', async () => {
      const { puts, instances, find } = await world();
      const series = await find('series');
      expect(series.parts).to.deep.equal([0, 2, 4, 6].map((at) => ({ row: instances[at], instances: 2 })));
      expect(idsOf(series.studies)).to.deep.equal(idsOf(puts));
      expect([series.isMore, series.included]).to.deep.equal([false, []]);
      const all = await find('instances');
      expect(all.parts).to.deep.equal(instances.map((row) => ({ row, instances: 2 })));
    });

    it('are those of the studies, series and instances that satisfy all keys', async () => {
      const { studies, instances, find } = await world();
      const modality = {
        where: [{ kind: 'token', param: 'modality', values: [{ code: 'CT' }] }],
        include: [],
      } as const;
      const [first, , last] = studies;
      expect(uidsOf((await find('series', { studies: modality })).parts)).to.deep.equal([
        `${first?.uid}.1.1`,
        `${first?.uid}.2.1`,
        `${last?.uid}.1.1`,
      ]);
      expect(uidsOf((await find('series', { ofSeries: [key('Modality', 'MR')] })).parts)).to.deep.equal([
        instances[4]?.sopInstanceUID,
      ]);
      expect(uidsOf((await find('instances', { ofSeries: [key('SeriesNumber', '2')] })).parts)).to.deep.equal(
        instances.slice(2, 4).map((row) => row.sopInstanceUID),
      );
      const seconds = await find('instances', { studies: modality, ofInstance: [key('InstanceNumber', '2')] });
      expect(seconds.parts).to.deep.equal([1, 3, 7].map((at) => ({ row: instances[at], instances: 2 })));
      expect((await find('instances', { ofInstance: [key('InstanceNumber', '3')] })).parts).to.deep.equal([]);
    });

    it('come in parts by offset and limit, their studies only', async () => {
      const { puts, instances, find } = await world();
      for (const keys of [{}, { ofInstance: [key('SOPClassUID', instances[0]?.sopClassUID ?? '')] }]) {
        const page = await find('instances', { ...keys, offset: 3, limit: 2 });
        expect(uidsOf(page.parts)).to.deep.equal(instances.slice(3, 5).map((row) => row.sopInstanceUID));
        expect([page.isMore, idsOf(page.studies)]).to.deep.equal([true, idsOf(puts.slice(0, 2))]);
      }
      const exact = await find('instances', { offset: 3, limit: 3 });
      expect([exact.isMore, idsOf(exact.studies)]).to.deep.equal([true, idsOf(puts.slice(0, 2))]);
      const last = await find('series', { offset: 3, limit: 1 });
      expect([uidsOf(last.parts), last.isMore, idsOf(last.studies)]).to.deep.equal([
        [instances[6]?.sopInstanceUID],
        false,
        idsOf(puts.slice(2)),
      ]);
      expect(await find('series', { ofSeries: [key('Modality', 'CT')], offset: 2, limit: 5 })).to.deep.include({
        isMore: false,
        parts: [{ row: instances[6], instances: 2 }],
      });
      expect(await find('series', { offset: 4 })).to.deep.equal({
        studies: [],
        included: [],
        parts: [],
        isMore: false,
      });
    });

    it('are found by SOP Instance UIDs, hidden ones as unknown ones', async () => {
      const { puts, instances, hiddenPart, find } = await world();
      const [third] = instances.slice(5, 6);
      const uids = [third?.sopInstanceUID ?? '', hiddenPart.sopInstanceUID, '1.2.3'];
      const found = await find('instances', {
        sopInstanceUIDs: uids,
        ofInstance: [key('SOPInstanceUID', uids.join('\\'))],
      });
      expect(found.parts).to.deep.equal([{ row: third, instances: 2 }]);
      expect(idsOf(found.studies)).to.deep.equal(idsOf(puts.slice(1, 2)));
      const nothing = { studies: [], included: [], parts: [], isMore: false };
      expect(await find('instances', { sopInstanceUIDs: ['1.2.3'] })).to.deep.equal(nothing);
      expect(await find('instances', { sopInstanceUIDs: [hiddenPart.sopInstanceUID] })).to.deep.equal(nothing);
    });

    it('are those of one study where its UID is given, with other conditions and without', async () => {
      const { puts, studies, instances, hiddenPart, find } = await world();
      const [first, second] = studies.map(({ uid }) => uid);
      const found = await find('instances', { studyInstanceUID: first ?? '' });
      expect(found.parts.map(({ row }) => row)).to.deep.equal(instances.slice(0, 4));
      expect(idsOf(found.studies)).to.deep.equal(idsOf(puts.slice(0, 1)));
      const modality: Criterion = { kind: 'token', param: 'modality', values: [{ code: 'MR' }] };
      const ofMR = { where: [modality], include: [] };
      expect((await find('series', { studyInstanceUID: first ?? '', studies: ofMR })).parts).to.deep.equal([]);
      expect((await find('series', { studyInstanceUID: second ?? '', studies: ofMR })).parts.length).to.equal(1);
      const sopInstanceUIDs = [instances[0]?.sopInstanceUID ?? '', instances[4]?.sopInstanceUID ?? ''];
      const ofInstance = [key('SOPInstanceUID', sopInstanceUIDs.join('\\'))];
      const both = await find('instances', { studyInstanceUID: second ?? '', sopInstanceUIDs, ofInstance });
      expect(uidsOf(both.parts)).to.deep.equal(sopInstanceUIDs.slice(1));
      for (const studyInstanceUID of [hiddenPart.studyInstanceUID, '1.2.3']) {
        expect((await find('instances', { studyInstanceUID })).parts).to.deep.equal([]);
      }
    });

    it('are below the row that the claim of their study names, whatever UIDs other rows say', async () => {
      const { hiddenPart, instances, person, find } = await world();
      const own = aUid();
      // A visible row, the latest, says the UID of a hidden study before its own.
      const borrowed = aStudyPut(hiddenPart.studyInstanceUID, { person, sort: 400 });
      const system = borrowed.index.tokens[0]?.system ?? '';
      const identifier = [hiddenPart.studyInstanceUID, own].map((uid) => ({ system, value: `urn:oid:${uid}` }));
      const put = { ...borrowed, resource: { ...borrowed.resource, identifier } };
      const unclaimed = aStudyPut(hiddenPart.studyInstanceUID, { person, sort: 401 });
      const part = aPart(person, own, 1, 1, 'CT');
      await commitPlan(
        suite.records,
        aPlan({ puts: [put, unclaimed], claims: [aStudyClaim(own, put)], instances: [part] }),
      );
      const sopInstanceUIDs = [hiddenPart.sopInstanceUID];
      expect((await find('instances', { sopInstanceUIDs })).parts).to.deep.equal([]);
      expect((await find('instances', { studyInstanceUID: hiddenPart.studyInstanceUID })).parts).to.deep.equal([]);
      const all = await find('instances');
      expect(all.parts.map(({ row }) => row)).to.deep.equal([part, ...instances]);
      expect(idsOf(all.studies)).not.to.include(unclaimed.id);
    });

    it('bring what their studies refer to, as far as it may be seen', async () => {
      const { patient, find } = await world();
      const found = await find('series', { studies: { where: [], include: [{ param: 'patient' }] }, limit: 1 });
      expect(idsOf(found.included)).to.deep.equal([patient.id]);
      expect(
        idsOf((await find('series', { studies: { where: [], include: [{ param: 'patient' }] }, offset: 9 })).included),
      ).to.deep.equal([]);
    });

    it('are none of a withdrawn record, for the patient all', async () => {
      const { person, instances, find } = await world();
      const self = aRight({ person, principal: principal.patient(person), relation: 'self' });
      await commitPlan(suite.records, aPlan({ rights: [self], states: [{ person, change: { withdrawn: true } }] }));
      expect((await find('instances')).parts).to.deep.equal([]);
      expect((await ask(suite.records, aPatientGrant(person), question('instances'))).parts.length).to.equal(
        instances.length,
      );
    });

    it('cost no more than a bound', async () => {
      const { person, find } = await world();
      const uid = aUid();
      const parts = Array.from({ length: 1_950 }, (_, at) => ({ ...aPart(person, uid, at + 1, 1, 'CT') }));
      const put = aStudyPut(uid, { person, sort: 300 });
      await commitPlan(suite.records, aPlan({ puts: [put], claims: [aStudyClaim(uid, put)], instances: parts }));
      const many = { ofSeries: [key('Modality', 'XA')] };
      await commitPlan(
        suite.records,
        aPlan({ instances: Array.from({ length: 100 }, (_, at) => aPart(person, uid, at + 2_000, 1, 'CT')) }),
      );
      await expectFault(find('series', many), 'too-costly');
      expect((await find('series', { offset: 2_050 })).parts.length).to.equal(4);
    });
  });
}
