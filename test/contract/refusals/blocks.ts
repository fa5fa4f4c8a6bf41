/** Whom a patient blocks: nothing of hers is shown to them but what they wrote themselves or are named in. */
import { expect } from 'chai';
import type { Grant } from '../../../server/access/grant.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { BLOCK, principal, type Principal, type Relation } from '../../../server/access/right.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import {
  aGrant,
  aGrantOutsideCare,
  anAudit,
  anId,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  NOW,
} from '../../support/plans.ts';
import { ask, idsOf, read, search, searchIds } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';

/** A radiologist of a department, which is a part of a hospital. */
function aDoctor(id: string, now = NOW): Grant {
  const within = [`Organization/${id}`, `Organization/${id}-whole`];
  const role = { reference: `PractitionerRole/${id}`, organization: `Organization/${id}`, within };
  return aGrant(`Practitioner/${id}`, now, [{ ...role, radiologist: true, offices: [] }]);
}

/** Each principal by which such a doctor may be blocked. */
const WAYS: Readonly<Record<string, (id: string) => Principal>> = {
  'by herself': (id) => principal.practitioner(`Practitioner/${id}`),
  'by her function': (id) => principal.role(`PractitionerRole/${id}`),
  'by her department': (id) => principal.members(`Organization/${id}`),
  'by the hospital of which it is a part': (id) => principal.members(`Organization/${id}-whole`),
};

/** By whom each relation that a block closes is held. */
const CLOSED: Readonly<Partial<Record<Relation, (id: string) => Principal>>> = {
  declared: (id) => principal.role(`PractitionerRole/${id}`),
  'imaging-service': (id) => principal.radiologists(`Organization/${id}`),
  referent: (id) => principal.practitioner(`Practitioner/${id}`),
  circle: (id) => principal.members(`Organization/${id}`),
  assistant: (id) => principal.practitioner(`Practitioner/${id}`),
  stay: (id) => principal.members(`Organization/${id}-whole`),
  presence: (id) => principal.practitioner(`Practitioner/${id}`),
  'break-glass': (id) => principal.breakGlass(`Practitioner/${id}`),
};

/** Runs the contract of blocks. */
export function blocksContract(suite: Suite): void {
  const blocks = (person: PersonKey, holder: Principal, times: { from?: number; to?: number } = {}) =>
    aRight({ person, principal: holder, relation: BLOCK, ...times });
  const shown = async (grant: Grant, put: Put): Promise<boolean> => {
    const listed = await searchIds(suite.records, grant, aQuery(put.type));
    const among = await searchIds(
      suite.records,
      grant,
      aQuery(put.type, { where: [{ kind: 'id', values: [put.id] }] }),
    );
    const one = await read(suite.records, grant, put);
    expect([listed.includes(put.id), among.includes(put.id)], 'lists').to.deep.equal([
      one !== undefined,
      one !== undefined,
    ]);
    return one !== undefined;
  };

  describe('a block', () => {
    for (const [way, holderOf] of Object.entries(WAYS)) {
      it(`closes a record, by every relation, to whom it is against ${way}, until it ends`, async () => {
        for (const [relation, held] of Object.entries(CLOSED) as [Relation, (id: string) => Principal][]) {
          const [id, person] = [anId(), aPersonKey()];
          const put = aPut({ person });
          await commitPlan(
            suite.records,
            aPlan({ puts: [put], rights: [aRight({ person, principal: held(id), relation })] }),
          );
          expect(await shown(aDoctor(id), put), relation).to.equal(true);
          const block = blocks(person, holderOf(id));
          await commitPlan(suite.records, aPlan({ rights: [block] }));
          expect(await shown(aDoctor(id), put), `${relation}, blocked`).to.equal(false);
          await commitPlan(suite.records, aPlan({ puts: [put], ended: [block] }));
          expect(await shown(aDoctor(id), put), `${relation}, not blocked any more`).to.equal(true);
        }
      });
    }

    it('outlives what is given later, and closes nothing to others, nor of others', async () => {
      const [id, other, person, further] = [anId(), anId(), aPersonKey(), aPersonKey()];
      const [put, beside] = [aPut({ person }), aPut({ person: further })];
      const given = (to: PersonKey, who: string) =>
        aRight({ person: to, principal: principal.practitioner(`Practitioner/${who}`) });
      const rights = [
        blocks(person, principal.practitioner(`Practitioner/${id}`)),
        given(person, other),
        given(further, id),
      ];
      await commitPlan(suite.records, aPlan({ puts: [put, beside], rights }));
      await commitPlan(suite.records, aPlan({ rights: [given(person, id)] }));
      expect([await shown(aDoctor(id), put), await shown(aDoctor(id), beside)]).to.deep.equal([false, true]);
      expect([await shown(aDoctor(other), put), await shown(aPatientGrant(person), put)]).to.deep.equal([true, false]);
    });

    it('leaves an author what she wrote, whom a row names that row, and the patient everything', async () => {
      const [id, person] = [anId(), aPersonKey()];
      const origin = { sources: [`Practitioner/${id}`], services: [] };
      const holder = principal.practitioner(`Practitioner/${id}`);
      const [mine, hers, named] = [
        aPut({ person, origin, level: 'V' }),
        aPut({ person }),
        aPut({ type: 'Task', person, origin }),
      ];
      const rights = [
        aRight({ person, principal: holder }),
        blocks(person, holder),
        aRight({ person, principal: principal.patient(person), relation: 'self' }),
      ];
      await commitPlan(suite.records, aPlan({ puts: [mine, hers, named], rights }));
      const seen = async (grant: Grant) => [
        await shown(grant, mine),
        await shown(grant, hers),
        await shown(grant, named),
      ];
      expect(await seen(aDoctor(id))).to.deep.equal([true, false, true]);
      expect(await seen(aPatientGrant(person))).to.deep.equal([true, true, false]);
      expect((await read(suite.records, aDoctor(id), mine))?.shownBy?.relation).to.equal('author');
    });

    it('holds in its time, and at the next look of an answer that goes on', async () => {
      const [id, person] = [anId(), aPersonKey()];
      const holder = principal.practitioner(`Practitioner/${id}`);
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person, principal: holder })] }));
      const question = { kind: 'resource', type: put.type, id: put.id } as const;
      const { answer, passage } = await suite.records.look(aDoctor(id), question, () => [anAudit()]);
      expect(answer?.id).to.equal(put.id);
      await commitPlan(suite.records, aPlan({ rights: [blocks(person, holder, { from: NOW + 5, to: NOW + 10 })] }));
      const seen = [];
      for (const at of [4, 5, 9, 10]) seen.push((await suite.records.follow(passage, question, NOW + at))?.id);
      expect(seen).to.deep.equal([put.id, undefined, undefined, put.id]);
    });

    it('hides former versions, deletions, parts and instances, and lets others be counted', async () => {
      const [id, person] = [anId(), aPersonKey()];
      const holder = principal.practitioner(`Practitioner/${id}`);
      const [put, gone] = [aPut({ person }), aPut({ person })];
      const part = aPut({ type: 'Binary', person, parent: `${put.type}/${put.id}` });
      await commitPlan(
        suite.records,
        aPlan({ puts: [put, gone, part], rights: [aRight({ person, principal: holder })] }),
      );
      await commitPlan(suite.records, aPlan({ puts: [put], deletes: [gone] }));
      const grant = aDoctor(id);
      const asked = async () => [
        (await read(suite.records, grant, part)) !== undefined,
        (await read(suite.records, grant, put, 1)) !== undefined,
        (await ask(suite.records, grant, { kind: 'history', type: put.type, limit: 10 })).rows.length,
        (await ask(suite.records, grant, { kind: 'history', type: put.type, id: gone.id, limit: 10 })).rows.length,
        (await search(suite.records, grant, aQuery(put.type, { total: 'accurate' }))).total,
      ];
      expect(await asked()).to.deep.equal([true, true, 4, 2, 1]);
      await commitPlan(suite.records, aPlan({ rights: [blocks(person, holder)] }));
      expect(await asked()).to.deep.equal([false, false, 0, 0, 0]);
    });

    it('C16 of everybody is against who acts outside of care in any role: own work is shown', async () => {
      const [id, person] = [anId(), aPersonKey()];
      const holder = principal.practitioner(`Practitioner/${id}`);
      const care = { reference: `PractitionerRole/${id}`, organization: `Organization/${id}`, within: [] };
      const roles = [{ ...care, radiologist: true, offices: [] }];
      const origin = { sources: [`Practitioner/${id}`], services: [] };
      const [mine, hers, named] = [aPut({ person, origin }), aPut({ person }), aPut({ type: 'Task', person, origin })];
      const rights = [
        aRight({ person, principal: holder }),
        aRight({ person, principal: principal.radiologists(`Organization/${id}`), relation: 'imaging-service' }),
        aRight({ person, principal: principal.breakGlass(`Practitioner/${id}`), relation: 'break-glass' }),
      ];
      await commitPlan(suite.records, aPlan({ puts: [mine, hers, named], rights }));
      const seen = async (grant: Grant) => [
        await shown(grant, mine),
        await shown(grant, hers),
        await shown(grant, named),
      ];
      expect(await seen(aGrant(`Practitioner/${id}`, NOW, roles))).to.deep.equal([true, true, true]);
      const grant = aGrantOutsideCare(`Practitioner/${id}`, NOW, roles);
      expect(await seen(grant)).to.deep.equal([true, false, true]);
      await commitPlan(suite.records, aPlan({ puts: [hers], deletes: [mine] }));
      const history = await ask(suite.records, grant, { kind: 'history', type: hers.type, limit: 10 });
      expect(history.rows.map((row) => row.id)).to.deep.equal([mine.id, mine.id]);
    });

    it('is counted in totals of many, which are kept of others', async () => {
      const [id, many, one] = [anId(), aPersonKey(), aPersonKey()];
      const holder = principal.practitioner(`Practitioner/${id}`);
      const rights = [many, one].map((person) => aRight({ person, principal: holder }));
      const puts = Array.from({ length: 1_001 }, () => aPut({ person: many }));
      await commitPlan(suite.records, aPlan({ puts: puts.slice(0, 500), rights }));
      await commitPlan(suite.records, aPlan({ puts: puts.slice(500) }));
      const left = aPut({ person: one });
      await commitPlan(suite.records, aPlan({ puts: [left] }));
      const page = async () =>
        await search(suite.records, aDoctor(id), aQuery(left.type, { count: 1, total: 'bounded' }));
      expect((await page()).total).to.equal(undefined);
      await commitPlan(suite.records, aPlan({ rights: [blocks(many, holder)] }));
      const { rows, total, next } = await page();
      expect([idsOf(rows), total, next]).to.deep.equal([[left.id], 1, undefined]);
    });
  });
}
