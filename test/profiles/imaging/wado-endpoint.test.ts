import { expect } from 'chai';
import { buildWadoEndpoint } from '../../../profiles/imaging/wado-endpoint.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';

describe('WADO-RS Endpoint (SMART Imaging Access; IHE RAD MADO WadoEndpoint)', () => {
  const input = { id: 'wado', organization: 'Organization/one', address: 'https://images.example/dicom-web' };

  it('is valid, and asks for the access token of the FHIR server', async () => {
    const { validate } = await loadDefinitions();
    const endpoint = buildWadoEndpoint(input);
    expect(validate(endpoint)).to.equal(endpoint);
    expect(endpoint.connectionType.code).to.equal('dicom-wado-rs');
    expect(endpoint.address).to.equal(input.address);
    expect(endpoint.managingOrganization?.reference).to.equal(input.organization);
    expect(endpoint.extension).to.deep.equal([
      { url: 'http://hl7.org/fhir/smart-app-launch/StructureDefinition/requires-access-token', valueBoolean: true },
    ]);
  });

  it('names the repository where MADO asks for it', () => {
    expect(buildWadoEndpoint({ ...input, retrieveLocationUID: '2.25.9' }).extension?.[1]).to.deep.equal({
      url: 'https://profiles.ihe.net/RAD/MADO/StructureDefinition/MadoRetrieveLocationUIDExtension',
      valueString: '2.25.9',
    });
  });
});
