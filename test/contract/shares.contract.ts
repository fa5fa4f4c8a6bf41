/** A share (access.md 3, patient share): whoever has its link sees one item of the patient, as she sees it herself. */
import { expect } from 'chai';
import { LEVELS, MASKS } from '../../profiles/confidentiality.ts';
import { buildShareConsent } from '../../profiles/consent/giving/share.ts';
import type { PersonKey } from '../../server/access/requester.ts';
import type { Put } from '../../server/ports/commit-plan.ts';
import {
  aLinkGrant,
  aMove,
  anId,
  anIdentity,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  NOW,
  patientOf,
} from '../support/plans.ts';
import { read, searchIds } from '../support/reads.ts';
import { commitPlan } from '../support/warrants.ts';
import type { Suite } from './suite.ts';

/** The Consent by which a person shares an item, around now. */
function aShare(person: PersonKey, { type, id: shared }: Put): Put {
  const id = anId();
  const terms = { email: 'nobody@example.org', reason: 'avis', download: false };
  const times = { from: NOW - 5, to: NOW + 5 };
  const resource = buildShareConsent({ id, patient: patientOf(person), item: `${type}/${shared}`, ...times, ...terms });
  return aPut({ type: 'Consent', id, person, resource });
}

const linkOf = ({ id }: Put, now = NOW) => aLinkGrant([`Consent/${id}`], now);

/** Runs the contract of shares. */
export function sharesContract(suite: Suite): void {
  const sees = async (share: Put, item: Put, now = NOW): Promise<boolean> => {
    const grant = linkOf(share, now);
    const row = await read(suite.records, grant, item);
    const found = await searchIds(suite.records, grant, aQuery(item.type));
    expect(found, 'a search says what a read says').to.deep.equal(row === undefined ? [] : [item.id]);
    if (row !== undefined) expect(row.shownBy).to.deep.include({ relation: 'share', source: `Consent/${share.id}` });
    return row !== undefined;
  };

  describe('a share', () => {
    const anItem = (parts: Partial<Put> = {}): Put => aPut({ type: 'ImagingStudy', person: aPersonKey(), ...parts });
    const shared = async (item: Put): Promise<Put> => {
      const share = aShare(item.person ?? aPersonKey(), item);
      await commitPlan(suite.records, aPlan({ puts: [item, share] }));
      return share;
    };

    it('reaches the item at any level, and not what is masked from the patient or not released to her', async () => {
      for (const level of LEVELS) {
        const item = anItem({ level });
        expect(await sees(await shared(item), item), level).to.equal(true);
      }
      for (const mask of MASKS) {
        const item = anItem({ masks: [mask] });
        expect(await sees(await shared(item), item), mask).to.equal(mask !== 'patient' && mask !== 'restricted');
      }
      const waiting = anItem({ released: false });
      expect(await sees(await shared(waiting), waiting)).to.equal(false);
    });

    it('shows nothing else: no other item, not the Consent, in its time alone', async () => {
      const item = anItem();
      const share = await shared(item);
      const { person } = item;
      const other = anItem(person === undefined ? {} : { person });
      await commitPlan(suite.records, aPlan({ puts: [other] }));
      expect(await read(suite.records, linkOf(share), other)).to.equal(undefined);
      expect(await read(suite.records, linkOf(share), share)).to.equal(undefined);
      const times = [NOW - 6, NOW - 5, NOW + 4, NOW + 5];
      const seen = [];
      for (const now of times) seen.push(await sees(share, item, now));
      expect(seen).to.deep.equal([false, true, true, false]);
    });

    it('is closed by each state of the patient but an account that is off, and open again without it', async () => {
      const item = anItem();
      const share = await shared(item);
      const { person = aPersonKey() } = item;
      for (const name of ['opposed', 'withdrawn', 'erasurePending', 'accountOff'] as const) {
        await commitPlan(suite.records, aPlan({ states: [{ person, change: { [name]: true } }] }));
        expect(await sees(share, item), name).to.equal(name === 'accountOff');
        await commitPlan(suite.records, aPlan({ states: [{ person, change: { [name]: false } }] }));
        expect(await sees(share, item), name).to.equal(true);
      }
    });

    it('begins with an item that stands or comes later, follows it, and ends with the Consent', async () => {
      const item = anItem();
      const { person = aPersonKey() } = item;
      const [before, after] = [aShare(person, item), aShare(person, item)];
      for (const put of [before, item, after]) await commitPlan(suite.records, aPlan({ puts: [put] }));
      const both = async (): Promise<readonly boolean[]> => [await sees(before, item), await sees(after, item)];
      expect(await both()).to.deep.equal([true, true]);
      await commitPlan(suite.records, aPlan({ puts: [{ ...item, masks: ['patient'] }] }));
      expect(await both()).to.deep.equal([false, false]);
      await commitPlan(suite.records, aPlan({ puts: [{ ...item, sort: item.sort + 1 }] }));
      expect(await both()).to.deep.equal([true, true]);
      const resource = { ...before.resource, status: 'inactive' };
      const ended = { ...before, resource };
      await commitPlan(suite.records, aPlan({ puts: [ended] }));
      expect(await both()).to.deep.equal([false, true]);
    });

    it('is of one person: it shows nothing while who shares and whose the item is are two', async () => {
      const [hers, other] = [aPersonKey(), aPersonKey()];
      const item = anItem({ person: hers });
      const share = aShare(other, item);
      const identities = [anIdentity(hers), anIdentity(other)];
      await commitPlan(suite.records, aPlan({ puts: [...identities, item, share] }));
      expect(await sees(share, item)).to.equal(false);
      for (const [from, to, isOne] of [
        [other, hers, true],
        [hers, other, false],
        [other, hers, true],
      ] as const) {
        await commitPlan(suite.records, aPlan({ moves: [aMove({ from, to, home: other })] }));
        expect(await sees(share, item)).to.equal(isOne);
      }
    });
  });
}
