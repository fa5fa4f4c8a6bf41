import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { SearchParameter } from '@medplum/fhirtypes';
import {
  earliestDefinitionOf,
  EARLIEST_VERSION,
  expressionOn,
  inErrorKey,
  indexDefinitionOf,
  versionsOf,
  type IndexDefinition,
} from '../../../profiles/search/index-definition.ts';
import type { ParameterType, SearchParameterEntry } from '../../../profiles/search/parameters.ts';
import { addEntries, type Entries } from '../../../profiles/search/values.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { loadDefinitions, type LoadedDefinitions } from '../../../server/runtime/definitions.ts';

const NAME: SearchParameterEntry = { code: 'name', type: 'string', definition: 'urn:name' };
const PATIENT: SearchParameterEntry = { code: 'patient', type: 'reference', definition: 'urn:p', targets: ['Patient'] };

describe('The definition of an index', () => {
  let loaded: LoadedDefinitions;
  before(async () => {
    loaded = await loadDefinitions();
  });

  it('has a version by what values and order are made of, and by nothing else', () => {
    const versionOf = (...parameters: readonly (readonly [SearchParameterEntry, string])[]): number =>
      indexDefinitionOf(
        'Location',
        parameters.map(([entry, expression]) => ({ entry, expression })),
      ).version;
    const version = versionOf([NAME, 'Location.name'], [PATIENT, 'Location.x']);
    expect(version).to.be.within(1, 2 ** 48 - 1);
    expect(versionOf([PATIENT, 'Location.x'], [NAME, 'Location.name'])).to.equal(version);
    expect(
      versionOf([{ ...NAME, definition: 'urn:other', targets: ['Device'] }, 'Location.name'], [PATIENT, 'Location.x']),
    ).to.equal(version);
    for (const other of [
      versionOf([NAME, 'Location.name']),
      versionOf([NAME, 'Location.alias'], [PATIENT, 'Location.x']),
      versionOf([{ ...NAME, type: 'token' }, 'Location.name'], [PATIENT, 'Location.x']),
      versionOf([{ ...NAME, code: 'title' }, 'Location.name'], [PATIENT, 'Location.x']),
      versionOf([NAME, 'Location.name'], [{ ...PATIENT, targets: ['Patient', 'Device'] }, 'Location.x']),
      versionOf([NAME, 'Location.name'], [{ ...PATIENT, needsType: true }, 'Location.x']),
    ])
      expect(other).to.not.equal(version);
    const sorted = indexDefinitionOf('ServiceRequest', []);
    expect(sorted.sort).to.equal('authoredOn');
    expect(sorted.version).to.not.equal(indexDefinitionOf('Location', []).version);
  });

  it('takes of an expression that types share what is of the type', () => {
    const shared = {
      url: 'urn:name',
      expression: 'Location.name | Locations.name | (Device.name as string) | Device.x',
    };
    const byUrl = new Map([['urn:name', shared as SearchParameter]]);
    expect(expressionOn('Location', NAME, byUrl)).to.equal('Location.name');
    expect(expressionOn('Device', NAME, byUrl)).to.equal('(Device.name as string) | Device.x');
    expect(expressionOn('Device', { ...NAME, expression: 'a | Location.b' }, byUrl)).to.equal('a | Location.b');
    expect(() => expressionOn('Device', { ...NAME, definition: 'urn:none' }, byUrl)).to.throw('urn:none');
  });

  it('holds for rows without a version while it is the earliest one', () => {
    const current = loaded.indexDefinitions.get('Patient');
    if (current === undefined) throw new Error('Patients are not indexed');
    const earliest = earliestDefinitionOf('Patient');
    expect(earliest).to.include({ type: 'Patient', version: EARLIEST_VERSION, sort: '' });
    const partsOf = ({ parameters = {}, sort = '' }: Partial<IndexDefinition> = {}): string =>
      JSON.stringify([Object.entries(parameters).toSorted(), sort]);
    const isUnchanged = partsOf(earliest) === partsOf(current);
    expect(versionsOf(current)).to.deep.equal(isUnchanged ? [EARLIEST_VERSION, current.version] : [current.version]);
    expect(versionsOf({ ...current, version: 1 })).to.deep.equal([1]);
    // The type has come since.
    expect(earliestDefinitionOf('Appointment')).to.equal(undefined);
  });

  it('tells by which parameters a report that was an error is not found, and is another where that changes', () => {
    const byError = (type: StoredType): readonly string[] =>
      Object.keys(loaded.indexDefinitions.get(type)?.parameters ?? {}).filter((key) => key.includes(':'));
    expect(byError('DiagnosticReport')).to.have.members(
      ['based-on', 'category', 'code', 'imaging-study'].map(inErrorKey),
    );
    expect(byError('ImagingStudy')).to.deep.equal([]);
    const report = loaded.indexDefinitions.get('DiagnosticReport');
    // Earlier releases found it by all of them: their rows are indexed anew.
    expect(report && versionsOf(report)).to.deep.equal([report?.version]);
  });

  it('has not changed where the server itself searches, as it finds rows of every release at once', () => {
    for (const [type, ...codes] of OWN_SEARCHES) {
      const [now, then] = [loaded.indexDefinitions.get(type), earliestDefinitionOf(type)];
      for (const code of codes) {
        expect(now?.parameters[code], `${type} ${code}`).to.be.a('string').and.equal(then?.parameters[code]);
      }
    }
    // A type that has come since: those who represent a patient are found by it at sign-in.
    expect(loaded.indexDefinitions.get('RelatedPerson')?.parameters['identifier']).to.equal('fbabd47cd818');
  });

  it('is not asked of AuditEvents, whose values the chain proves', () => {
    expect([...loaded.indexDefinitions.keys()])
      .to.include('Binary')
      .and.not.include('AuditEvent');
  });

  it('has another CODE_VERSION when other values are made of the same elements', () => {
    const values = JSON.stringify(KINDS.map(valuesOf));
    const digest = createHash('sha256').update(values).digest('hex').slice(0, 16);
    expect(digest, `raise CODE_VERSION of index-definition.ts, then write this digest here: ${values}`).to.equal(
      '9dac9439212373be',
    );
  });
});

/** What `findAll` of server/flows/internal-reads.ts is asked by. */
const OWN_SEARCHES = [
  ['DiagnosticReport', 'imaging-study'],
  ['DocumentReference', 'related', 'format', 'status'],
  ['Practitioner', 'identifier'],
] as const;

const KINDS: readonly ParameterType[] = ['token', 'reference', 'date', 'string', 'uri'];

/** Elements of every type that values are made of. */
const ELEMENTS: readonly (readonly [string, unknown])[] = [
  ['Identifier', { system: 'urn:s', value: 'V 1' }],
  ['CodeableConcept', { coding: [{ system: 'urn:s', code: 'a' }, { code: 'b' }], text: 'c' }],
  ['Coding', { system: 'urn:s', code: 'a' }],
  ['ContactPoint', { system: 'email', value: 'a@example.org' }],
  ['code', 'x'],
  ['boolean', true],
  ['uri', 'urn:u'],
  ['string', '  Éloïse  d’Aix '],
  ['HumanName', { text: 'A B', family: 'B', given: ['A', 'C'], prefix: ['Dr'], suffix: ['III'] }],
  [
    'Address',
    { text: 't', line: ['1 rue'], city: 'Épinal', district: 'd', state: 's', postalCode: '88', country: 'FR' },
  ],
  ['Reference', { reference: 'Patient/1/_history/2', identifier: { system: 'urn:s', value: 'r' } }],
  ['Reference', { reference: '#contained', type: 'Device' }],
  ['canonical', 'http://example.org/x|1'],
  ['date', '2024-02'],
  ['dateTime', '2024-02-29T12:00:00+01:00'],
  ['instant', '2024-02-29T11:00:00.123Z'],
  ['Period', { start: '2024', end: '2025-06' }],
  ['Period', { end: '2025-06' }],
  ['Timing', { event: ['2024-01-01', '2024-03-01'], repeat: { boundsPeriod: { start: '2023' } } }],
];

function valuesOf(type: ParameterType): Entries {
  const entries: Entries = { tokens: [], references: [], dates: [], strings: [] };
  for (const [of, value] of ELEMENTS) addEntries(entries, { ...NAME, type }, { type: of, value });
  return entries;
}
