import type { Observation, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { isConditional, referencesOf, relinked } from '../../profiles/references.ts';
import { loadDefinitions } from '../../server/runtime/definitions.ts';

const URL = 'urn:uuid:3f0d2c0a-5d3e-4f5e-8a7e-2f1b8c9d0e1f';

describe('Links of a resource (FHIR R4 http.html#trules)', () => {
  before(async () => await loadDefinitions());

  it('are elements of the types reference, uri, url, oid, uuid and canonical, by the definitions of R4', () => {
    const patient: Patient = {
      resourceType: 'Patient',
      meta: { source: URL, profile: [URL] },
      identifier: [{ system: URL, value: URL, assigner: { reference: URL, display: URL } }],
      photo: [{ url: URL, title: URL }],
      generalPractitioner: [{ reference: URL }],
    };
    const target = 'Organization/1';
    expect(relinked(patient, (text) => (text === URL ? target : undefined))).to.deep.equal({
      resourceType: 'Patient',
      meta: { source: target, profile: [target] },
      identifier: [{ system: target, value: URL, assigner: { reference: target, display: URL } }],
      photo: [{ url: target, title: URL }],
      generalPractitioner: [{ reference: target }],
    });
  });

  it('lie in contained resources and narratives, in both forms of quotes', () => {
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: URL },
      text: { status: 'generated', div: `<div><a href="${URL}">${URL}</a><img src = '${URL}'/></div>` },
      contained: [{ resourceType: 'Patient', id: 'p', managingOrganization: { reference: URL } }],
      valueString: URL,
    } as Observation;
    const after = relinked(observation, (text) => (text === URL ? 'Patient/1' : undefined));
    expect(after.text?.div).to.equal(`<div><a href="Patient/1">${URL}</a><img src = "Patient/1"/></div>`);
    expect(after.contained?.[0]).to.deep.include({ managingOrganization: { reference: 'Patient/1' } });
    expect([after.valueString, after.code.text]).to.deep.equal([URL, URL]);
    expect(referencesOf(observation)).to.deep.equal([URL]);
  });

  it('tells conditional references from others', () => {
    expect(['Patient?identifier=a|b', 'Patient/1', '#a', 'urn:uuid:1', 'Patient?'].map(isConditional)).to.deep.equal([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
