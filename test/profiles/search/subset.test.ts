import { expect } from 'chai';
import { createSubsets, type Subset, type Subsets } from '../../../profiles/search/subset.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';

const patient = {
  resourceType: 'Patient',
  id: '1',
  meta: { versionId: '2', tag: [{ system: 'urn:a', code: 'b' }] },
  implicitRules: 'urn:rules',
  language: 'fr',
  text: { status: 'generated', div: '<div/>' },
  contained: [{ resourceType: 'Organization', id: 'o' }],
  extension: [{ url: 'urn:e', valueString: 'e' }],
  modifierExtension: [{ url: 'urn:m', valueString: 'm' }],
  active: true,
  name: [{ family: 'Élan' }],
  birthDate: '1990-01-01',
  _birthDate: { extension: [{ url: 'urn:x', valueString: 'y' }] },
  deceasedBoolean: false,
  maritalStatus: { text: 'm' },
  contact: [{ name: { family: 'Noir' } }],
  link: [{ other: { reference: 'Patient/2' }, type: 'seealso', id: 'l' }],
};
const report = {
  resourceType: 'DiagnosticReport',
  id: '2',
  status: 'final',
  code: { text: 'c' },
  media: [{ id: 'm', comment: 'why', link: { reference: 'Media/1' } }],
  conclusion: 'nothing',
};

describe('Parts of resources (R4 3.1.1.5.8 and 3.1.1.5.9)', () => {
  let subsets: Subsets;
  before(async () => {
    ({ subsets } = await loadDefinitions());
  });

  const partOf = (resource: { readonly resourceType: string }, subset: Subset) =>
    JSON.parse(subsets.of(resource.resourceType as StoredType, JSON.stringify(resource), subset)) as Record<
      string,
      unknown
    >;
  const keysOf = (resource: { readonly resourceType: string }, subset: Subset) => Object.keys(partOf(resource, subset));
  const elements = (...names: readonly string[]): Subset => ({ kind: 'elements', names });

  it('have what they refer to within the resource, and no more of what is contained', () => {
    const study = {
      resourceType: 'ImagingStudy',
      id: '3',
      contained: [
        { resourceType: 'Endpoint', id: 'viewer', address: 'https://images.example/voir/3' },
        { resourceType: 'Endpoint', id: 'other' },
      ],
      status: 'available',
      subject: { reference: 'Patient/1' },
      endpoint: [{ reference: '#viewer' }],
    };
    for (const subset of [elements('endpoint'), { kind: 'true' } as const])
      expect(partOf(study, subset)['contained']).to.deep.equal([study.contained[0]]);
    expect(partOf(study, elements('status'))).to.not.have.property('contained');
  });

  it('are named elements, those that must be there, and what may change the meaning', () => {
    expect(keysOf(patient, elements('name'))).to.deep.equal([
      'resourceType',
      'id',
      'meta',
      'implicitRules',
      'modifierExtension',
      'name',
    ]);
    expect(keysOf(report, elements('conclusion'))).to.deep.equal([
      'resourceType',
      'id',
      'status',
      'code',
      'conclusion',
      'meta',
    ]);
    expect(keysOf(patient, elements('birthDate'))).to.include.members(['birthDate', '_birthDate']);
    for (const name of ['deceased', 'deceasedBoolean'])
      expect(keysOf(patient, elements(name)), name).to.include('deceasedBoolean');
  });

  it('are a summary: elements of summaries, within others too', () => {
    expect(keysOf(patient, { kind: 'true' })).to.deep.equal([
      'resourceType',
      'id',
      'meta',
      'implicitRules',
      'modifierExtension',
      'active',
      'name',
      'birthDate',
      '_birthDate',
      'deceasedBoolean',
      'link',
    ]);
    expect(partOf(patient, { kind: 'true' })['link']).to.deep.equal([
      { other: { reference: 'Patient/2' }, type: 'seealso', id: 'l' },
    ]);
    const summary = partOf(report, { kind: 'true' });
    expect(summary).to.not.have.property('conclusion');
    expect(summary['media']).to.deep.equal([{ id: 'm', link: { reference: 'Media/1' } }]);
  });

  it('are the narrative with what must be there, or all but the narrative', () => {
    expect(keysOf(patient, { kind: 'text' })).to.deep.equal([
      'resourceType',
      'id',
      'meta',
      'implicitRules',
      'text',
      'modifierExtension',
    ]);
    expect(keysOf(report, { kind: 'text' })).to.deep.equal(['resourceType', 'id', 'status', 'code', 'meta']);
    expect(keysOf(patient, { kind: 'data' })).to.deep.equal(Object.keys(patient).filter((key) => key !== 'text'));
  });

  it('say that they are parts, beside what the tags say already', () => {
    const tag = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
    for (const subset of [elements('name'), { kind: 'true' }, { kind: 'text' }, { kind: 'data' }] as const) {
      expect(partOf(patient, subset)['meta']).to.deep.equal({
        versionId: '2',
        tag: [{ system: 'urn:a', code: 'b' }, tag],
      });
      expect(partOf(report, subset)['meta']).to.deep.equal({ tag: [tag] });
    }
  });

  it('know the elements of each type, and need its definition', () => {
    for (const name of ['name', 'deceased', 'deceasedDateTime', 'meta', 'text'])
      expect(subsets.hasElement('Patient', name), name).to.equal(true);
    for (const name of ['deceasedString', 'colour', 'contact.name', '_birthDate', 'resourceType', ''])
      expect(subsets.hasElement('Patient', name), name).to.equal(false);
    expect(() => createSubsets({ structureDefinitions: [], searchParameters: [] })).to.throw('The definitions lack');
  });
});
