import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import { requireBasis, type Basis, type BasisFacts } from '../../../server/access/basis.ts';
import { OPEN_STATE } from '../../../server/access/decide.ts';
import { aPersonKey } from '../../support/plans.ts';

describe('What a warrant rests on', () => {
  const person = aPersonKey();
  const facts = (parts: Partial<BasisFacts> = {}): BasisFacts => ({
    tokenExpiry: () => undefined,
    account: () => undefined,
    stateOf: () => OPEN_STATE,
    rightsTo: () => [],
    ...parts,
  });
  const refusal = (basis: Basis, parts?: Partial<BasisFacts>): string | undefined => {
    try {
      requireBasis(basis, facts(parts));
      return undefined;
    } catch (error) {
      return error instanceof Fault ? error.kind : String(error);
    }
  };
  const account = (reference: string, found?: { readonly isActive: boolean }): string | undefined =>
    refusal({ kind: 'account', reference }, { account: () => found && { person: undefined, ...found } });

  it('an account stands and has not ended; an Organization may not stand, a Person may have ended', () => {
    const outcomes = ['Organization/a', 'Practitioner/a', 'Person/a'].map((reference) => [
      account(reference),
      account(reference, { isActive: false }),
      account(reference, { isActive: true }),
    ]);
    expect(outcomes).to.deep.equal([
      [undefined, 'login', undefined],
      ['login', 'login', undefined],
      ['login', undefined, undefined],
    ]);
  });

  it('the account of a person is not switched off', () => {
    const off = (accountOff: boolean): string | undefined =>
      refusal(
        { kind: 'account', reference: 'Person/a' },
        { account: () => ({ person, isActive: true }), stateOf: () => ({ ...OPEN_STATE, accountOff }) },
      );
    expect([off(false), off(true)]).to.deep.equal([undefined, 'login']);
  });

  it('a token stands and has not expired at the time of the decision', () => {
    const token = { kind: 'token', token: { model: 'AccessToken', id: 'a' }, at: 10_000 } as const;
    const at = (seconds: number | undefined): string | undefined => refusal(token, { tokenExpiry: () => seconds });
    expect([undefined, 9, 10, 11].map(at)).to.deep.equal(['login', 'login', 'login', undefined]);
  });

  it('a row stands and is of the person', () => {
    const row = { kind: 'row', row: 'List/a', person } as const;
    const of = (found?: { readonly person: string | undefined }): string | undefined =>
      refusal(row, { account: () => found && { isActive: true, ...found } });
    expect([of({ person }), of({ person: aPersonKey() }), of({ person: undefined }), of()]).to.deep.equal([
      undefined,
      'conflict',
      'conflict',
      'conflict',
    ]);
  });

  it('a right counts from its beginning until before its end, for one of the principals', () => {
    const right = { kind: 'right', person, item: 'List/a', principals: ['o:a', 'o:b'] as never, at: 10 } as const;
    const held = (principal: string, from: number, to: number): string | undefined =>
      refusal(right, { rightsTo: () => [{ principal, from, to }] });
    expect([held('o:b', 10, 11), held('o:a', 0, 11)]).to.deep.equal([undefined, undefined]);
    expect([held('o:c', 0, 99), held('o:a', 11, 99), held('o:a', 0, 10), refusal(right)]).to.deep.equal(
      Array<string>(4).fill('conflict'),
    );
  });

  it('all switches that it names are off', () => {
    const state = { kind: 'state', person, off: ['withdrawn', 'erasurePending'] } as const;
    const of = (parts: object): string | undefined => refusal(state, { stateOf: () => ({ ...OPEN_STATE, ...parts }) });
    expect([of({}), of({ opposed: true })]).to.deep.equal([undefined, undefined]);
    expect([of({ withdrawn: true }), of({ erasurePending: true })]).to.deep.equal(['conflict', 'conflict']);
  });
});
