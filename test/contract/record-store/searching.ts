/** Criteria, each as R4 says and as profiles/search/match.ts judges. */
import { expect } from 'chai';
import type { Criterion, StringCriterion } from '../../../profiles/search/criterion.ts';
import type { RowIndex } from '../../../profiles/search/indexer.ts';
import { normalizeString } from '../../../profiles/search/values.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { Grant } from '../../../server/access/grant.ts';
import { principal } from '../../../server/access/right.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { aGrant, aPersonKey, aPlan, aPut, aQuery, aRight, NO_ENTRIES } from '../../support/plans.ts';
import { searchIds } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of criteria. */
export function searchingContract(suite: Suite): void {
  /** Stores rows with entries, by name, of a person whom one grant may see; returns a search that answers names. */
  const world = async (entries: Readonly<Record<string, Partial<RowIndex>>>, more: readonly Put[] = []) => {
    const person = aPersonKey();
    const grant = aGrant(`Practitioner/${person}`);
    const named = new Map<string, string>();
    const puts = Object.entries(entries).map(([name, index]) => {
      const put = aPut({ person, index: { ...NO_ENTRIES, ...index } });
      named.set(put.id, name);
      return put;
    });
    const right = aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) });
    const own = more.map((put) => (put.person === undefined && put.type === 'Patient' ? { ...put, person } : put));
    await commitPlan(suite.records, aPlan({ puts: [...puts, ...own], rights: [right] }));
    const idOf = (name: string): string => puts[Object.keys(entries).indexOf(name)]?.id ?? '';
    return { grant, idOf, find: finder(grant, named) };
  };

  const finder =
    (grant: Grant, named: ReadonlyMap<string, string>, type: StoredType = 'DocumentReference') =>
    async (...where: readonly Criterion[]): Promise<string> => {
      const ids = await searchIds(suite.records, grant, aQuery(type, { where }));
      return ids
        .map((id) => named.get(id) ?? '?')
        .sort()
        .join(' ');
    };

  const token = (system: string, value: string, param = 'type') => ({ param, system, value });

  describe('token criteria', () => {
    const entries = {
      a: { tokens: [token('s', 'c'), token('t', 'd')] },
      b: { tokens: [token('s', 'C')] },
      c: { tokens: [token('', 'c')] },
      d: { tokens: [token('s', 'c', 'category'), token('s', 'ç')] },
      e: {},
    };
    const of = (...values: readonly { system?: string; code?: string }[]): Criterion => ({
      kind: 'token',
      param: 'type',
      values,
    });

    it('match code, system|code, |code and system|, letter case and accents included', async () => {
      const { find } = await world(entries);
      expect(await find(of({ code: 'c' }))).to.equal('a c');
      expect(await find(of({ system: 's', code: 'c' }))).to.equal('a');
      expect(await find(of({ system: '', code: 'c' }))).to.equal('c');
      expect(await find(of({ system: 's' }))).to.equal('a b d');
      expect(await find(of({ code: 'ç' }))).to.equal('d');
      expect(await find(of({ system: 't', code: 'c' }))).to.equal('');
    });

    it('take values as alternatives and criteria together', async () => {
      const { find } = await world(entries);
      expect(await find(of({ code: 'C' }, { code: 'd' }, { code: 'none' }))).to.equal('a b');
      expect(await find(of({ system: 's', code: 'c' }), of({ system: 't', code: 'd' }))).to.equal('a');
      expect(await find(of({ code: 'c' }), { kind: 'token', param: 'category', values: [{ code: 'c' }] })).to.equal('');
    });

    it('negated, match rows without any of the values, those without entries included', async () => {
      const { find } = await world(entries);
      const not = (criterion: Criterion): Criterion => ({ ...criterion, negated: true }) as Criterion;
      expect(await find(not(of({ code: 'c' })))).to.equal('b d e');
      expect(await find(not(of({ code: 'c' }, { code: 'C' })))).to.equal('d e');
      expect(await find(not(of({ system: 's' })))).to.equal('c e');
      expect(await find(of({ system: 's' }), not(of({ code: 'c' })))).to.equal('b d');
    });

    it('keep SQL, JSON and operator characters for what they are', async () => {
      const values = ["o'neil", '%', '_', '$gt', 'a"b\\', '.*', 'null'];
      const { find } = await world(
        Object.fromEntries(values.map((value, at) => [`v${at}`, { tokens: [token('', value)] }])),
      );
      for (const [at, value] of values.entries()) expect(await find(of({ code: value }))).to.equal(`v${at}`);
    });
  });

  describe('id, reference and missing criteria', () => {
    it('id matches any of the ids', async () => {
      const { find, idOf } = await world({ a: {}, b: {}, c: {} });
      expect(await find({ kind: 'id', values: [idOf('a'), idOf('c'), 'none'] })).to.equal('a c');
      expect(await find({ kind: 'id', values: [idOf('a')] }, { kind: 'id', values: [idOf('b')] })).to.equal('');
    });

    it('a reference matches its whole target under its parameter', async () => {
      const { find } = await world({
        a: {
          references: [
            { param: 'subject', target: 'Patient/1' },
            { param: 'related', target: 'Patient/2' },
          ],
        },
        b: { references: [{ param: 'subject', target: 'Patient/11' }] },
        c: { references: [{ param: 'subject', target: 'https://other.example/Patient/1' }] },
      });
      const of = (...values: readonly string[]): Criterion => ({ kind: 'reference', param: 'subject', values });
      expect(await find(of('Patient/1'))).to.equal('a');
      expect(await find(of('Patient/1', 'Patient/11'))).to.equal('a b');
      expect(await find(of('https://other.example/Patient/1'))).to.equal('c');
      expect(await find(of('Patient/2'))).to.equal('');
    });

    it('missing looks at entries of every kind, logical references included', async () => {
      const { find } = await world({
        token: { tokens: [token('s', 'c', 'x')] },
        logical: { tokens: [token('s', 'c', 'x:identifier')] },
        reference: { references: [{ param: 'x', target: 'Patient/1' }] },
        date: { dates: [{ param: 'x', lo: 1, hi: 2 }] },
        string: { strings: [{ param: 'x', value: 'v' }] },
        exact: { tokens: [token('', 'c', 'x:exact')] },
        none: { tokens: [token('s', 'c', 'xx')] },
      });
      expect(await find({ kind: 'missing', param: 'x', missing: true })).to.equal('exact none');
      expect(await find({ kind: 'missing', param: 'x', missing: false })).to.equal(
        'date logical reference string token',
      );
    });
  });

  describe('date criteria', () => {
    const date = (lo: number, hi: number) => ({ dates: [{ param: 'date', lo, hi }] });
    const prefixes: Readonly<Record<string, string>> = {
      eq: 'inside same',
      ne: 'after around before overlap touch',
      gt: 'after around overlap touch',
      lt: 'around before',
      ge: 'after around inside overlap same touch',
      le: 'around before inside same',
      sa: 'after touch',
      eb: 'before',
    };

    it('compare ranges as each prefix says, and find no row without a date', async () => {
      const { find } = await world({
        before: date(10, 20),
        same: date(20, 30),
        inside: date(22, 25),
        around: date(15, 35),
        overlap: date(25, 35),
        touch: date(30, 40),
        after: date(50, 60),
        none: {},
      });
      for (const [prefix, names] of Object.entries(prefixes)) {
        const criterion = { kind: 'date', param: 'date', values: [{ lo: 20, hi: 30, prefix }] } as Criterion;
        expect(await find(criterion), prefix).to.equal(names);
      }
    });

    it('need one range that satisfies, and hold for dates before 1970 and for open ends', async () => {
      const { find } = await world({
        two: {
          dates: [
            { param: 'date', lo: 10, hi: 11 },
            { param: 'date', lo: 90, hi: 91 },
          ],
        },
        old: date(-2_208_988_800_000, -2_208_988_799_999),
        open: date(40, 8.64e15),
        ever: date(-8.64e15, 8.64e15),
      });
      const of = (prefix: string, lo: number, hi: number) =>
        ({ kind: 'date', param: 'date', values: [{ lo, hi, prefix }] }) as Criterion;
      expect(await find(of('eq', 90, 91))).to.equal('two');
      expect(await find(of('ne', 90, 91))).to.equal('ever old open two');
      expect(await find(of('eb', 0, 1))).to.equal('old');
      expect(await find(of('gt', 5_000, 6_000))).to.equal('ever open');
      expect(await find(of('ge', 20, 30), of('le', 20, 30))).to.equal('ever two');
      const either: Criterion = {
        kind: 'date',
        param: 'date',
        values: [
          { lo: 90, hi: 91, prefix: 'eq' },
          { lo: 0, hi: 1, prefix: 'eb' },
        ],
      };
      expect(await find(either)).to.equal('old two');
      expect(await find(either, of('lt', 0, 1))).to.equal('old');
    });
  });

  describe('string criteria', () => {
    const text = (value: string) => ({ strings: [{ param: 'name', value: normalizeString(value) }] });
    const of = (match: 'starts' | 'exact' | 'contains' | 'pattern', ...values: readonly string[]): Criterion => ({
      kind: 'string',
      param: 'name',
      match,
      values: values.map(normalizeString),
    });

    it('find French names with and without their accents', async () => {
      const { find } = await world({
        a: text('Éléonore'),
        b: text('eleonore'),
        c: text("L'Œuvre"),
        d: text('Noël Élie'),
      });
      expect(await find(of('exact', 'ELEONORE'))).to.equal('a b');
      expect(await find(of('starts', 'éléo'))).to.equal('a b');
      expect(await find(of('contains', 'élie'))).to.equal('d');
      expect(await find(of('starts', "l'œ"))).to.equal('c');
      expect(await find(of('starts', 'noel', 'eleon'))).to.equal('a b d');
    });

    it('take wildcards of SQL and of regular expressions as letters', async () => {
      const { find } = await world({
        a: text('100% sûr'),
        b: text('1000 fois'),
        c: text('a_b'),
        d: text('axb'),
        e: text('a.b('),
      });
      expect(await find(of('starts', '100%'))).to.equal('a');
      expect(await find(of('contains', '_'))).to.equal('c');
      expect(await find(of('starts', 'a.b('))).to.equal('e');
      expect(await find(of('contains', 'a.'))).to.equal('e');
    });

    it('find patterns: * any text, ? one character, all else literal', async () => {
      const texts = { a: text('Martin-Dupont'), b: text('Martine'), c: text('a[b]c.d'), d: text('𝒜b') };
      const { find } = await world(texts);
      expect(await find(of('pattern', 'mart*'))).to.equal('a b');
      expect(await find(of('pattern', 'm*in?'))).to.equal('b');
      expect(await find(of('pattern', '*n*t'))).to.equal('a');
      expect(await find(of('pattern', 'martin'))).to.equal('');
      expect(await find(of('pattern', 'a[b]*'))).to.equal('c');
      expect(await find(of('pattern', 'a?b?c?d'))).to.equal('c');
      expect(await find(of('pattern', 'a.b*', '?b'))).to.equal('d');
    });

    it('find short parts, letters beyond the first plane and ends of words', async () => {
      const { find } = await world({ a: text('𝒜lpha'), b: text('li'), c: text('王小明'), d: text('zz\u{10FFFF}z') });
      expect(await find(of('starts', '𝒜'))).to.equal('a');
      expect(await find(of('contains', 'i'))).to.equal('b');
      expect(await find(of('contains', '小'))).to.equal('c');
      expect(await find(of('starts', 'zz'))).to.equal('d');
      expect(await find(of('contains', 'pha'))).to.equal('a');
      expect(await find(of('exact', 'l'))).to.equal('');
    });
  });

  describe('chained criteria', () => {
    const subject = (target: string) => ({ references: [{ param: 'subject', target }] });
    const named = (name: string): RowIndex => ({
      ...NO_ENTRIES,
      strings: [{ param: 'name', value: normalizeString(name) }],
    });
    const chain = (name: string, own?: StringCriterion): Criterion => ({
      kind: 'chain',
      param: 'subject',
      target: 'Patient',
      criterion: { kind: 'string', param: 'name', values: [normalizeString(name)], match: 'starts' },
      ...(own === undefined ? {} : { own }),
    });

    it('lead over a reference to a visible target', async () => {
      const [zoe, léa] = [
        aPut({ type: 'Patient', index: named('Zoé') }),
        aPut({ type: 'Patient', index: named('Léa') }),
      ];
      const { find } = await world({ a: subject(`Patient/${zoe.id}`), b: subject(`Patient/${léa.id}`), c: {} }, [
        zoe,
        léa,
      ]);
      expect(await find(chain('zoe'))).to.equal('a');
      expect(await find(chain('l'))).to.equal('b');
      expect(await find(chain('nobody'))).to.equal('');
    });

    it('find nothing behind a hidden target, a deleted one or one of another type', async () => {
      const hidden = aPut({ type: 'Patient', person: aPersonKey(), index: named('Zoé') });
      const organization = aPut({ type: 'Organization', index: named('Zoé') });
      const gone = aPut({ type: 'Patient', index: named('Zoé') });
      const { find } = await world(
        {
          a: subject(`Patient/${hidden.id}`),
          b: subject(`Organization/${organization.id}`),
          c: subject('Patient/unknown'),
          d: subject(`Patient/${gone.id}`),
        },
        [hidden, organization, gone],
      );
      expect(await find(chain('zoe'))).to.equal('d');
      await commitPlan(suite.records, aPlan({ deletes: [gone] }));
      expect(await find(chain('zoe'))).to.equal('');
      const toDirectory = { ...chain('zoe'), target: 'Organization' } as Criterion;
      expect(await find(toDirectory)).to.equal('b');
    });

    it('are satisfied by the row itself where its own entries are', async () => {
      const own: StringCriterion = { kind: 'string', param: 'subject.name', values: ['zoe'], match: 'starts' };
      const contained = { strings: [{ param: 'subject.name', value: 'zoe' }] };
      const { find } = await world({ a: contained, b: {} });
      expect(await find(chain('zoe', own))).to.equal('a');
      expect(await find(chain('zoe'))).to.equal('');
    });

    it('that lead to more than a thousand rows are answered, too, hidden targets left out', async () => {
      const many = Array.from({ length: 1_001 }, () => aPut({ type: 'Patient', index: named('Zoé') }));
      const [other, hidden] = [
        aPut({ type: 'Patient', index: named('Léa') }),
        aPut({ type: 'Patient', person: aPersonKey(), index: named('Zoé') }),
      ];
      const rows = {
        a: subject(`Patient/${many[0]?.id}`),
        b: subject(`Patient/${many[1_000]?.id}`),
        c: subject(`Patient/${other.id}`),
        d: subject(`Patient/${hidden.id}`),
        e: { strings: [{ param: 'subject.name', value: 'zoe' }] },
        f: { ...subject(`Patient/${many[7]?.id}`), tokens: [token('s', 'c')] },
      };
      const { find } = await world(rows, [...many, other, hidden]);
      expect(await find(chain('zoe'))).to.equal('a b f');
      expect(
        await find(chain('zoe', { kind: 'string', param: 'subject.name', values: ['zoe'], match: 'starts' })),
      ).to.equal('a b e f');
      expect(await find(chain('zoe'), { kind: 'token', param: 'type', values: [{ code: 'c' }] })).to.equal('f');
    });
  });

  describe('entries of a row that is put again', () => {
    it('replace the former ones', async () => {
      const person = aPersonKey();
      const grant = aGrant(`Practitioner/${person}`);
      const put = aPut({ person, index: { ...NO_ENTRIES, tokens: [token('s', 'old')] } });
      const right = aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) });
      await commitPlan(suite.records, aPlan({ puts: [put], rights: [right] }));
      await commitPlan(
        suite.records,
        aPlan({ puts: [{ ...put, index: { ...NO_ENTRIES, tokens: [token('s', 'new')] } }] }),
      );
      const find = finder(grant, new Map([[put.id, 'row']]));
      expect(await find({ kind: 'token', param: 'type', values: [{ code: 'old' }] })).to.equal('');
      expect(await find({ kind: 'token', param: 'type', values: [{ code: 'new' }] })).to.equal('row');
    });
  });
}
