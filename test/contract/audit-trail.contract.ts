/** What every AuditTrail adapter keeps: the promises of server/ports/audit-trail.ts. */
import type { AuditEvent, AuditEventEntity } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { studyEntity } from '../../profiles/audit/entities.ts';
import { Fault } from '../../profiles/fault.ts';
import type { PersonKey } from '../../server/access/requester.ts';
import type { Verification } from '../../server/ports/audit-trail.ts';
import type { AuditRecord } from '../../server/ports/commit-plan.ts';
import { expectFault } from '../support/faults.ts';
import {
  aGrant,
  anAudit,
  anId,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  aUid,
  SYSTEM,
} from '../support/plans.ts';
import { searchIds } from '../support/reads.ts';
import type { OpenStores } from '../support/stores.ts';
import { cuttingTrails } from './audit-trail/cutting.ts';
import { useStores } from './suite.ts';
import { commitPlan } from '../support/warrants.ts';

/** The same event of another user. */
function actedBy({ event, ...record }: AuditRecord, reference: string, display: string): AuditRecord {
  const agent = event.agent.map((one) =>
    one.who?.reference === undefined ? one : { ...one, name: display, who: { reference, display } },
  );
  return { ...record, event: { ...event, agent } };
}

/** Whether something is said of an entity beside its reference. */
function isTold({ what, query, detail }: AuditEventEntity): boolean {
  return (what?.identifier ?? query ?? detail) !== undefined;
}

/** Runs the contract of the audit trail on an adapter. */
export function auditTrailContract(name: string, open: OpenStores): void {
  describe(`AuditTrail: ${name}`, function () {
    this.timeout(30_000);
    const suite = useStores(open);
    const listOf = async (person: PersonKey): Promise<readonly string[]> => {
      await suite.trail.head();
      return await searchIds(suite.records, aPatientGrant(person), aQuery('AuditEvent'));
    };
    const headOf = (verification: Verification) => (verification.whole ? verification.head : verification);

    it('begins with an empty chain that is whole', async () => {
      expect((await suite.trail.head()).sequence).to.equal(0);
      expect(await suite.trail.verify()).to.deep.include({ whole: true, erased: 0 });
    });

    it('has nothing that waits to be sealed once the head is known', async () => {
      await suite.trail.record([anAudit()]);
      await suite.trail.head();
      expect(await suite.trail.sealing()).to.deep.equal({ waitingSince: undefined, failures: 0 });
    });

    it('tells the hash of each record that is sealed, and of no other', async () => {
      await suite.trail.record([anAudit(), anAudit()]);
      const head = await suite.trail.head();
      expect(await suite.trail.sealedHead()).to.deep.equal(head);
      expect(await suite.trail.hashAt(head.sequence)).to.equal(head.hash);
      expect(await suite.trail.hashAt(head.sequence - 1))
        .to.match(/^[0-9a-f]{64}$/)
        .and.not.equal(head.hash);
      expect(await suite.trail.hashAt(head.sequence + 1)).to.equal(undefined);
      expect(await suite.trail.whileSealing(async () => 'done')).to.equal('done');
    });

    it('moves its head by one for each record, in one call or in several', async () => {
      const start = await suite.trail.head();
      await suite.trail.record([anAudit(), anAudit(), anAudit()]);
      const middle = await suite.trail.head();
      await suite.trail.record([anAudit()]);
      const end = await suite.trail.head();
      expect([middle.sequence - start.sequence, end.sequence - middle.sequence]).to.deep.equal([3, 1]);
      expect(new Set([start.hash, middle.hash, end.hash]).size).to.equal(3);
      expect(end.hash).to.match(/^[0-9a-f]{64}$/);
    });

    it('erases what events tell of entities that mention a UID, in queries too, and stays whole', async () => {
      const [uid, sop] = [aUid(), aUid()];
      const [study, query, other] = [
        anAudit([], anId(), [studyEntity(uid)]),
        anAudit([], anId(), [{ role: '24', query: `/instances?SOPInstanceUID=${sop}` }]),
        anAudit([], anId(), [studyEntity(`${uid}.1`)]),
      ];
      await suite.trail.record([study, query, other]);
      const recordOf = (events: number) => anAudit([], anId(), [{ detail: { events: String(events) } }]);
      const before = await suite.trail.head();
      expect(await suite.trail.eraseEntities(new Set([uid, sop]), recordOf)).to.equal(2);
      expect(await suite.trail.eraseEntities(new Set([uid, sop]), recordOf)).to.equal(0);
      const textOf = async ({ event }: AuditRecord) =>
        (await suite.records.peek(SYSTEM, { kind: 'resource', type: 'AuditEvent', id: event.id }))?.json ?? '';
      expect(await textOf(study))
        .to.include('Dr Zoé Lambert')
        .and.not.include(uid);
      expect(await textOf(query))
        .to.include('Dr Zoé Lambert')
        .and.not.include('"query"');
      expect(await textOf(other)).to.include(`${uid}.1`);
      const after = await suite.trail.verify([before]);
      expect(after).to.deep.include({ whole: true, erased: 2, unexplained: 0 });
      expect(headOf(after)).to.include({ sequence: before.sequence + 1 });
    });

    it('N09 erases a person: what her events tell, who acted where she did; the professional stays named', async () => {
      const [hers, another, number] = [aPersonKey(), aPersonKey(), anId()];
      const uid = aUid();
      const self = actedBy(anAudit([hers], anId(), [studyEntity(uid)]), `Patient/${hers}`, 'Ysoline Ormélac');
      const [read, shared, asked, others] = [
        anAudit([hers], anId(), [studyEntity(aUid())]),
        anAudit([hers, another], anId(), [studyEntity(aUid())]),
        {
          ...anAudit([], anId(), [{ role: '24', query: 'Patient?identifier' }]),
          request: `identifier=1.2.3|${number}`,
        },
        { ...anAudit([another], anId(), [studyEntity(aUid())]), request: `identifier=9.9.9|${number}` },
      ];
      const whole = [self, read, shared, asked, others];
      await suite.trail.record(whole);
      const before = await suite.trail.verify();
      const who = {
        persons: new Set([hers]),
        agents: new Set([`Patient/${hers}`]),
        names: [[number, '1.2.3']],
      };
      const recordOf = (events: number) => anAudit([], anId(), [{ detail: { events: String(events) } }]);
      const erasures: string[] = [];
      const toldOf = (events: number) => {
        const record = recordOf(events);
        erasures.push(record.event.id);
        return record;
      };
      // An event that loses both sides one after the other counts once.
      expect(await suite.trail.eraseEntities(new Set([uid]), toldOf)).to.equal(1);
      expect(await suite.trail.erasePerson(who, toldOf)).to.equal(3);
      expect(await suite.trail.countErased(erasures)).to.equal(3);
      expect(await suite.trail.erasePerson(who, recordOf)).to.equal(0);
      const told = await Promise.all(
        whole.map(async ({ event }) => {
          const row = await suite.records.peek(SYSTEM, { kind: 'resource', type: 'AuditEvent', id: event.id });
          const { agent, entity = [] } = JSON.parse((row?.json ?? '') as string) as AuditEvent;
          return [agent.flatMap(({ name, who: one }) => name ?? one?.display ?? []).join(), entity.some(isTold)];
        }),
      );
      expect(told.map(([, isAbout]) => isAbout)).to.deep.equal([false, false, true, false, true]);
      expect(told[0]?.[0]).to.not.include('Ormélac');
      for (const [names] of told.slice(1)) expect(names).to.include('Dr Zoé Lambert');
      const erased = (before.whole ? before.erased : -1) + 3;
      expect(await suite.trail.verify()).to.deep.include({ whole: true, erased, unexplained: 0 });
    });

    it('erases what events tell of a row by its type and id, in words that name it, and of no other', async () => {
      const wordsOf = (id: string) => ({
        what: { reference: `ImagingStudy/${id}` },
        description: `Scanner of ${id}`,
        detail: { item: `ImagingStudy/${id}` },
      });
      const [one, other] = [anId(), anId()];
      const [told, kept] = [one, other].map((id) => anAudit([], anId(), [wordsOf(id)]));
      await suite.trail.record([told ?? anAudit(), kept ?? anAudit()]);
      const recordOf = (events: number) => anAudit([], anId(), [{ detail: { events: String(events) } }]);
      expect(await suite.trail.eraseEntities(new Set([`ImagingStudy/${one}`]), recordOf)).to.equal(1);
      const shown = JSON.stringify(
        await suite.records.peek(SYSTEM, { kind: 'search', query: aQuery('AuditEvent', { count: 1_000 }) }),
      );
      expect(shown).to.include(`Scanner of ${other}`).and.not.include(`Scanner of ${one}`);
      expect(await suite.trail.verify()).to.deep.include({ whole: true, unexplained: 0 });
    });

    it('erases what the events of one person tell of a row, and nothing of what another reads of it', async () => {
      const id = anId();
      const words = { what: { reference: `ImagingStudy/${id}` }, detail: { item: `ImagingStudy/${id}` } };
      const [wrong, right] = [aPersonKey(), aPersonKey()];
      await suite.trail.record([
        anAudit([wrong], anId(), [{ ...words, description: `Wrong ${id}` }]),
        anAudit([right], anId(), [{ ...words, description: `Right ${id}` }]),
        anAudit([], anId(), [{ ...words, description: `Nobody ${id}` }]),
      ]);
      const recordOf = (events: number) => anAudit([], anId(), [{ detail: { events: String(events) } }]);
      const names = new Set([`ImagingStudy/${id}`]);
      expect(await suite.trail.eraseEntities(names, recordOf, undefined, new Set([wrong]))).to.equal(1);
      expect(await suite.trail.eraseEntities(names, recordOf, undefined, new Set([wrong]))).to.equal(0);
      const shown = JSON.stringify(
        await suite.records.peek(SYSTEM, { kind: 'search', query: aQuery('AuditEvent', { count: 1_000 }) }),
      );
      expect(shown).to.include(`Right ${id}`).and.include(`Nobody ${id}`).and.not.include(`Wrong ${id}`);
      expect(await suite.trail.verify()).to.deep.include({ whole: true, unexplained: 0 });
    });

    it('keeps a query as asked beside its event, shows it to nobody, and erases it with the entities', async () => {
      const [person, accession, kept] = [aPersonKey(), anId(), anId()];
      const [asked, other] = [accession, kept].map((value) => ({
        ...anAudit([person], anId(), [{ role: '24', query: 'ImagingStudy?identifier' }]),
        request: `ImagingStudy?identifier=urn%3Ax%7C${value},b`,
      }));
      await suite.trail.record([asked ?? anAudit(), other ?? anAudit()]);
      await suite.trail.head();
      const shown = async () =>
        await suite.records.peek(SYSTEM, { kind: 'search', query: aQuery('AuditEvent', { count: 1_000 }) });
      expect(JSON.stringify(await shown())).to.not.include(accession);
      const before = await suite.trail.verify();
      const recordOf = (events: number) => anAudit([], anId(), [{ detail: { events: String(events) } }]);
      expect(await suite.trail.eraseEntities(new Set([accession]), recordOf)).to.equal(1);
      expect(await suite.trail.eraseEntities(new Set([accession]), recordOf)).to.equal(0);
      const erasedBefore = before.whole ? before.erased : -1;
      expect(await suite.trail.verify()).to.deep.include({ whole: true, erased: erasedBefore + 1, unexplained: 0 });
      expect(await suite.trail.eraseEntities(new Set([kept]), recordOf)).to.equal(1);
    });

    it('takes no record at all without moving', async () => {
      const start = await suite.trail.head();
      await suite.trail.record([]);
      expect(await suite.trail.head()).to.deep.equal(start);
    });

    it('shows a person the events that name the person, and no other', async () => {
      const [person, other] = [aPersonKey(), aPersonKey()];
      const [mine, both, nobody] = [anAudit([person]), anAudit([person, other]), anAudit()];
      await suite.trail.record([mine, both, nobody]);
      expect([...(await listOf(person))].sort()).to.deep.equal([mine.event.id, both.event.id].sort());
      expect(await listOf(other)).to.deep.equal([both.event.id]);
      expect(await listOf(aPersonKey())).to.deep.equal([]);
      const stranger = aGrant('Practitioner/lambert');
      expect(await searchIds(suite.records, stranger, aQuery('AuditEvent'))).to.deep.equal([]);
      const question = { kind: 'resource', type: 'AuditEvent', id: nobody.event.id } as const;
      expect((await suite.records.peek(SYSTEM, question))?.id).to.equal(nobody.event.id);
    });

    it('takes the events of a commit once, also when the plan is sent again', async () => {
      const person = aPersonKey();
      const start = await suite.trail.head();
      const plan = aPlan({ audit: [anAudit([person]), anAudit([person])] });
      await commitPlan(suite.records, plan);
      await commitPlan(suite.records, plan);
      await Promise.all([commitPlan(suite.records, structuredClone(plan)), suite.trail.head()]);
      expect((await suite.trail.head()).sequence - start.sequence).to.equal(2);
      expect([...(await listOf(person))].sort()).to.deep.equal((plan.audit ?? []).map(({ event }) => event.id).sort());
    });

    it('takes no event of a refused commit', async () => {
      const start = await suite.trail.head();
      const put = aPut();
      const preconditions = [{ kind: 'version', type: put.type, id: put.id, version: 4 }] as const;
      await expectFault(commitPlan(suite.records, aPlan({ preconditions, audit: [anAudit()] })), 'version-conflict');
      expect(await suite.trail.head()).to.deep.equal(start);
    });

    it('is whole after racing records, reads and commits, and its head is the verified one', async () => {
      const person = aPersonKey();
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person })] }));
      const start = await suite.trail.head();
      const question = { kind: 'resource', type: put.type, id: put.id } as const;
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          await Promise.all([
            suite.trail.record([anAudit([person])]),
            commitPlan(suite.records, aPlan({ puts: [aPut({ person })], audit: [anAudit([person])] })),
            suite.records.look(aGrant('Practitioner/lambert'), question, () => [anAudit([person])]),
          ]);
        }),
      );
      const head = await suite.trail.head();
      const verification = await suite.trail.verify();
      expect(head.sequence - start.sequence).to.equal(30);
      expect(verification.whole).to.equal(true);
      expect(headOf(verification)).to.deep.equal(head);
      expect((await listOf(person)).length).to.equal(30);
    });

    it('is whole after a restart and goes on from where it was', async () => {
      const person = aPersonKey();
      await commitPlan(suite.records, aPlan({ audit: [anAudit([person])] }));
      const head = await suite.trail.head();
      await suite.reopen();
      expect(await suite.trail.head()).to.deep.equal(head);
      await suite.trail.record([anAudit([person])]);
      const verification = await suite.trail.verify();
      expect(verification.whole).to.equal(true);
      expect(headOf(verification)).to.include({ sequence: head.sequence + 1 });
    });

    it('loses no event of a commit that is followed by a restart at once', async () => {
      const person = aPersonKey();
      const audits = Array.from({ length: 20 }, () => anAudit([person]));
      await Promise.all(audits.map((audit) => commitPlan(suite.records, aPlan({ audit: [audit] }))));
      await suite.reopen();
      expect([...(await listOf(person))].sort()).to.deep.equal(audits.map(({ event }) => event.id).sort());
      expect((await suite.trail.verify()).whole).to.equal(true);
    });

    it('gives a sign of life between the parts of a long trail, and stops there when it is told to', async () => {
      await suite.trail.record(Array.from({ length: 500 }, () => anAudit()));
      const [recordOf, nobody] = [
        () => anAudit(),
        { persons: new Set<PersonKey>(), agents: new Set<string>(), names: [] },
      ];
      let signs = 0;
      const goOn = async (): Promise<void> => {
        signs += 1;
        if (signs === 1) throw new Fault('transient', 'The job is to end');
      };
      await expectFault(suite.trail.erasePerson(nobody, recordOf, goOn), 'transient');
      await suite.trail.eraseEntities(new Set(), recordOf, goOn);
      expect(signs).to.be.at.least(2);
    });
  });
  cuttingTrails(name, open);
}
