/** Access as it changes: rights that come and go, rows that come and change, whole sequences. */
import { expect } from 'chai';
import { principal } from '../../../server/access/right.ts';
import { aGrant, aPatientGrant, aPersonKey, aPlan, aPut, aQuery, aRight, NOW, SYSTEM } from '../../support/plans.ts';
import { read, searchIds } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of changes to rows and rights. */
export function changingContract(suite: Suite): void {
  const setup = () => {
    const person = aPersonKey();
    const holder = principal.practitioner(`Practitioner/${person}`);
    const grant = aGrant(`Practitioner/${person}`);
    const shown = async () => await searchIds(suite.records, grant, aQuery('DocumentReference'));
    return { person, holder, grant, shown };
  };

  describe('rights and rows that change', () => {
    it('a new right shows the standing rows of its person and of nobody else', async () => {
      const { person, holder, shown } = setup();
      const [mine, other] = [aPut({ person }), aPut({ person: aPersonKey() })];
      await commitPlan(suite.records, aPlan({ puts: [mine, other] }));
      expect(await shown()).to.deep.equal([]);
      await commitPlan(suite.records, aPlan({ rights: [aRight({ person, principal: holder })] }));
      expect(await shown()).to.deep.equal([mine.id]);
    });

    it('a new row is shown to the standing rights of its person', async () => {
      const { person, holder, grant, shown } = setup();
      await commitPlan(suite.records, aPlan({ rights: [aRight({ person, principal: holder })] }));
      const [mine, other] = [aPut({ person }), aPut({ person: aPersonKey() })];
      await commitPlan(suite.records, aPlan({ puts: [mine, other] }));
      expect(await shown()).to.deep.equal([mine.id]);
      expect(await read(suite.records, grant, other)).to.equal(undefined);
    });

    it('a new row is shown to a right that begins later, once it begins', async () => {
      const { person, holder } = setup();
      await commitPlan(
        suite.records,
        aPlan({ rights: [aRight({ person, principal: holder, from: NOW + 100, to: NOW + 200 })] }),
      );
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      expect(await read(suite.records, aGrant(`Practitioner/${person}`, NOW), put)).to.equal(undefined);
      expect(await read(suite.records, aGrant(`Practitioner/${person}`, NOW + 100), put)).not.to.equal(undefined);
    });

    it('a right to one item shows that item only, also when the item comes after the right', async () => {
      const { person, holder, shown } = setup();
      const [asked, beside] = [aPut({ person }), aPut({ person })];
      const scope = { item: `DocumentReference/${asked.id}` };
      await commitPlan(suite.records, aPlan({ rights: [aRight({ person, principal: holder, scope })] }));
      await commitPlan(suite.records, aPlan({ puts: [asked, beside] }));
      expect(await shown()).to.deep.equal([asked.id]);
    });

    it('a right that is revoked shows nothing any more, and another one of the same holder still does', async () => {
      const { person, holder, grant, shown } = setup();
      const [asked, beside] = [aPut({ person }), aPut({ person })];
      const record = aRight({ person, principal: holder });
      const item = aRight({ person, principal: holder, scope: { item: `DocumentReference/${asked.id}` } });
      await commitPlan(suite.records, aPlan({ puts: [asked, beside], rights: [record, item] }));
      await commitPlan(suite.records, aPlan({ revoked: [record.id] }));
      expect(await shown()).to.deep.equal([asked.id]);
      expect((await read(suite.records, grant, asked))?.shownBy?.rightId).to.equal(item.id);
      await commitPlan(suite.records, aPlan({ revoked: [item.id] }));
      expect(await shown()).to.deep.equal([]);
    });

    it('a row that comes after a revocation is not shown', async () => {
      const { person, holder, shown } = setup();
      const right = aRight({ person, principal: holder });
      await commitPlan(suite.records, aPlan({ rights: [right] }));
      await commitPlan(suite.records, aPlan({ revoked: [right.id], puts: [aPut({ person })] }));
      await commitPlan(suite.records, aPlan({ puts: [aPut({ person })] }));
      expect(await shown()).to.deep.equal([]);
    });

    it('a label that rises hides the row and one that falls shows it', async () => {
      const { person, holder, grant, shown } = setup();
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person, principal: holder })] }));
      await commitPlan(suite.records, aPlan({ puts: [{ ...put, level: 'R' }] }));
      expect(await shown()).to.deep.equal([]);
      expect(await read(suite.records, grant, put)).to.equal(undefined);
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      expect(await shown()).to.deep.equal([put.id]);
    });

    it('a release shows the row to the patient and a recall hides it', async () => {
      const { person } = setup();
      const put = aPut({ person, released: false });
      const self = aRight({ person, principal: principal.patient(person), relation: 'self' });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [self] }));
      const seen = async () => (await read(suite.records, aPatientGrant(person), put)) !== undefined;
      expect(await seen()).to.equal(false);
      await commitPlan(suite.records, aPlan({ puts: [{ ...put, released: true }] }));
      expect(await seen()).to.equal(true);
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      expect(await seen()).to.equal(false);
    });

    it('a row that is put under another person follows that person', async () => {
      const { person, holder, shown } = setup();
      const other = setup();
      const put = aPut({ person });
      const item = aRight({ person, principal: holder, scope: { item: `DocumentReference/${put.id}` } });
      const rights = [
        aRight({ person, principal: holder }),
        item,
        aRight({ person: other.person, principal: other.holder }),
      ];
      await commitPlan(suite.records, aPlan({ puts: [put], rights }));
      await commitPlan(suite.records, aPlan({ puts: [{ ...put, person: other.person }] }));
      expect(await shown()).to.deep.equal([]);
      expect(await other.shown()).to.deep.equal([put.id]);
    });

    it('a right and the revocation of another change hands in one plan', async () => {
      const { person, holder, grant } = setup();
      const [former, later] = [
        aRight({ person, principal: holder }),
        aRight({ person, principal: holder, source: 'Consent/new' }),
      ];
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [former] }));
      await commitPlan(suite.records, aPlan({ rights: [later], revoked: [former.id] }));
      const shownBy = { rightId: later.id, relation: 'declared', source: 'Consent/new' };
      expect((await read(suite.records, grant, put))?.shownBy).to.deep.equal(shownBy);
    });

    it('a new sort key moves the row in the lists of its holders', async () => {
      const { person, holder, shown } = setup();
      const [first, second] = [aPut({ person, sort: 200 }), aPut({ person, sort: 100 })];
      await commitPlan(
        suite.records,
        aPlan({ puts: [first, second], rights: [aRight({ person, principal: holder })] }),
      );
      expect(await shown()).to.deep.equal([first.id, second.id]);
      await commitPlan(suite.records, aPlan({ puts: [{ ...second, sort: 300 }] }));
      expect(await shown()).to.deep.equal([second.id, first.id]);
    });

    it('a read that begins after a withdrawal answers nothing, under any number of readers', async () => {
      const { person, holder, grant } = setup();
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [aRight({ person, principal: holder })] }));
      let withdrawn = false;
      const late: unknown[] = [];
      const reader = async (): Promise<void> => {
        for (let turn = 0; turn < 15; turn += 1) {
          const began = withdrawn;
          const row = await read(suite.records, grant, put);
          if (began) late.push(row);
        }
      };
      const withdraw = async (): Promise<void> => {
        await read(suite.records, grant, put);
        await commitPlan(suite.records, aPlan({ states: [{ person, change: { withdrawn: true } }] }));
        withdrawn = true;
      };
      await Promise.all([reader(), reader(), reader(), withdraw(), reader()]);
      late.push(await read(suite.records, grant, put));
      expect(late.filter((row) => row !== undefined)).to.deep.equal([]);
      const question = { kind: 'resource', type: put.type, id: put.id } as const;
      expect(await suite.records.peek(SYSTEM, question)).not.to.equal(undefined);
    });
  });
}
