import type { ContactPoint, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { isMailAddress, recipientOf } from '../../../profiles/notices/recipient.ts';
import type { SourcePatient } from '../../../profiles/identity/composite.ts';

const NOW = Date.UTC(2026, 10, 30);

function member(id: string, parts: Partial<Patient> = {}, changed = 0): SourcePatient {
  return { id, changed, numbers: [], systems: [], patient: { resourceType: 'Patient', ...parts } };
}

function mail(value: string, parts: Partial<ContactPoint> = {}): Partial<Patient> {
  return { telecom: [{ system: 'email', value, ...parts }] };
}

function speaking(...tags: readonly (readonly [string, boolean])[]): Partial<Patient> {
  return { communication: tags.map(([code, preferred]) => ({ language: { coding: [{ code }] }, preferred })) };
}

function addressOf(...members: readonly SourcePatient[]): string | undefined {
  return recipientOf(members, 'filed', NOW).address;
}

describe('An e-mail address', () => {
  it('E09 is one address and nothing else: no line break, no second one, no name, no comment', () => {
    for (const text of ['a@example.org', "o'neill+x@sub.example.org", 'a.b-c_d@xn--bcher-kva.example'])
      expect(isMailAddress(text), text).to.equal(true);
    for (const text of [
      'a@example.org\r\nBcc: b@example.org',
      'a@example.org\n',
      'a@example.org, b@example.org',
      'a@example.org;b@example.org',
      'A <a@example.org>',
      'a@example.org (b)',
      '"a b"@example.org',
      'a@b.example@c.example',
      'a@localhost',
      'a@-x.org',
      'a@example..org',
      '@example.org',
      'a@',
      '',
      'a@exa\u0000mple.org',
      'hélène@example.org',
      `${'a'.repeat(65)}@example.org`,
      `a@${'b'.repeat(60)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(63)}.org`,
    ])
      expect(isMailAddress(text), JSON.stringify(text)).to.equal(false);
  });
});

describe('Who is told', () => {
  it('at the address that the identity says which the notice is filed under', () => {
    const filed = member('filed', mail('hers@example.org'));
    const reliable = member('other', mail('theirs@example.org'), 5);
    expect(addressOf(reliable, filed)).to.equal('hers@example.org');
  });

  it('at that of the most reliable other one where it says none', () => {
    const filed = member('filed');
    expect(addressOf(filed, member('a', mail('old@example.org'), 1), member('b', mail('new@example.org'), 2))).to.equal(
      'new@example.org',
    );
    expect(addressOf(filed)).to.equal(undefined);
  });

  it('never at an address that a source calls an old one, or whose time is over or has not come', () => {
    const filed = member('filed', mail('was@example.org'));
    expect(addressOf(filed)).to.equal('was@example.org');
    expect(addressOf(filed, member('a', mail('WAS@example.org', { use: 'old' })))).to.equal(undefined);
    for (const period of [{ end: '2026-11-29' }, { start: '2026-12-01' }])
      expect(addressOf(member('filed', mail('was@example.org', { period })))).to.equal(undefined);
    expect(addressOf(member('filed', mail('is@example.org', { period: { start: '2026-01-01' } })))).to.equal(
      'is@example.org',
    );
  });

  it('at the one of the first rank; telephones, and what is no address, are none', () => {
    const telecom: ContactPoint[] = [
      { system: 'phone', value: '+33 3 88 00 00 00' },
      { system: 'email', value: 'two@example.org', rank: 2 },
      { system: 'email', value: 'bad@example.org, worse@example.org', rank: 1 },
      { system: 'email', value: ' one@example.org ', rank: 1 },
    ];
    expect(addressOf(member('filed', { telecom }))).to.equal('one@example.org');
  });

  it('in the language that she prefers, else the first of hers that we speak', () => {
    const languageOf = (parts: Partial<Patient>): string | undefined =>
      recipientOf([member('filed', parts)], 'filed', NOW).language;
    expect(languageOf(speaking(['fr-FR', false], ['de-LU', true]))).to.equal('de');
    expect(languageOf(speaking(['lb', true], ['EN-gb', false]))).to.equal('en');
    expect(languageOf(speaking(['lb', true]))).to.equal(undefined);
    expect(languageOf({})).to.equal(undefined);
  });
});
