/** What the office of an establishment finds in the trail (access.md C7). */
import { expect } from 'chai';
import { officeCriteria } from '../../../profiles/audit/office-criteria.ts';

const [OWN, SECOND, OTHERS] = ['ImagingStudy/1', 'DiagnosticReport/2', 'ImagingStudy/3'] as const;

describe('Criteria of the office of an establishment', () => {
  const named = (...asked: readonly { readonly values: readonly string[]; readonly negated?: true }[]) =>
    officeCriteria(
      ['Organization/1'],
      asked.map((one) => ({ kind: 'reference', param: 'entity', ...one }) as const),
      new Set([OWN, SECOND]),
    ).named;

  it('names the items that each event is of, where a criterion leaves own items alone', () => {
    expect(named({ values: [OWN, OTHERS] })).to.deep.equal([OWN]);
    expect(named({ values: ['Patient/1', OWN] }, { values: [SECOND] })).to.deep.equal([SECOND]);
  });

  it('names none where an event may be of any: by whose it is, by what it is not of, and by nothing', () => {
    for (const asked of [[], [{ values: ['Patient/1', OWN] }], [{ values: [OWN], negated: true as const }]])
      expect(named(...asked), JSON.stringify(asked)).to.equal(undefined);
  });
});
