/** access.md 10.3: who represents a person before the law, and when. */
import { expect } from 'chai';
import type { RelatedPerson } from '@medplum/fhirtypes';
import {
  majorityOf,
  namedTime,
  opensFurther,
  representationsOf,
  representedTime,
} from '../../../profiles/consent/representation.ts';

const ROLE_CODE = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';
const FOREVER = 8.64e15;

function related(codes: readonly string[], parts: Partial<RelatedPerson> = {}): RelatedPerson {
  const relationship = [{ coding: codes.map((code) => ({ system: ROLE_CODE, code })) }];
  return { resourceType: 'RelatedPerson', patient: {}, relationship, ...parts };
}

describe('access.md 10.3, who represents a person', () => {
  for (const [code, kind] of [
    ['PRN', 'parent'],
    ['MTH', 'parent'],
    ['NFTH', 'parent'],
    ['ADOPTP', 'parent'],
    ['GUARD', 'guardian'],
    ['POWATT', 'mandate'],
    ['HPOWATT', 'mandate'],
  ] as const)
    it(`${code}: ${kind}`, () => expect(representationsOf(related([code]))).to.deep.equal([kind]));

  it('is nobody else of the family, nobody who is not active, and nobody by a code of another system', () => {
    for (const code of ['STPPRN', 'PRNFOST', 'GRPRN', 'SIB', 'SPS', 'CHILD', 'SPOWATT'])
      expect(representationsOf(related([code])), code).to.deep.equal([]);
    expect(representationsOf(related(['PRN'], { active: false }))).to.deep.equal([]);
    const relationship = [{ coding: [{ system: 'urn:other', code: 'PRN' }] }];
    expect(representationsOf(related([], { relationship }))).to.deep.equal([]);
  });

  it('a version opens a record further to whom, or when, the one before did not', () => {
    const year = { period: { start: '2026-01-01', end: '2026-12-31' } };
    const further = (said: RelatedPerson, former: Partial<RelatedPerson> = {}): boolean =>
      opensFurther(said, former, 'Europe/Paris');
    expect(further(related(['PRN']))).to.equal(true);
    expect(further(related(['PRN']), related(['PRN']))).to.equal(false);
    for (const former of [related(['SIB']), related(['PRN'], { active: false }), related(['PRN'], year)])
      expect(further(related(['PRN']), former), JSON.stringify(former)).to.equal(true);
    expect(further(related(['PRN', 'POWATT']), related(['PRN']))).to.equal(true);
    expect(further(related(['GUARD'], { period: { start: '2026-01-01' } }), related(['GUARD']))).to.equal(true);
    const shorter = related(['PRN'], { period: { start: '2026-01-01', end: '2026-06-30' } });
    expect(further(shorter, related(['PRN'], year))).to.equal(false);
    for (const said of [related(['SIB']), related(['PRN'], { active: false })])
      expect(further(said, related(['PRN']))).to.equal(false);
  });

  it('is named for the period, its bare days those of the zone', () => {
    const period = { start: '2026-03-01', end: '2026-03-01' };
    expect(namedTime(related(['PRN'], { period }), 'Europe/Paris')).to.deep.equal({
      from: Date.parse('2026-02-28T23:00:00Z'),
      to: Date.parse('2026-03-01T23:00:00Z'),
    });
    expect(namedTime(related(['PRN']))).to.deep.equal({ from: 0, to: FOREVER });
    expect(namedTime(related(['PRN'], { period: { start: '2026-03-02', end: '2026-03-01' } }))).to.equal(undefined);
    expect(namedTime(related(['SIB']))).to.equal(undefined);
  });

  it('a person comes of age at 00:00 of the 18th birthday in the zone, and where the whole date is known', () => {
    expect(majorityOf('2008-07-14', 'Europe/Paris')).to.equal(Date.parse('2026-07-13T22:00:00Z'));
    expect(majorityOf('2008-01-14', 'Europe/Paris')).to.equal(Date.parse('2026-01-13T23:00:00Z'));
    expect(majorityOf('2008-02-29', 'Etc/UTC')).to.equal(Date.parse('2026-03-01T00:00:00Z'));
    for (const date of [undefined, '2008', '2008-07', ''])
      expect(majorityOf(date, 'Etc/UTC'), date).to.equal(undefined);
  });

  it('a parent and a guardian of a child count until then, a guardian and a mandate of an adult from then on', () => {
    const ofChild = { from: 3, to: FOREVER };
    expect(representedTime(['parent'], ofChild, 10)).to.deep.equal({ from: 3, to: 10 });
    expect(representedTime(['guardian'], ofChild, 10)).to.deep.equal({ from: 3, to: 10 });
    expect(representedTime(['parent'], { from: 3, to: 7 }, 10)).to.deep.equal({ from: 3, to: 7 });
    expect(representedTime(['mandate'], ofChild, 10)).to.equal(undefined);
    const ofAdult = { from: 10, to: 20 };
    expect(representedTime(['guardian'], ofAdult, 10)).to.deep.equal(ofAdult);
    expect(representedTime(['mandate'], ofAdult, 10)).to.deep.equal(ofAdult);
    expect(representedTime(['parent'], ofAdult, 10)).to.equal(undefined);
    expect(representedTime(['parent', 'guardian'], ofAdult, 10)).to.deep.equal(ofAdult);
  });

  it('nobody represents a person whose birth date is not known', () => {
    for (const kind of ['parent', 'guardian', 'mandate'] as const)
      expect(representedTime([kind], { from: 0, to: FOREVER }, undefined), kind).to.equal(undefined);
  });
});
