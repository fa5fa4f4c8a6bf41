/** Identities that join a person: what is filed under them, and what says who it is of. */
import { expect } from 'chai';
import { claimKey } from '../../../server/ports/claim-key.ts';
import { OPEN_STATE } from '../../../server/access/decide.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import type { CommitPlan, Put } from '../../../server/ports/commit-plan.ts';
import { principal } from '../../../server/access/right.ts';
import { errorOf, expectFault } from '../../support/faults.ts';
import {
  aClaimKey,
  aGrant,
  aMove,
  anAudit,
  anId,
  anIdentity,
  anInstance,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  aStudyClaim,
  aStudyPut,
  aUid,
  patientOf,
  SYSTEM,
} from '../../support/plans.ts';
import { ask, idsOf, read, searchIds } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of `moves` that join. */
export function joiningContract(suite: Suite): void {
  /** Two persons with a row each; everybody who holds one of them, holds a right to its record. */
  const twoPersons = async () => {
    const [from, to] = [aPersonKey(), aPersonKey()];
    const [former, standing] = [aPut({ person: from }), aPut({ person: to })];
    const holders = [from, to].map((person) =>
      aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) }),
    );
    const selves = [from, to].map((person) =>
      aRight({ person, principal: principal.patient(person), relation: 'self' }),
    );
    const puts = [...[from, to].map((person) => anIdentity(person)), former, standing];
    await commitPlan(suite.records, aPlan({ puts, rights: [...holders, ...selves] }));
    const both = idsOf([former, standing]).toSorted();
    const join = async () => await commitPlan(suite.records, aPlan({ moves: [aMove({ from, to })] }));
    const shown = async (grant: ReturnType<typeof aGrant>) =>
      [...(await searchIds(suite.records, grant, aQuery('DocumentReference')))].sort();
    return { from, to, former, standing, both, join, shown };
  };

  const accessList = async (person: PersonKey): Promise<readonly string[]> => {
    await suite.trail.head();
    return await searchIds(suite.records, aPatientGrant(person), aQuery('AuditEvent'));
  };

  describe('persons that turn out to be one', () => {
    it('share their rows and the rights to them, and the patient sees all', async () => {
      const { from, to, former, both, join, shown } = await twoPersons();
      await join();
      expect(await shown(aGrant(`Practitioner/${from}`))).to.deep.equal(both);
      expect(await shown(aGrant(`Practitioner/${to}`))).to.deep.equal(both);
      expect(await shown(aPatientGrant(to))).to.deep.equal(both);
      expect((await read(suite.records, aPatientGrant(to), former))?.person).to.equal(to);
      expect(await suite.records.rightsOf(SYSTEM, from)).to.deep.equal([]);
    });

    it('leave nothing under the former key, and rows that come later are one person’s', async () => {
      const { from, to, both, join, shown } = await twoPersons();
      await join();
      const later = aPut({ person: to });
      await commitPlan(suite.records, aPlan({ puts: [later] }));
      expect(await shown(aPatientGrant(from))).to.deep.equal([]);
      expect(await shown(aGrant(`Practitioner/${from}`))).to.deep.equal([...both, later.id].sort());
    });

    it('keep every switch that is on for one of them', async () => {
      const { from, to, join, shown } = await twoPersons();
      const states = [
        { person: from, change: { withdrawn: true } },
        { person: to, change: { accountOff: true } },
      ];
      await commitPlan(suite.records, aPlan({ states }));
      await join();
      const joined = { opposed: false, withdrawn: true, erasurePending: false, accountOff: true };
      expect(await suite.records.stateOf(SYSTEM, to)).to.deep.equal(joined);
      expect(await shown(aGrant(`Practitioner/${to}`))).to.deep.equal([]);
      expect(await shown(aGrant(`Practitioner/${from}`))).to.deep.equal([]);
      await commitPlan(suite.records, aPlan({ states: [{ person: from, change: { withdrawn: false } }] }));
      expect((await shown(aGrant(`Practitioner/${from}`))).length).to.equal(2);
    });

    it('share instances and the access list, and claims stay as they were taken', async () => {
      const { from, to, join } = await twoPersons();
      const [studyInstanceUID, key] = [aUid(), claimKey.qualified('urn:national', anId())];
      const [put, audit] = [aStudyPut(studyInstanceUID, { person: from }), anAudit([from])];
      const instances = [anInstance({ person: from, studyInstanceUID })];
      const claims = [{ key, value: from }, aStudyClaim(studyInstanceUID, put)];
      await commitPlan(suite.records, aPlan({ puts: [put], instances, claims, audit: [audit] }));
      await join();
      const question = { kind: 'instances', studyInstanceUID, offset: 0, limit: 5 } as const;
      const answer = await ask(suite.records, aGrant(`Practitioner/${to}`), question);
      expect(answer.instances.map(({ person, subject }) => [person, subject])).to.deep.equal([[to, patientOf(from)]]);
      expect(await suite.records.claimed(SYSTEM, key)).to.equal(from);
      await suite.trail.head();
      expect(await searchIds(suite.records, aPatientGrant(to), aQuery('AuditEvent'))).to.include(audit.event.id);
      expect((await suite.trail.verify()).whole).to.equal(true);
    });

    it('have one right to their own record', async () => {
      const { to, join } = await twoPersons();
      await join();
      const selves = (await suite.records.rightsOf(SYSTEM, to)).filter(({ relation }) => relation === 'self');
      expect(selves.map(({ principal: holder }) => holder)).to.deep.equal([principal.patient(to)]);
    });

    it('keep the person in former versions', async () => {
      const { to, former, join } = await twoPersons();
      await commitPlan(suite.records, aPlan({ puts: [former] }));
      await join();
      const first = await read(suite.records, aPatientGrant(to), former, 1);
      expect(first).to.deep.include({ version: 1, person: to });
    });

    it('take no plan under the former key, nor one that files under an identity where it is not', async () => {
      const { from, to, both, join, shown } = await twoPersons();
      await join();
      const studyInstanceUID = aUid();
      const parts: readonly Omit<CommitPlan, 'id'>[] = [
        { puts: [aPut({ person: from })] },
        { instances: [anInstance({ person: from, studyInstanceUID })] },
        { puts: [aPut({ person: aPersonKey(), subject: patientOf(from) })] },
        { instances: [anInstance({ person: aPersonKey(), subject: patientOf(from), studyInstanceUID })] },
        { moves: [aMove({ from: aPersonKey(), to: from })] },
        { moves: [aMove({ from, to: aPersonKey() })] },
        { moves: [aMove({ from: to, to: aPersonKey() })] },
      ];
      for (const part of parts) {
        const [kept, key] = [aPut({ person: to }), aClaimKey()];
        const plan = aPlan({ ...part, puts: [kept, ...(part.puts ?? [])], claims: [{ key, value: key }] });
        await expectFault(commitPlan(suite.records, plan), 'conflict');
        expect(await suite.records.claimed(SYSTEM, key), Object.keys(part).join()).to.equal(undefined);
      }
      expect(await shown(aPatientGrant(to))).to.deep.equal(both);
      expect(await suite.records.stateOf(SYSTEM, to)).to.deep.equal(OPEN_STATE);
    });

    it('answer the first receipt to a plan from before the join that is sent again', async () => {
      const { from, join } = await twoPersons();
      const plan = aPlan({ puts: [aPut({ person: from })] });
      const first = await commitPlan(suite.records, plan);
      await join();
      expect(await commitPlan(suite.records, plan)).to.deep.equal(first);
    });

    it('take no plan from before that races with the join or with the separation', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { from, to, former, standing, join, shown } = await twoPersons();
        const [early, late] = [aPut({ person: from }), aPut({ person: to, subject: patientOf(from) })];
        const race = async (put: Put, move: () => Promise<unknown>): Promise<readonly string[]> => {
          const [error] = await Promise.all([errorOf(commitPlan(suite.records, aPlan({ puts: [put] }))), move()]);
          return error === undefined ? [put.id] : [];
        };
        const first = [former.id, ...(await race(early, join))];
        expect(await shown(aPatientGrant(to))).to.deep.equal([standing.id, ...first].sort());
        const separate = aPlan({ moves: [aMove({ from: to, to: from, home: from })] });
        const all = [...first, ...(await race(late, async () => await commitPlan(suite.records, separate)))];
        expect(await shown(aPatientGrant(from))).to.deep.equal(all.sort());
        expect(await shown(aPatientGrant(to))).to.deep.equal([standing.id]);
      }
    });

    it('of two identities that race to join each other only one does', async () => {
      const { from, to, both, join, shown } = await twoPersons();
      const other = commitPlan(suite.records, aPlan({ moves: [aMove({ from: to, to: from })] }));
      const errors = await Promise.all([errorOf(join()), errorOf(other)]);
      expect(errors.filter((error) => error === undefined)).to.have.length(1);
      expect(await shown(aPatientGrant(errors[0] === undefined ? to : from))).to.deep.equal(both);
    });

    it('show the patient every event, recorded before the join or after it under the former key', async () => {
      const { from, to, standing, join } = await twoPersons();
      const [before, after, looked, alone, both] = [
        anAudit([from]),
        anAudit([from]),
        anAudit([from]),
        anAudit([from]),
        anAudit([from, to]),
      ];
      await commitPlan(suite.records, aPlan({ audit: [before] }));
      await join();
      await commitPlan(suite.records, aPlan({ audit: [after] }));
      const question = { kind: 'resource', type: standing.type, id: standing.id } as const;
      await suite.records.look(aGrant(`Practitioner/${to}`), question, () => [looked]);
      await suite.trail.record([alone, both]);
      const expected = [before, after, looked, alone, both].map(({ event }) => event.id);
      expect(await accessList(to))
        .to.have.members(expected)
        .and.to.have.length(expected.length);
      expect((await read(suite.records, aPatientGrant(to), { type: 'AuditEvent', id: looked.event.id }))?.id).to.equal(
        looked.event.id,
      );
      expect(await accessList(from)).to.deep.equal([]);
    });

    it('may be joined with a third, and events under every former key are the last one’s', async () => {
      const { from: a, to: b, both, join, shown } = await twoPersons();
      const c = aPersonKey();
      const [first, second, third] = [anAudit([a]), anAudit([a]), anAudit([b])];
      await commitPlan(
        suite.records,
        aPlan({
          audit: [first],
          rights: [aRight({ person: c, principal: principal.patient(c), relation: 'self' })],
        }),
      );
      await join();
      const moves = [aMove({ from: b, to: c }), aMove({ home: a, from: b, to: c })];
      await commitPlan(suite.records, aPlan({ moves }));
      await suite.trail.record([second, third]);
      expect(await accessList(c)).to.have.members([first, second, third].map(({ event }) => event.id));
      expect(await accessList(b)).to.deep.equal([]);
      for (const holder of [a, b]) expect(await shown(aGrant(`Practitioner/${holder}`))).to.deep.equal(both);
      expect(await shown(aPatientGrant(c))).to.deep.equal(both);
      for (const person of [a, b])
        await expectFault(commitPlan(suite.records, aPlan({ puts: [aPut({ person })] })), 'conflict');
    });

    it('may be joined in one plan, three at once', async () => {
      const { from: a, to: b, both, shown } = await twoPersons();
      const [c, audit] = [aPersonKey(), anAudit([a])];
      const moves = [aMove({ from: a, to: b }), aMove({ from: b, to: c }), aMove({ home: a, from: b, to: c })];
      await commitPlan(
        suite.records,
        aPlan({
          moves,
          rights: [aRight({ person: c, principal: principal.patient(c), relation: 'self' })],
          audit: [audit],
        }),
      );
      expect(await shown(aPatientGrant(c))).to.deep.equal(both);
      expect(await accessList(c)).to.deep.equal([audit.event.id]);
    });

    it('stay two when the plan is refused', async () => {
      const { from, to, standing, both, shown } = await twoPersons();
      const preconditions = [{ kind: 'absent', type: standing.type, id: standing.id }] as const;
      await expectFault(commitPlan(suite.records, aPlan({ preconditions, moves: [aMove({ from, to })] })), 'conflict');
      expect((await shown(aPatientGrant(to))).length).to.equal(both.length - 1);
    });
  });
}
