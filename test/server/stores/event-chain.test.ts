/** How many events a search reads for what no index keeps. */
import { expect } from 'chai';
import { MOST_READ, requireFewToRead } from '../../../server/stores/event-chain.ts';
import { faultOf } from '../../support/thrown-fault.ts';

describe('A search of events by what no index keeps', () => {
  it('reads so many, and is refused by the parameter that would need more', () => {
    const asked = [{ kind: 'token', param: 'agent-name:exact', values: [{ code: 'x' }] }] as const;
    requireFewToRead(MOST_READ, asked);
    expect(faultOf(() => requireFewToRead(MOST_READ + 1, asked))).to.deep.include({
      kind: 'too-costly',
      expression: 'agent-name',
    });
  });
});
