/**
 * A right to one exam (access.md C8): whom a Consent permits it, or who declared an emergency for it, sees the study,
 * what is linked to it, and who the patient is; of the record nothing else. The same of a right to what is of a time.
 */
import type { Consent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import type { PersonKey } from '../../server/access/requester.ts';
import { examIn } from '../../server/access/right.ts';
import type { Put } from '../../server/ports/commit-plan.ts';
import { aGrant, aMove, anId, anIdentity, aPersonKey, aPlan, aPut, aQuery, NOW, SYSTEM } from '../support/plans.ts';
import { read, searchIds } from '../support/reads.ts';
import { commitPlan } from '../support/warrants.ts';
import type { Suite } from './suite.ts';

/** A record: two exams, each with a report, its document and the bytes of that, and the manifest of the first. */
type Held = Readonly<
  Record<'patient' | 'study' | 'report' | 'document' | 'bytes' | 'manifest' | 'other' | 'otherReport', Put>
>;

const keyOf = ({ type, id }: Put): string => `${type}/${id}`;

function linked(person: PersonKey, type: 'DiagnosticReport' | 'DocumentReference', ...targets: readonly Put[]): Put {
  const param = type === 'DiagnosticReport' ? 'imaging-study' : 'related';
  const put = aPut({ type, person });
  const references = targets.map((target) => ({ param, target: keyOf(target) }));
  return { ...put, index: { ...put.index, references } };
}

function aRecord(person: PersonKey): Held {
  const [study, other] = [aPut({ type: 'ImagingStudy', person }), aPut({ type: 'ImagingStudy', person })];
  const report = linked(person, 'DiagnosticReport', study);
  const document = linked(person, 'DocumentReference', study, report);
  return {
    patient: aPut({ type: 'Patient', person }),
    study,
    report,
    document,
    bytes: aPut({ type: 'Binary', person, parent: keyOf(document) }),
    manifest: linked(person, 'DocumentReference', study),
    other,
    otherReport: linked(person, 'DiagnosticReport', other),
  };
}

/** The Consent by which a professional sees one exam or report. */
function aPermit(person: PersonKey, practitioner: string, exam: Put, purpose: 'TREAT' | 'BTG'): Put {
  const provision: Consent['provision'] = {
    type: 'permit',
    period: { start: new Date(NOW - 5).toISOString(), end: new Date(NOW + 5).toISOString() },
    actor: [{ role: {}, reference: { reference: practitioner } }],
    purpose: [{ system: CODE_SYSTEM.actReason, code: purpose }],
    data: [{ meaning: 'instance', reference: { reference: keyOf(exam) } }],
  };
  return aPut({
    type: 'Consent',
    person,
    resource: { resourceType: 'Consent', status: 'active', provision } as Consent,
  });
}

/** Runs the contract of rights to one exam, and to what is of a time. */
export function examsContract(suite: Suite): void {
  const seen = async (practitioner: string, held: Partial<Held>, now = NOW): Promise<readonly string[]> => {
    const grant = aGrant(practitioner, now);
    const rows = Object.entries(held);
    const shown: string[] = [];
    for (const [name, put] of rows) {
      const isShown = (await read(suite.records, grant, put)) !== undefined;
      if (put.type !== 'Binary')
        expect((await searchIds(suite.records, grant, aQuery(put.type))).includes(put.id), name).to.equal(isShown);
      if (isShown) shown.push(name);
    }
    return shown;
  };
  const commit = async (...puts: readonly Put[]) => await commitPlan(suite.records, aPlan({ puts }));
  const OF_EXAM = ['patient', 'study', 'report', 'document', 'bytes', 'manifest'];
  const aProfessional = (): string => `Practitioner/${anId()}`;

  describe('a right to one exam', () => {
    for (const purpose of ['TREAT', 'BTG'] as const) {
      it(`shows what hangs on it and who she is, and counts no other, whatever came first (${purpose})`, async () => {
        for (const order of ['before', 'after'] as const) {
          const [person, professional] = [aPersonKey(), aProfessional()];
          const held = aRecord(person);
          const permit = aPermit(person, professional, held.study, purpose);
          if (order === 'before') await commit(permit);
          await commit(...Object.values(held));
          if (order === 'after') await commit(permit);
          expect(await seen(professional, { ...held, permit } as Partial<Held>), order).to.deep.equal(OF_EXAM);
          expect(await searchIds(suite.records, aGrant(professional), aQuery('DiagnosticReport'))).to.deep.equal([
            held.report.id,
          ]);
          const row = await read(suite.records, aGrant(professional), held.document);
          expect(row?.shownBy?.source).to.equal(keyOf(permit));
          const times = [NOW - 6, NOW + 6];
          for (const now of times) expect(await seen(professional, held, now)).to.deep.equal([]);
        }
      });
    }

    it('is among the rights that are asked for any item of the person', async () => {
      const [person, professional] = [aPersonKey(), aProfessional()];
      const { study, report, other } = aRecord(person);
      await commit(study, report, other, aPermit(person, professional, study, 'TREAT'));
      for (const put of [study, report, other]) {
        const rights = await suite.records.rightsOf(SYSTEM, person, keyOf(put));
        expect(rights.map(({ scope }) => examIn(scope) ?? scope)).to.deep.include(keyOf(study));
      }
    });

    it('to a report shows it and its document, and no exam', async () => {
      const [person, professional] = [aPersonKey(), aProfessional()];
      const held = aRecord(person);
      await commit(...Object.values(held), aPermit(person, professional, held.report, 'TREAT'));
      expect(await seen(professional, held)).to.deep.equal(['patient', 'report', 'document', 'bytes']);
    });

    it('to a document shows it and its bytes, and no document that names it', async () => {
      for (const order of ['before', 'after'] as const) {
        const [person, professional] = [aPersonKey(), aProfessional()];
        const held = aRecord(person);
        const { manifest, study } = held;
        const document = linked(person, 'DocumentReference', study, manifest);
        const permit = aPermit(person, professional, manifest, 'TREAT');
        const rows = Object.values({ ...held, document, bytes: { ...held.bytes, parent: keyOf(document) } });
        await commit(...(order === 'before' ? [permit, ...rows] : rows));
        if (order === 'after') await commit(permit);
        expect(await seen(professional, { ...held, document }), order).to.deep.equal(['patient', 'manifest']);
      }
    });

    it('follows what is linked, label and life cycle, and ends with the Consent', async () => {
      const [person, professional] = [aPersonKey(), aProfessional()];
      const held = aRecord(person);
      const { study, report, other } = held;
      const permit = aPermit(person, professional, study, 'TREAT');
      await commit(...Object.values(held), permit);
      const { index } = linked(person, 'DiagnosticReport', other);
      await commit({ ...report, index });
      expect(await seen(professional, { study, report })).to.deep.equal(['study']);
      await commit({ ...report, masks: ['professionals'] });
      expect(await seen(professional, { study, report })).to.deep.equal(['study']);
      await commit({ ...report, released: false });
      expect(await seen(professional, { study, report })).to.deep.equal(['study']);
      await commit(report, { ...study, level: 'R' });
      expect(await seen(professional, { study, report })).to.deep.equal(['report']);
      const ended = { ...permit.resource, status: 'inactive' };
      await commit({ ...permit, resource: ended });
      expect(await seen(professional, held)).to.deep.equal([]);
    });

    it('is closed by a withdrawal, and by a block, and open again without', async () => {
      const [person, professional] = [aPersonKey(), aProfessional()];
      const held = aRecord(person);
      await commit(...Object.values(held), aPermit(person, professional, held.study, 'TREAT'));
      for (const withdrawn of [true, false]) {
        await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn } }] }));
        expect(await seen(professional, held)).to.deep.equal(withdrawn ? [] : OF_EXAM);
      }
      const provision = { type: 'deny', actor: [{ role: {}, reference: { reference: professional } }] } as const;
      const resource = { resourceType: 'Consent', status: 'active', provision } as unknown as Consent;
      await commit(aPut({ type: 'Consent', person, resource }));
      expect(await seen(professional, held)).to.deep.equal([]);
    });

    it('is of one person: of an exam that is another’s at present it shows nothing', async () => {
      const [hers, another] = [aPersonKey(), aPersonKey()];
      const professional = aProfessional();
      const { patient: _patient, ...held } = aRecord(hers);
      const permit = aPermit(another, professional, held.study, 'TREAT');
      await commit(anIdentity(hers), anIdentity(another), ...Object.values(held), permit);
      expect(await seen(professional, held)).to.deep.equal([]);
      for (const [from, to, isOne] of [
        [another, hers, true],
        [hers, another, false],
        [another, hers, true],
      ] as const) {
        await commitPlan(suite.records, aPlan({ moves: [aMove({ from, to, home: another })] }));
        expect(await seen(professional, held)).to.deep.equal(isOne ? OF_EXAM.slice(1) : []);
      }
    });
  });

  describe('a right to what is of a time', () => {
    const day = (date: string, days = 1) => ({ lo: Date.parse(date), hi: Date.parse(date) + days * 86_400_000 });
    const timed = (put: Put, param: string, range: { readonly lo: number; readonly hi: number }): Put => ({
      ...put,
      index: { ...put.index, dates: [{ param, ...range }] },
    });
    const YEAR = { start: '2022-01-01', end: '2022-12-31' } as const;

    /** A record: what is of 2022, what is of another year, partly, or of no time that is known. */
    const aTimedRecord = (person: PersonKey) => {
      const { patient, study, report, document, bytes, other, otherReport } = aRecord(person);
      return {
        patient,
        study: timed(study, 'started', day('2022-01-01')),
        report: timed(report, 'date', day('2022-12-31')),
        document: timed(document, 'period', day('2022-12-31')),
        open: timed(linked(person, 'DocumentReference', study), 'period', { ...day('2022-12-31'), hi: 8.64e15 }),
        bytes,
        early: timed(aPut({ type: 'ImagingStudy', person }), 'started', day('2021-12-31')),
        late: timed(aPut({ type: 'DiagnosticReport', person }), 'issued', day('2023-01-01')),
        partly: timed(other, 'started', day('2022-12-31', 2)),
        written: timed(otherReport, 'issued', day('2022-06-01')),
        undated: aPut({ type: 'ImagingStudy', person, sort: Date.parse('2022-06-01') }),
        task: timed(aPut({ type: 'List', person }), 'date', day('2022-06-01')),
      };
    };
    const OF_YEAR = ['patient', 'study', 'report', 'document', 'bytes', 'written'];
    const permitOf = (person: PersonKey, professional: string): Put => {
      const whole = aPermit(person, professional, aPut({ person }), 'TREAT');
      const { provision: { data: _, ...provision } = {}, ...consent } = whole.resource as Consent;
      return { ...whole, resource: { ...consent, provision: { ...provision, dataPeriod: YEAR } } as Consent };
    };
    const seenOf = async (professional: string, held: Record<string, Put>) =>
      await seen(professional, held as Partial<Held>);

    it('shows what is of it wholly and who she is, and counts no other, whatever came first', async () => {
      for (const order of ['before', 'after'] as const) {
        const [person, professional] = [aPersonKey(), aProfessional()];
        const held = aTimedRecord(person);
        const permit = permitOf(person, professional);
        if (order === 'before') await commit(permit);
        await commit(...Object.values(held));
        if (order === 'after') await commit(permit);
        expect(await seenOf(professional, { ...held, permit }), order).to.deep.equal(OF_YEAR);
        const row = await read(suite.records, aGrant(professional), held.study);
        expect(row?.shownBy?.source).to.equal(keyOf(permit));
      }
    });

    it('follows what rows say, her state and the identities that are she, and ends with the Consent', async () => {
      const [person, professional] = [aPersonKey(), aProfessional()];
      const held = aTimedRecord(person);
      const permit = permitOf(person, professional);
      await commit(anIdentity(person), ...Object.values(held), permit);
      await commit(timed(held.study, 'started', day('2021-06-01')), timed(held.early, 'started', day('2022-06-01')));
      expect(await seenOf(professional, { study: held.study, early: held.early })).to.deep.equal(['early']);
      await commit(held.study, held.early);
      for (const withdrawn of [true, false]) {
        await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn } }] }));
        expect(await seenOf(professional, held)).to.deep.equal(withdrawn ? [] : OF_YEAR);
      }
      const another = aPersonKey();
      const theirs = timed(aPut({ type: 'ImagingStudy', person: another }), 'started', day('2022-06-01'));
      await commit(anIdentity(another), theirs);
      for (const [from, to, shown] of [
        [another, person, ['theirs']],
        [person, another, []],
      ] as const) {
        await commitPlan(suite.records, aPlan({ moves: [aMove({ from, to, home: another })] }));
        expect(await seenOf(professional, { theirs })).to.deep.equal(shown);
      }
      await commit({ ...permit, resource: { ...permit.resource, status: 'inactive' } as Put['resource'] });
      expect(await seenOf(professional, held)).to.deep.equal([]);
    });
  });
}
