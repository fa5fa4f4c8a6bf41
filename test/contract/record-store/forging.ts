/** Grants and passages are checked by the store when they come, whatever the compiler was told. */
import { expect } from 'chai';
import type { Grant, SystemGrant } from '../../../server/access/grant.ts';
import type { Question } from '../../../server/ports/record-store.ts';
import { aGrant, aClaimKey, anAudit, aPersonKey, aPlan, aPut, NOW, SYSTEM } from '../../support/plans.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Everything that looks like a grant and is none. `never` is what a cast makes of it. */
function copiesOf(grant: Grant | SystemGrant): Readonly<Record<string, never>> {
  const literal = {
    system: grant.system,
    principals: grant.principals,
    purpose: 'TREAT',
    reason: 'resolve-identity',
    now: NOW,
  };
  return {
    'a spread': { ...grant } as never,
    'a spread that says it is of the server': { ...grant, ...literal, system: true } as never,
    'a literal': literal as never,
    'a structured clone': structuredClone(grant) as never,
    'an object of the same prototype': Object.create(Object.getPrototypeOf(grant) as object) as never,
    'an heir of a grant': Object.create(grant) as never,
    'a proxy of a grant': new Proxy(grant, {}) as never,
    nothing: undefined as never,
  };
}

async function refusalOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return undefined;
}

async function drain(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _row of rows);
}

/** Runs the contract of what a store takes for a grant. */
export function forgingContract(suite: Suite): void {
  describe('grants that nobody made', () => {
    const question: Question = { kind: 'resource', type: 'DocumentReference', id: 'none' };

    for (const [what, copy] of Object.entries(copiesOf(aGrant('Practitioner/lambert')))) {
      it(`${what} is refused where a requester reads, and nothing is recorded of it`, async () => {
        let asked = 0;
        const account = (): [ReturnType<typeof anAudit>] => {
          asked += 1;
          return [anAudit()];
        };
        expect(await refusalOf(() => suite.records.look(copy, question, account))).to.be.instanceOf(TypeError);
        expect(asked).to.equal(0);
      });
    }

    for (const [what, copy] of Object.entries(copiesOf(SYSTEM))) {
      it(`${what} is refused wherever the server itself reads`, async () => {
        const person = aPersonKey();
        const { records } = suite;
        const calls: Readonly<Record<string, () => unknown>> = {
          peek: () => records.peek(copy, question),
          accountOf: () => records.accountOf(copy, 'Patient/none'),
          claimed: () => records.claimed(copy, aClaimKey()),
          claimedAmong: () => records.claimedAmong(copy, [aClaimKey()]),
          instanceOf: () => records.instanceOf(copy, '1.2.3'),
          hasInstances: () => records.hasInstances(copy, person, 'Patient/none'),
          quarantined: () => drain(records.quarantined(copy)),
          deletedOf: () => records.deletedOf(copy, person),
          rightsOf: () => records.rightsOf(copy, person),
          stateOf: () => records.stateOf(copy, person),
          blobNames: () => drain(records.blobNames(copy)),
        };
        for (const [name, call] of Object.entries(calls))
          expect(await refusalOf(call), name).to.be.instanceOf(TypeError);
      });
    }

    it('the grant of a requester is none of the server, and the other way round', async () => {
      const { records } = suite;
      const grant = aGrant('Practitioner/lambert');
      expect(await refusalOf(() => records.peek(grant as never, question))).to.be.instanceOf(TypeError);
      const look = (): unknown => records.look(SYSTEM as never, question, () => [anAudit()]);
      expect(await refusalOf(look)).to.be.instanceOf(TypeError);
    });

    it('no other can be made through one, and none changes', () => {
      const grant = aGrant('Practitioner/lambert');
      const make = grant.constructor as new (...given: readonly unknown[]) => unknown;
      expect(() => new make(Symbol('making'), ['p:Practitioner/x'], 'TREAT', NOW)).to.throw(TypeError);
      expect(() => Object.defineProperty(grant, 'system', { value: true })).to.throw(TypeError);
      const shared = Object.getPrototypeOf(grant) as object;
      expect(() => Object.defineProperty(shared, 'principals', { value: [] })).to.throw(TypeError);
      expect(() => (grant.principals as string[]).push('p:Practitioner/x')).to.throw(TypeError);
    });
  });

  describe('passages that no store made', () => {
    it('a copy is refused, and the passage itself is not', async () => {
      const put = aPut({ type: 'Organization' });
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      const question: Question = { kind: 'resource', type: 'Organization', id: put.id };
      const { passage } = await suite.records.look(aGrant('Practitioner/lambert'), question, () => [anAudit()]);
      expect(await suite.records.follow(passage, question, NOW)).to.include({ id: put.id });
      const copies = [{ ...passage }, structuredClone(passage), { grant: SYSTEM }, Object.create(passage) as object];
      for (const copy of copies)
        expect(await refusalOf(() => suite.records.follow(copy as never, question, NOW))).to.be.instanceOf(TypeError);
    });
  });
}
