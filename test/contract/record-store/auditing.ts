/**
 * Reads and their events: nothing leaves the store that the patient cannot find in the access list. Row D16 of smart-
 * security.md.
 */
import { expect } from 'chai';
import type { PersonKey } from '../../../server/access/requester.ts';
import { principal } from '../../../server/access/right.ts';
import { errorOf } from '../../support/faults.ts';
import { aGrant, anAudit, anId, anInstance, aPatientGrant, aPersonKey, aPlan, aPut } from '../../support/plans.ts';
import { aQuery, aRight, aStudyClaim, aStudyPut, aUid, NO_ENTRIES, NOW, SYSTEM } from '../../support/plans.ts';
import { ask, idsOf, searchIds } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of `look`, `follow` and `peek`. */
export function auditingContract(suite: Suite): void {
  const grant = aGrant('Practitioner/lambert');
  const accessList = async (person: PersonKey): Promise<readonly string[]> => {
    await suite.trail.head();
    return await searchIds(suite.records, aPatientGrant(person), aQuery('AuditEvent'));
  };

  const visible = async () => {
    const person = aPersonKey();
    const put = aPut({ person });
    await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person })] }));
    return { person, put, question: { kind: 'resource', type: put.type, id: put.id } as const };
  };

  describe('look', () => {
    it('accounts for the answer, and the patient finds the event', async () => {
      const { person, question } = await visible();
      const audit = anAudit([person]);
      let accounted: unknown;
      const { answer } = await suite.records.look(grant, question, (answer) => {
        accounted = answer;
        return [audit];
      });
      expect(answer?.id).to.equal(question.id);
      expect(accounted).to.deep.equal(answer);
      expect(await accessList(person)).to.deep.equal([audit.event.id]);
    });

    it('records an event also when nothing was found', async () => {
      const { person } = await visible();
      const [read, searched] = [anAudit([person]), anAudit([person])];
      const unknown = { kind: 'resource', type: 'DocumentReference', id: anId() } as const;
      const { answer } = await suite.records.look(grant, unknown, () => [read]);
      const nothing = aQuery('DocumentReference', { where: [{ kind: 'id', values: [anId()] }] });
      await suite.records.look(grant, { kind: 'search', query: nothing }, () => [searched]);
      expect(answer).to.equal(undefined);
      expect([...(await accessList(person))].sort()).to.deep.equal([read.event.id, searched.event.id].sort());
    });

    it('records all events of an account, for every person of each', async () => {
      const [{ person, question }, other] = [await visible(), aPersonKey()];
      const [both, one] = [anAudit([person, other]), anAudit([other])];
      await suite.records.look(grant, question, () => [both, one]);
      expect(await accessList(person)).to.deep.equal([both.event.id]);
      expect([...(await accessList(other))].sort()).to.deep.equal([both.event.id, one.event.id].sort());
    });

    it('answers nothing when the account throws, and records nothing', async () => {
      const { person, question } = await visible();
      const head = await suite.trail.head();
      const error = await errorOf(
        suite.records.look(grant, question, () => {
          throw new Error('No account');
        }),
      );
      expect(error).to.be.instanceOf(Error);
      expect(await suite.trail.head()).to.deep.equal(head);
      expect(await accessList(person)).to.deep.equal([]);
    });

    it('keeps the event over a restart', async () => {
      const { person, question } = await visible();
      const audit = anAudit([person]);
      await suite.records.look(grant, question, () => [audit]);
      await suite.reopen();
      expect(await accessList(person)).to.deep.equal([audit.event.id]);
    });

    it('records an event once, whoever records it again', async () => {
      const { person, question } = await visible();
      const audit = anAudit([person]);
      await commitPlan(suite.records, aPlan({ audit: [audit] }));
      await suite.records.look(grant, question, () => [audit]);
      await commitPlan(suite.records, aPlan({ audit: [audit, anAudit()] }));
      await suite.trail.record([audit]);
      expect(await accessList(person)).to.deep.equal([audit.event.id]);
      expect((await suite.trail.verify()).whole).to.equal(true);
    });

    it('records each of many parallel reads', async () => {
      const { person, question } = await visible();
      const audits = Array.from({ length: 40 }, () => anAudit([person]));
      await Promise.all(audits.map((audit) => suite.records.look(grant, question, () => [audit])));
      expect([...(await accessList(person))].sort()).to.deep.equal(idsOf(audits.map(({ event }) => event)).toSorted());
    });
  });

  describe('the access list', () => {
    it('holds the event as it was recorded, for the patient and for the server, not for professionals', async () => {
      const { person, question } = await visible();
      const audit = anAudit([person]);
      await suite.records.look(grant, question, () => [audit]);
      await suite.trail.head();
      const event = { kind: 'resource', type: 'AuditEvent', id: audit.event.id } as const;
      const row = await ask(suite.records, aPatientGrant(person), event);
      expect(JSON.parse(row?.json ?? '{}')).to.deep.include({
        agent: audit.event.agent,
        recorded: audit.event.recorded,
      });
      expect(row?.shownBy?.relation).to.equal('named');
      expect(row?.sort).to.equal(NOW);
      expect(await suite.records.peek(SYSTEM, event)).to.include({ id: audit.event.id });
      expect(await ask(suite.records, grant, event)).to.equal(undefined);
      expect(await ask(suite.records, aPatientGrant(aPersonKey()), event)).to.equal(undefined);
    });

    it('stays open to the patient in every state', async () => {
      const { person, question } = await visible();
      const audit = anAudit([person]);
      await suite.records.look(grant, question, () => [audit]);
      const change = { withdrawn: true, opposed: true, erasurePending: true };
      await commitPlan(suite.records, aPlan({ states: [{ person, change }] }));
      expect(await accessList(person)).to.deep.equal([audit.event.id]);
    });

    it('is searched by its parameters and comes in pages', async () => {
      const { person, question } = await visible();
      const audits = Array.from({ length: 5 }, () => anAudit([person]));
      for (const audit of audits) await suite.records.look(grant, question, () => [audit]);
      await suite.trail.head();
      const where = [
        { kind: 'reference', param: 'agent', values: ['Practitioner/lambert'] },
        { kind: 'token', param: 'action', values: [{ code: 'R' }] },
        { kind: 'date', param: 'date', values: [{ lo: NOW, hi: NOW + 1, prefix: 'eq' }] },
      ] as const;
      const query = aQuery('AuditEvent', { where, count: 3, total: 'accurate' });
      const first = await ask(suite.records, aPatientGrant(person), { kind: 'search', query });
      expect(first.total).to.equal(5);
      expect(idsOf(first.rows)).to.deep.equal(
        idsOf(audits.map(({ event }) => event))
          .toSorted()
          .slice(0, 3),
      );
      const none = aQuery('AuditEvent', { where: [{ kind: 'token', param: 'action', values: [{ code: 'C' }] }] });
      expect(await searchIds(suite.records, aPatientGrant(person), none)).to.deep.equal([]);
    });
  });

  describe('follow', () => {
    it('reads on under the same grant without another event', async () => {
      const { put, question } = await visible();
      const { passage } = await suite.records.look(grant, question, () => [anAudit()]);
      const head = await suite.trail.head();
      expect((await suite.records.follow(passage, question, NOW))?.id).to.equal(put.id);
      expect(await suite.trail.head()).to.deep.equal(head);
    });

    it('records what is told of a further part before it answers, and nothing where nothing is told', async () => {
      const { put, person, question } = await visible();
      const { passage } = await suite.records.look(grant, question, () => [anAudit()]);
      const further = anAudit([person]);
      const read = await suite.records.follow(passage, question, NOW, (row) => (row?.id === put.id ? [further] : []));
      expect(read?.id).to.equal(put.id);
      expect(await accessList(person)).to.deep.equal([further.event.id]);
      await suite.records.follow(passage, question, NOW, () => []);
      expect(await accessList(person)).to.deep.equal([further.event.id]);
    });

    it('answers nothing of what is hidden since: after a withdrawal, a revocation, the end of a right', async () => {
      const person = aPersonKey();
      const studyInstanceUID = aUid();
      const put = aStudyPut(studyInstanceUID, { person });
      const right = aRight({ person, to: NOW + 1_000 });
      const instances = [anInstance({ person, studyInstanceUID })];
      const claims = [aStudyClaim(studyInstanceUID, put)];
      await commitPlan(suite.records, aPlan({ puts: [put], claims, instances, rights: [right] }));
      const resource = { kind: 'resource', type: 'ImagingStudy', id: put.id } as const;
      const study = { kind: 'instances', studyInstanceUID, offset: 0, limit: 10 } as const;
      const query = aQuery('ImagingStudy', { where: [{ kind: 'id', values: [put.id] }], total: 'accurate' });
      const { passage } = await suite.records.look(grant, study, () => [anAudit([person])]);
      const seen = async (now: number): Promise<readonly number[]> => [
        (await suite.records.follow(passage, resource, now)) === undefined ? 0 : 1,
        (await suite.records.follow(passage, study, now)).instances.length,
        (await suite.records.follow(passage, { kind: 'search', query }, now)).total ?? -1,
      ];
      expect(await seen(NOW + 999)).to.deep.equal([1, 1, 1]);
      expect(await seen(NOW + 1_000)).to.deep.equal([0, 0, 0]);
      await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: true } }] }));
      expect(await seen(NOW)).to.deep.equal([0, 0, 0]);
      await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: false } }] }));
      expect(await seen(NOW)).to.deep.equal([1, 1, 1]);
      await commitPlan(suite.records, aPlan({ ended: [right] }));
      expect(await seen(NOW)).to.deep.equal([0, 0, 0]);
    });
  });

  describe('AuditEvents', () => {
    it('are not joined by includes of other rows', async () => {
      const { person, question } = await visible();
      const audit = anAudit([person]);
      await suite.records.look(grant, question, () => [audit]);
      const references = [{ param: 'related', target: `AuditEvent/${audit.event.id}` }];
      const self = aRight({ person, principal: principal.patient(person), relation: 'self' });
      const put = aPut({ person, index: { ...NO_ENTRIES, references } });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [self] }));
      await suite.trail.head();
      const query = aQuery('DocumentReference', { include: [{ param: 'related' }] });
      const page = await ask(suite.records, aPatientGrant(person), { kind: 'search', query });
      expect(page.rows.length).to.equal(2);
      expect(page.included).to.deep.equal([]);
    });
  });
}
