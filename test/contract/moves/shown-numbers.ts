/** Patients are found by the identifiers that each reader is shown with them, and by no others. */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { saidBy } from '../../../profiles/identity/said-by.ts';
import type { Criterion, TokenValue } from '../../../profiles/search/criterion.ts';
import type { Grant } from '../../../server/access/grant.ts';
import { principal } from '../../../server/access/right.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { aGrant, anIdentity, aPatientGrant, aPersonKey, aPlan, aPut, aQuery, aRight } from '../../support/plans.ts';
import { NO_ENTRIES } from '../../support/plans.ts';
import { expectFault } from '../../support/faults.ts';
import { read, search, searchIds } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';
import { aPutOf } from './told-of-persons.ts';

/** What is said of the Patients: whole, without a system, without a value. */
const SAID: readonly Identifier[] = [
  { system: 'urn:s', value: '1' },
  { system: 'urn:s', value: '2' },
  { value: '1' },
  { system: 'urn:s' },
  { system: 'urn:t', value: '1' },
];

const ASKED: readonly TokenValue[] = [
  { system: 'urn:s', code: '1' },
  { system: 'urn:t', code: '2' },
  { system: '', code: '1' },
  { code: '1' },
  { system: 'urn:s' },
  { system: 'urn:t' },
];

const CRITERIA: readonly Criterion[] = [
  ...ASKED.flatMap((value): Criterion[] => [
    { kind: 'token', param: 'identifier', values: [value] },
    { kind: 'token', param: 'identifier', values: [value], negated: true },
  ]),
  { kind: 'missing', param: 'identifier', missing: true },
  { kind: 'missing', param: 'identifier', missing: false },
];

/** More than are looked at. */
const MANY = 1_100;

/** Runs the contract. */
export function shownNumbersContract(suite: Suite): void {
  /** A Patient who is said to bear an identifier; a professional sees an item of hers, or her alone. */
  const aPatient = (person: PersonKey, identifier: Identifier | undefined, isForSource: boolean): readonly Put[] => {
    const marked = identifier && { extension: [saidBy({ identity: person, isForSource })], ...identifier };
    const resource: Patient = { resourceType: 'Patient', id: person, ...(marked && { identifier: [marked] }) };
    const { system = '', value = '' } = identifier ?? {};
    const index = { ...NO_ENTRIES, tokens: identifier === undefined ? [] : [{ param: 'identifier', system, value }] };
    return [
      anIdentity(person, { index }),
      aPut({ type: 'Patient', id: person, person, resource: resource as Put['resource'] }),
    ];
  };

  const world = async () => {
    const practitioner = aPersonKey();
    const holder = principal.practitioner(`Practitioner/${practitioner}`);
    const puts: Put[] = [];
    const persons: PersonKey[] = [];
    for (const identifier of [...SAID, undefined])
      for (const [isForSource, hasItem] of [
        [false, true],
        [false, false],
        [true, true],
      ] as const) {
        const person = aPersonKey();
        persons.push(person);
        puts.push(...aPatient(person, identifier, isForSource));
        if (hasItem) puts.push(aPutOf('DocumentReference', person));
      }
    const rights = persons.map((person) => aRight({ person, principal: holder }));
    await commitPlan(suite.records, aPlan({ puts, rights }));
    return {
      persons,
      professional: aGrant(`Practitioner/${practitioner}`),
      self: persons.map((one) => aPatientGrant(one)),
    };
  };

  /** So many Patients, whom a professional sees. */
  const many = async (count: number) => {
    const [practitioner, person] = [aPersonKey(), aPersonKey()];
    const puts = Array.from({ length: count }, () => aPut({ type: 'Patient', person }));
    const rights = [aRight({ person, principal: principal.practitioner(`Practitioner/${practitioner}`) })];
    await commitPlan(suite.records, aPlan({ puts, rights }));
    const professional = aGrant(`Practitioner/${practitioner}`);
    const find = async (type: 'Patient' | 'DocumentReference', ...where: Criterion[]) =>
      await searchIds(suite.records, professional, aQuery(type, { where }));
    return { professional, find };
  };

  const shownTo = async (grant: Grant, ids: readonly string[]): Promise<readonly Patient[]> => {
    const rows = await Promise.all(ids.map(async (id) => await read(suite.records, grant, { type: 'Patient', id })));
    return rows.flatMap((row) => (row === undefined ? [] : [JSON.parse(row.json) as Patient]));
  };

  describe('the identifiers of a Patient', () => {
    it('find her as far as they are shown, whole, by their system or value, and in the negative', async () => {
      const { persons, professional, self } = await world();
      for (const [grant, ids] of [
        [professional, persons],
        [self[0], persons.slice(0, 1)],
      ] as const) {
        if (grant === undefined) throw new Error('There is nobody');
        const shown = await shownTo(grant, ids);
        for (const criterion of CRITERIA) {
          const { rows } = await search(suite.records, grant, aQuery('Patient', { where: [criterion], count: 100 }));
          const expected = shown.filter((patient) => isMet(criterion, patient)).map(({ id = '' }) => id);
          expect(rows.map(({ id }) => id).toSorted(), JSON.stringify(criterion)).to.deep.equal(expected.toSorted());
        }
      }
    });

    it('are not looked at in more Patients than a bound, neither for a search nor for a chain', async function () {
      this.timeout(240_000);
      const { professional, find } = await many(MANY);
      const none = { kind: 'token', param: 'identifier', values: [{ system: 'urn:none' }] } as const;
      const narrow = { kind: 'token', param: 'gender', values: [{ code: 'other' }] } as const;
      await expectFault(find('Patient', none), 'too-costly');
      expect(await find('Patient', none, narrow)).to.deep.equal([]);
      const negated = { ...none, negated: true } as const;
      const first = aQuery('Patient', { where: [negated], count: 3 });
      const { rows, total } = await search(suite.records, professional, { ...first, total: 'bounded' });
      expect([rows.length, total]).to.deep.equal([3, undefined]);
      await expectFault(search(suite.records, professional, { ...first, total: 'accurate' }), 'too-costly');
      const chain = { kind: 'chain', param: 'patient', target: 'Patient', criterion: none } as const;
      await expectFault(find('DocumentReference', chain), 'too-costly');
      await expectFault(find('DocumentReference', { ...chain, criterion: negated }), 'too-costly');
    });
  });
}

function isMet(criterion: Criterion, { identifier = [] }: Patient): boolean {
  if (criterion.kind === 'missing') return (identifier.length === 0) === criterion.missing;
  if (criterion.kind !== 'token') throw new Error('There is no such criterion');
  const bears = criterion.values.some(({ system, code }) =>
    identifier.some(
      (one) => (system === undefined || (one.system ?? '') === system) && (code === undefined || one.value === code),
    ),
  );
  return bears !== (criterion.negated === true);
}
