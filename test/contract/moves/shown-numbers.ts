/** Patients are found by the identifiers that each reader is shown with them, and by no others. */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { saidBy } from '../../../profiles/identity/said-by.ts';
import type { Criterion, TokenValue } from '../../../profiles/search/criterion.ts';
import { principal } from '../../../server/access/right.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { aGrant, anIdentity, aPatientGrant, aPersonKey, aPlan, aPut, aQuery, aRight } from '../../support/plans.ts';
import { NO_ENTRIES } from '../../support/plans.ts';
import { read, search } from '../../support/reads.ts';
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

  describe('the identifiers of a Patient', () => {
    it('find her as far as they are shown, whole, by their system or value, and in the negative', async () => {
      const { persons, professional, self } = await world();
      for (const [grant, ids] of [
        [professional, persons],
        [self[0], persons.slice(0, 1)],
      ] as const) {
        if (grant === undefined) throw new Error('There is nobody');
        for (const criterion of CRITERIA) {
          const { rows } = await search(suite.records, grant, aQuery('Patient', { where: [criterion], count: 100 }));
          const expected: string[] = [];
          for (const id of ids) {
            const row = await read(suite.records, grant, { type: 'Patient', id });
            if (row !== undefined && isMet(criterion, JSON.parse(row.json) as Patient)) expected.push(id);
          }
          expect(rows.map(({ id }) => id).toSorted(), JSON.stringify(criterion)).to.deep.equal(expected.toSorted());
        }
      }
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
