/** Persons that turn out to be one. */
import { expect } from 'chai';
import { principal } from '../../../server/access/right.ts';
import { expectFault } from '../../support/faults.ts';
import { aGrant, anAudit, anId, anInstance, aPatientGrant, aPersonKey, aPlan, aPut, aQuery, aRight, aStudyPut, aUid, SYSTEM } from '../../support/plans.ts';
import { ask, idsOf, read, searchIds } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';

/** Runs the contract of `rekeys`. */
export function rekeyingContract(suite: Suite): void {
  /** Two persons with a row each; everybody who holds one of them, holds a right to its record. */
  const twoPersons = async () => {
    const [from, to] = [aPersonKey(), aPersonKey()];
    const [former, standing] = [aPut({ person: from }), aPut({ person: to })];
    const holders = [from, to].map((person) => aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) }));
    const selves = [from, to].map((person) => aRight({ person, principal: principal.patient(person), relation: 'self' }));
    await suite.records.commit(aPlan({ puts: [former, standing], rights: [...holders, ...selves] }));
    const both = idsOf([former, standing]).toSorted();
    const join = async () => await suite.records.commit(aPlan({ rekeys: [{ from, to }] }));
    const shown = async (grant: ReturnType<typeof aGrant>) => [...(await searchIds(suite.records, grant, aQuery('DocumentReference')))].sort();
    return { from, to, former, standing, both, join, shown };
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
      await suite.records.commit(aPlan({ puts: [later] }));
      expect(await shown(aPatientGrant(from))).to.deep.equal([]);
      expect(await shown(aGrant(`Practitioner/${from}`))).to.deep.equal([...both, later.id].sort());
    });

    it('keep every switch that is on for one of them', async () => {
      const { from, to, join, shown } = await twoPersons();
      const states = [
        { person: from, change: { withdrawn: true } },
        { person: to, change: { accountOff: true } },
      ];
      await suite.records.commit(aPlan({ states }));
      await join();
      const joined = { opposed: false, withdrawn: true, erasurePending: false, accountOff: true };
      expect(await suite.records.stateOf(SYSTEM, to)).to.deep.equal(joined);
      expect(await shown(aGrant(`Practitioner/${to}`))).to.deep.equal([]);
      expect(await shown(aGrant(`Practitioner/${from}`))).to.deep.equal([]);
      await suite.records.commit(aPlan({ states: [{ person: to, change: { withdrawn: false } }] }));
      expect((await shown(aGrant(`Practitioner/${from}`))).length).to.equal(2);
    });

    it('share instances, claims on the key and the access list', async () => {
      const { from, to, join } = await twoPersons();
      const [studyInstanceUID, key, other] = [aUid(), `qualified|${anId()}`, anId()];
      const [put, audit] = [aStudyPut(studyInstanceUID, { person: from }), anAudit([from])];
      const instances = [anInstance({ person: from, studyInstanceUID })];
      const claims = [{ key, value: from }, { key: other, value: 'other' }];
      await suite.records.commit(aPlan({ puts: [put], instances, claims, audit: [audit] }));
      await join();
      const question = { kind: 'instances', studyInstanceUID, offset: 0, limit: 5 } as const;
      const answer = await ask(suite.records, aGrant(`Practitioner/${to}`), question);
      expect(answer.instances.map(({ person }) => person)).to.deep.equal([to]);
      expect(await suite.records.claimed(SYSTEM, key)).to.equal(to);
      expect(await suite.records.claimed(SYSTEM, other)).to.equal('other');
      await suite.trail.head();
      expect(await searchIds(suite.records, aPatientGrant(to), aQuery('AuditEvent'))).to.include(audit.event.id);
      expect((await suite.trail.verify()).whole).to.equal(true);
    });

    it('stay two when the plan is refused', async () => {
      const { from, to, standing, both, shown } = await twoPersons();
      const preconditions = [{ kind: 'absent', type: standing.type, id: standing.id }] as const;
      await expectFault(suite.records.commit(aPlan({ preconditions, rekeys: [{ from, to }] })), 'conflict');
      expect((await shown(aPatientGrant(to))).length).to.equal(both.length - 1);
    });
  });
}
