/** Access as it changes: rights that come and go, rows that come and change, whole sequences. */
import { expect } from 'chai';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { NO_ORIGIN } from '../../../server/access/rights-of.ts';
import { itemIn, principal } from '../../../server/access/right.ts';
import {
  aGiver,
  aGrant,
  aPatientGrant,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  NOW,
  SYSTEM,
} from '../../support/plans.ts';
import { read, searchIds } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of changes to rows and rights. */
export function changingContract(suite: Suite): void {
  const setup = () => {
    const person = aPersonKey();
    const holder = principal.practitioner(`Practitioner/${person}`);
    const origin = { sources: [`Practitioner/${person}`], services: [] };
    const grant = aGrant(`Practitioner/${person}`);
    const shown = async () => await searchIds(suite.records, grant, aQuery('DocumentReference'));
    return { person, holder, origin, grant, shown };
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

    it('a right to one item shows that item only, and lasts while the item says its source', async () => {
      const { person, origin, grant, shown } = setup();
      const [asked, beside] = [aPut({ person, origin }), aPut({ person })];
      await commitPlan(suite.records, aPlan({ puts: [asked, beside] }));
      expect(await shown()).to.deep.equal([asked.id]);
      await commitPlan(suite.records, aPlan({ puts: [aPut({ person, id: asked.id })] }));
      expect((await read(suite.records, grant, asked))?.shownBy?.relation).to.equal('author');
      await commitPlan(suite.records, aPlan({ puts: [{ ...asked, origin: NO_ORIGIN }] }));
      expect(await shown()).to.deep.equal([]);
    });

    it('a right that ends shows nothing any more, and another one of the same holder still does', async () => {
      const { person, holder, origin, grant, shown } = setup();
      const [asked, beside] = [aPut({ person, origin }), aPut({ person })];
      const record = aRight({ person, principal: holder });
      await commitPlan(suite.records, aPlan({ puts: [asked, beside], rights: [record] }));
      await commitPlan(suite.records, aPlan({ ended: [record] }));
      expect(await shown()).to.deep.equal([asked.id]);
      expect((await read(suite.records, grant, asked))?.shownBy?.relation).to.equal('author');
      await commitPlan(suite.records, aPlan({ puts: [{ ...asked, origin: NO_ORIGIN }] }));
      expect(await shown()).to.deep.equal([]);
    });

    it('a right that several rows give names the earliest that still does, and ends with the last', async () => {
      const { person, holder, grant, shown } = setup();
      const put = aPut({ person });
      const rights = [1, 2, 3].map(() => aRight({ person, principal: holder }));
      const [first, second, third] = rights;
      if (first === undefined || second === undefined || third === undefined) throw new Error('No rights');
      await commitPlan(suite.records, aPlan({ puts: [put], rights }));
      const cited = async () => (await read(suite.records, grant, put))?.shownBy?.source;
      expect(
        (await suite.records.rightsOf(SYSTEM, person)).filter(({ relation }) => relation === 'declared'),
      ).to.deep.equal([first]);
      expect(await cited()).to.equal(first.giver);
      await commitPlan(suite.records, aPlan({ ended: [second] }));
      expect(await cited()).to.equal(first.giver);
      await commitPlan(suite.records, aPlan({ ended: [first] }));
      expect(await cited()).to.equal(third.giver);
      await commitPlan(suite.records, aPlan({ puts: [saysNothing(aGiver(third))] }));
      expect(await shown()).to.deep.equal([]);
    });

    for (const [what, parts] of [
      ['deleted and put', (giver: Put) => ({ deletes: [giver], puts: [giver] })],
      ['erased and put', (giver: Put) => ({ erased: [{ rows: [giver] }], puts: [giver] })],
      ['put without what it permits, and with it', (giver: Put) => ({ puts: [saysNothing(giver), giver] })],
    ] as const) {
      it(`a right names the row that gives it still, and no more first the one that one plan ${what}`, async () => {
        const { person, holder, grant } = setup();
        const put = aPut({ person });
        const [first, second] = [1, 2].map(() => aRight({ person, principal: holder }));
        if (first === undefined || second === undefined) throw new Error('No rights');
        await commitPlan(suite.records, aPlan({ puts: [put], rights: [first, second] }));
        await commitPlan(suite.records, aPlan(parts(aGiver(first))));
        expect((await read(suite.records, grant, put))?.shownBy?.source).to.equal(second.giver);
        await commitPlan(suite.records, aPlan({ ended: [second] }));
        expect((await read(suite.records, grant, put))?.shownBy?.source).to.equal(first.giver);
      });
    }

    it('rights are asked for one item, too: those to it, and to the record', async () => {
      const { person, origin } = setup();
      const [one, other] = [aPut({ person, origin }), aPut({ person, origin })];
      await commitPlan(suite.records, aPlan({ puts: [one, other], rights: [aRight({ person })] }));
      const all = await suite.records.rightsOf(SYSTEM, person);
      const item = `${one.type}/${one.id}`;
      const some = all.filter(({ scope }) => scope === 'record' || itemIn(scope) === item);
      expect(some.length).to.be.within(2, all.length - 1);
      expect(await suite.records.rightsOf(SYSTEM, person, item)).to.deep.equal(some);
    });

    it('the right of an author outlives the deletion of the row, and no erasure', async () => {
      const { person, origin } = setup();
      const put = aPut({ person, origin });
      const { type, id } = put;
      const held = async () => (await suite.records.rightsOf(SYSTEM, person)).map(({ giver }) => giver);
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      await commitPlan(suite.records, aPlan({ deletes: [{ type, id }] }));
      expect(await held()).to.deep.equal([`${type}/${id}`]);
      await commitPlan(suite.records, aPlan({ erased: [{ rows: [{ type, id }] }] }));
      expect(await held()).to.deep.equal([]);
    });

    it('a row that comes after the end of a right is not shown', async () => {
      const { person, holder, shown } = setup();
      const right = aRight({ person, principal: holder });
      await commitPlan(suite.records, aPlan({ rights: [right] }));
      await commitPlan(suite.records, aPlan({ ended: [right], puts: [aPut({ person })] }));
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

    it('a row that is put under another person follows that person, and its author the row', async () => {
      const [one, other, author] = [setup(), setup(), setup()];
      const put = aPut({ person: one.person, origin: author.origin });
      const rights = [one, other].map(({ person, holder }) => aRight({ person, principal: holder }));
      await commitPlan(suite.records, aPlan({ puts: [put], rights }));
      await commitPlan(suite.records, aPlan({ puts: [{ ...put, person: other.person }] }));
      expect(await one.shown()).to.deep.equal([]);
      expect(await other.shown()).to.deep.equal([put.id]);
      expect(await author.shown()).to.deep.equal([put.id]);
      await commitPlan(suite.records, aPlan({ states: [{ person: other.person, change: { withdrawn: true } }] }));
      expect(await author.shown()).to.deep.equal([]);
    });

    it('a right and the end of the row that gave it before change hands in one plan', async () => {
      const { person, holder, grant } = setup();
      const [former, later] = [aRight({ person, principal: holder }), aRight({ person, principal: holder })];
      const put = aPut({ person });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [former] }));
      await commitPlan(suite.records, aPlan({ rights: [later], ended: [former] }));
      const shownBy = { rightId: later.id, relation: 'declared', source: later.giver };
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

/** The row without anything that gives a right. */
function saysNothing(put: Put): Put {
  return { ...put, resource: aPut({ type: put.type, id: put.id }).resource };
}
