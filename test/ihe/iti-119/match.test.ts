import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Bundle, Parameters, Patient, Resource } from '@medplum/fhirtypes';
import { matchCriteria } from '../../../ihe/iti-119/criteria.ts';
import { gradeOf } from '../../../ihe/iti-119/grade.ts';
import { parseMatchRequest } from '../../../ihe/iti-119/request.ts';
import { formatMatches } from '../../../ihe/iti-119/response.ts';
import { EXTENSION } from '../../../profiles/codes.ts';
import { readSample } from '../../support/clients/xds.ts';
import { kindOf } from '../../support/faults.ts';

const LOCAL = { system: 'urn:oid:1.2.3', value: 'L-1' };
const INS = { system: 'urn:oid:1.2.250.1.213.1.4.10', value: '279036799900487' };

/** Ysaline, whom a hospital numbers. */
function ysaline(changes: Partial<Patient> = {}): Patient {
  return {
    resourceType: 'Patient',
    identifier: [LOCAL, INS],
    name: [{ family: 'Orbélian', given: ['Ysaline', 'Jeanne'] }],
    birthDate: '1979-03-05',
    gender: 'female',
    ...changes,
  };
}

/** The same without numbers, as somebody describes her. */
const described = (changes: Partial<Patient> = {}): Patient => ysaline({ identifier: [], ...changes });

const grade = (sought: Patient, found: Patient = ysaline()): string | undefined => gradeOf(sought, found)?.grade;

describe('ITI-119 $match, grades (PDQm 2:3.119.4.2.2.4)', () => {
  it('is certain by a number that nothing contradicts, and by nothing else', () => {
    expect(gradeOf(ysaline(), ysaline())).to.deep.equal({ grade: 'certain', score: 1 });
    expect(grade({ resourceType: 'Patient', identifier: [INS] })).to.equal('certain');
    expect(grade(ysaline({ identifier: [{ ...INS, use: 'old' }] }))).to.equal('certain');
    expect(grade(described())).to.equal('probable');
    expect(grade({ resourceType: 'Patient', identifier: [{ value: INS.value }] })).to.equal(undefined);
  });

  it('is less sure of a number whose bearer differs: by one thing, by more', () => {
    expect(grade(ysaline({ birthDate: '1979-03-06' }))).to.equal('probable');
    expect(grade(ysaline({ gender: 'male' }))).to.equal('probable');
    expect(grade(ysaline({ identifier: [LOCAL, { ...INS, value: 'another' }] }))).to.equal('probable');
    expect(grade(ysaline({ birthDate: '1979-03-06', name: [{ family: 'Autre', given: ['Ysaline'] }] }))).to.equal(
      'possible',
    );
  });

  it('compares names without case, accents, hyphens and apostrophes, and any of several', () => {
    const names: NonNullable<Patient['name']>[] = [
      [{ family: 'ORBELIAN', given: ['ysaline'] }],
      [{ family: 'Autre', given: ['Jeanne'] }, { family: 'Orbélian' }],
    ];
    for (const name of names) expect(grade(described({ name })), JSON.stringify(name)).to.equal('probable');
    const found = ysaline({ name: [{ family: 'D’Ar-Bélian', given: ['Anne-Lise'] }] });
    expect(grade(described({ name: [{ family: 'd ar belian', given: ['Anne Lise'] }] }), found)).to.equal('probable');
  });

  it('is possible where only a part of the name is the same, or sex or a number of one system differs', () => {
    expect(grade(described({ name: [{ family: 'Orbélian', given: ['Berthe'] }] }))).to.equal('possible');
    expect(grade(described({ name: [{ given: ['Ysaline'] }] }))).to.equal('possible');
    expect(grade(described({ gender: 'male' }))).to.equal('possible');
    expect(grade(described({ identifier: [{ ...INS, value: 'of-her-twin' }] }))).to.equal('possible');
    const mother = [{ url: EXTENSION.mothersMaidenName, valueString: 'Doe' }];
    const other = [{ url: EXTENSION.mothersMaidenName, valueString: 'Roe' }];
    expect(grade(described({ extension: mother }), ysaline({ extension: other }))).to.equal('possible');
    expect(grade(described({ extension: mother }), ysaline({ extension: mother }))).to.equal('probable');
  });

  it('is none for another birth date, and where no part of the name is the same', () => {
    expect(grade(described({ birthDate: '1979-03-06' }))).to.equal(undefined);
    expect(grade(described({ birthDate: '1979' }))).to.equal(undefined);
    expect(grade(described({ name: [{ family: 'Autre', given: ['Berthe'] }] }))).to.equal(undefined);
    const { birthDate: _, ...undated } = described();
    expect(grade(undated)).to.equal(undefined);
    expect(grade({ resourceType: 'Patient' })).to.equal(undefined);
  });

  it('never says certain without a number, and no score beyond its bounds, whatever is compared', () => {
    const text = fc.constantFrom('Orbélian', 'orbelian', 'Ysaline', 'Autre', '');
    const patient = fc.record(
      {
        name: fc.array(fc.record({ family: text, given: fc.array(text, { maxLength: 2 }) }), { maxLength: 2 }),
        birthDate: fc.constantFrom('1979-03-05', '1979', ''),
        gender: fc.constantFrom('female', 'male', 'unknown'),
        identifier: fc.array(fc.record({ system: fc.constantFrom('a', 'b'), value: fc.constantFrom('1', '2') })),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(patient, patient, (one, other) => {
        const [sought, found] = [one, other].map((parts) => ({ resourceType: 'Patient', ...parts }) as Patient);
        if (sought === undefined || found === undefined) return;
        const graded = gradeOf(sought, found);
        const shares = sought.identifier?.some((number) =>
          found.identifier?.some(({ system, value }) => system === number.system && value === number.value),
        );
        if (graded?.grade === 'certain') expect(shares).to.equal(true);
        if (graded !== undefined) expect(graded.score).to.be.within(0, 1);
      }),
    );
  });
});

describe('ITI-119 $match, request (PDQm 2:3.119.4.1.2)', () => {
  it('reads Parameters, and the Patient alone', () => {
    const sought = ysaline();
    const parameter: Parameters['parameter'] = [
      { name: 'resource', resource: sought },
      { name: 'onlyCertainMatches', valueBoolean: true },
      { name: 'count', valueInteger: 3 },
    ];
    expect(parseMatchRequest({ resourceType: 'Parameters', parameter })).to.deep.equal({
      sought,
      onlyCertainMatches: true,
      count: 3,
    });
    expect(parseMatchRequest(sought)).to.deep.equal({ sought, onlyCertainMatches: false, count: undefined });
  });

  it('reads the published examples', function () {
    const names = ['count', 'onlyCertainMatches', 'patient-only'];
    const samples = names.map((name) => readSample(`ihe/pdqm/Parameters-ex-match-input-${name}.json`));
    if (samples.includes(undefined)) return this.skip();
    for (const sample of samples) {
      const { sought } = parseMatchRequest(JSON.parse(sample?.toString() ?? '') as Resource);
      expect(matchCriteria(sought).map((where) => where.map((criterion) => criterion.kind))).to.deep.equal([
        ['token'],
        ['date', 'string'],
      ]);
    }
  });

  it('refuses other resources, parameters and types, and what changes the meaning of a Patient', () => {
    const read = (...parameter: NonNullable<Parameters['parameter']>): string =>
      kindOf(() => parseMatchRequest({ resourceType: 'Parameters', parameter }));
    const resource = { name: 'resource', resource: ysaline() };
    expect(kindOf(() => parseMatchRequest({ resourceType: 'Organization' }))).to.equal('invalid');
    expect(read()).to.equal('required');
    expect(read({ name: 'resource', resource: { resourceType: 'Organization' } })).to.equal('invalid');
    expect(read(resource, resource)).to.equal('invalid');
    expect(read(resource, { name: 'threshold', valueDecimal: 1 })).to.equal('invalid');
    expect(read(resource, { name: 'onlyCertainMatches', valueString: 'true' })).to.equal('invalid');
    for (const valueInteger of [0, -1])
      expect(read(resource, { name: 'count', valueInteger }), String(valueInteger)).to.equal('invalid');
    const modified = ysaline({ modifierExtension: [{ url: 'urn:a', valueBoolean: true }] });
    expect(kindOf(() => parseMatchRequest(modified))).to.equal('invalid');
    expect(kindOf(() => parseMatchRequest(ysaline({ implicitRules: 'urn:a' })))).to.equal('invalid');
  });

  it('needs a number with its system, or a birth date and a name', () => {
    const needs = (patient: Partial<Patient>): string =>
      kindOf(() => matchCriteria({ resourceType: 'Patient', ...patient }));
    expect(needs({})).to.equal('required');
    expect(needs({ birthDate: '1979-03-05' })).to.equal('required');
    expect(needs({ name: [{ family: 'Orbélian' }], gender: 'female' })).to.equal('required');
    expect(needs({ identifier: [{ value: '1' }] })).to.equal('required');
    expect(needs({ birthDate: 'yesterday', name: [{ family: 'Orbélian' }] })).to.equal('required');
    expect(needs({ birthDate: '1979-03-05', name: [{ given: ['Ysaline'] }] })).to.equal('accepted');
    expect(needs({ identifier: [LOCAL] })).to.equal('accepted');
  });
});

describe('ITI-119 $match, response (PDQm 2:3.119.4.2)', () => {
  it('is a searchset as the published example: score, grade and mode of each', function () {
    const sample = readSample('ihe/pdqm/Bundle-ex-match-output-multiple.json');
    if (sample === undefined) return this.skip();
    const example = JSON.parse(sample.toString()) as Bundle;
    const entries = (example.entry ?? []).map(({ resource, search }) => ({
      id: resource?.id ?? '',
      json: JSON.stringify(resource),
      grade: search?.extension?.[0]?.valueCode as 'probable',
      score: search?.score ?? 0,
    }));
    const made = JSON.parse(formatMatches(entries, 'https://server.example/fhir')) as Bundle;
    const parts = ({ type, total, entry = [] }: Bundle) => ({
      type,
      total,
      entry: entry.map(({ search, resource }) => ({ search, resource })),
    });
    expect(parts(made)).to.deep.equal(parts(example));
    expect(made.entry?.[0]?.fullUrl).to.equal('https://server.example/fhir/Patient/ex-patient');
  });

  it('has no entry where nobody matches', () => {
    expect(JSON.parse(formatMatches([], 'https://server.example/fhir'))).to.deep.equal({
      resourceType: 'Bundle',
      type: 'searchset',
      total: 0,
      link: [{ relation: 'self', url: 'https://server.example/fhir/Patient/$match' }],
    });
  });
});
