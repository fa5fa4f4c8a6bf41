import { expect } from 'chai';
import { parseRegion, refuseDemonstration } from '../../../server/config/region.ts';
import { Fault } from '../../../profiles/fault.ts';

const key = { kty: 'EC', crv: 'P-384', kid: 'one', x: 'AA', y: 'BB' };

function aRegion(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    bundle: {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { resource: { resourceType: 'Organization', id: 'a' }, request: { method: 'PUT', url: 'Organization/a' } },
        {
          resource: { resourceType: 'Organization', id: 'a-imaging', partOf: { reference: 'Organization/a' } },
          request: { method: 'PUT', url: 'Organization/a-imaging' },
        },
      ],
    },
    ...overrides,
  };
}

function aClient(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    client_id: 'pacs',
    name: 'PACS',
    organization: 'Organization/a',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [key] },
    scope: 'system/*.rs',
    grant_types: ['client_credentials'],
    ...overrides,
  };
}

function refusalOf(json: unknown): string {
  try {
    parseRegion(json);
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    expect((error as Fault).kind).to.equal('invalid');
    return (error as Fault).message;
  }
  throw new Error('The region was accepted');
}

describe('Region file', () => {
  it('takes who publishes an application and where it is opened, which is a page over TLS', () => {
    const named = aClient({ publisher: 'Cigogne', client_uri: 'https://carnet.example/' });
    expect(parseRegion(aRegion({ clients: [named] })).clients[0]).to.include({ publisher: 'Cigogne' });
    for (const wrong of ['javascript:alert(1)', 'http://carnet.example/', 'https://a/"', 'https://'])
      expect(refusalOf(aRegion({ clients: [aClient({ client_uri: wrong })] })), wrong).to.include('client_uri');
  });

  it('fills left-out lists and takes a region for real when it does not say otherwise', () => {
    const region = parseRegion(aRegion());
    expect(region.demonstration).to.equal(false);
    expect(region.clients).to.deep.equal([]);
    expect(region.persons).to.deep.equal([]);
  });

  it('refuses an identifier domain or a qualified identifier of a reserved system', () => {
    const [patientIdSystem, accessionSystem] = ['urn:oid:1.2.3', 'urn:oid:1.2.4'];
    const domain = { organization: 'Organization/a', patientIdSystem, accessionSystem };
    for (const system of ['urn:dicom:uid', 'urn:ietf:rfc:3986', 'urn:passerelle:patients']) {
      const refusal = refusalOf(
        aRegion({
          identifierDomains: [
            { ...domain, patientIdSystem: system },
            { ...domain, accessionSystem: system },
          ],
          qualifiedIdentifiers: ['urn:oid:1.3.182.4.4', system],
        }),
      );
      expect(refusal).to.include('/identifierDomains/0/patientIdSystem is a reserved system');
      expect(refusal).to.include('/identifierDomains/1/accessionSystem is a reserved system');
      expect(refusal).to.include('/qualifiedIdentifiers/1 is a reserved system');
      expect(refusal).not.to.include('/qualifiedIdentifiers/0');
    }
  });

  it('takes the certificates of an AE title as SHA-256 fingerprints, and nothing else', () => {
    const withCertificates = (certificates: unknown) =>
      aRegion({
        aeTitles: [{ aeTitle: 'CT', organization: 'Organization/a', addresses: ['192.0.2.1'], certificates }],
      });
    const [plain, colons] = ['0f'.repeat(32), Array.from({ length: 32 }, () => 'AB').join(':')];
    expect(parseRegion(withCertificates([plain, colons])).aeTitles[0]?.certificates).to.deep.equal([plain, colons]);
    for (const wrong of [[], [plain.slice(2)], [`${plain}00`], ['sha256'], 'x'])
      expect(refusalOf(withCertificates(wrong))).to.include('/aeTitles/0/certificates');
  });

  it('is frozen to its depth and independent of what was read', () => {
    const json = aRegion({ clients: [aClient()] });
    const region = parseRegion(json);
    expect(Object.isFrozen(region.clients[0]?.grant_types)).to.equal(true);
    expect(Object.isFrozen(region.bundle.entry?.[0]?.resource)).to.equal(true);
    expect(Object.isFrozen(json['clients'])).to.equal(false);
  });

  it('refuses what is not an object', () => {
    for (const json of [undefined, null, 'region', 3, []]) expect(refusalOf(json)).to.include('not valid');
  });

  it('reports every error of the shape at once, with its place', () => {
    const message = refusalOf(
      aRegion({ clients: [{}], aeTitles: [{ aeTitle: 'TOO_LONG_FOR_AN_AE_TITLE' }], colour: 'blue' }),
    );
    expect(message).to.include('/clients/0').and.to.include('/aeTitles/0/aeTitle').and.to.include('colour');
  });

  it('refuses an AE title with a backslash or an outer space (PS3.5 6.2)', () => {
    for (const aeTitle of ['A\\B', ' AB', 'AB ', '']) {
      const peer = { aeTitle, organization: 'Organization/a', addresses: ['127.0.0.1'] };
      expect(refusalOf(aRegion({ aeTitles: [peer] }))).to.include('/aeTitles/0/aeTitle');
    }
  });

  it('refuses an organization that the bundle does not hold', () => {
    const message = refusalOf(
      aRegion({
        clients: [aClient({ organization: 'Organization/b' })],
        imagingServices: [{ organization: 'Organization/a-imaging', establishment: 'Organization/c' }],
      }),
    );
    expect(message).to.include('/clients/0/organization').and.to.include('/imagingServices/0/establishment');
  });

  it('refuses a reference inside the bundle that leads nowhere', () => {
    const role = { resourceType: 'PractitionerRole', id: 'r', practitioner: { reference: 'Practitioner/nobody' } };
    const entry = [{ resource: role, request: { method: 'PUT', url: 'PractitionerRole/r' } }];
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
    expect(refusalOf({ bundle })).to.include('Practitioner/nobody');
  });

  it('refuses a resource that is not of the directory, and a request to another address', () => {
    const entry = [
      { resource: { resourceType: 'Patient', id: 'p' }, request: { method: 'PUT', url: 'Patient/p' } },
      { resource: { resourceType: 'Organization', id: 'a' }, request: { method: 'PUT', url: 'Organization/b' } },
    ];
    const message = refusalOf({ bundle: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect(message)
      .to.include('/bundle/entry/0 is no resource of the directory')
      .and.to.include('/bundle/entry/1/request/url');
  });

  it('takes a device of an establishment, and refuses one that names a patient, by reference or identifier', () => {
    const withDevice = (more: object): Record<string, unknown> => {
      const region = aRegion();
      const bundle = region['bundle'] as { readonly entry: readonly object[] };
      const resource = { resourceType: 'Device', id: 'ct', owner: { reference: 'Organization/a' }, ...more };
      const entry = [...bundle.entry, { resource, request: { method: 'PUT', url: 'Device/ct' } }];
      return { ...region, bundle: { ...bundle, entry } };
    };
    expect(parseRegion(withDevice({})).bundle.entry).to.have.lengthOf(3);
    for (const patient of [{ identifier: { system: 'urn:x', value: '1' } }, { reference: 'Patient/1' }]) {
      expect(refusalOf(withDevice({ patient }))).to.include('/bundle/entry/2/resource/patient names a person');
    }
  });

  it('refuses two clients, peers or persons of one name', () => {
    const peer = { aeTitle: 'CT1', organization: 'Organization/a', addresses: ['::1'] };
    const person = { login: 'anne', name: 'Anne', kind: 'patient', identifier: { system: 'urn:oid:1.2', value: '1' } };
    const message = refusalOf(
      aRegion({ clients: [aClient(), aClient()], aeTitles: [peer, peer], persons: [person, person] }),
    );
    expect(message).to.include('/clients/1').and.to.include('/aeTitles/1').and.to.include('/persons/1');
  });

  it('refuses a private key, and says nothing of its value', () => {
    const message = refusalOf(aRegion({ clients: [aClient({ jwks: { keys: [{ ...key, d: 'c2VjcmV0' }] } })] }));
    expect(message).to.include('/clients/0/jwks/keys/0 holds a private key').and.not.to.include('c2VjcmV0');
  });

  it('refuses a demonstration key in a region that is not for demonstration', () => {
    const clients = [aClient({ jwks: { keys: [{ ...key, kid: 'demonstration-1' }] } })];
    expect(refusalOf(aRegion({ clients }))).to.include('demonstration key');
    expect(parseRegion(aRegion({ clients, demonstration: true })).clients).to.have.length(1);
  });

  it('refuses a client whose grant types and authentication do not fit', () => {
    const open = aClient({ token_endpoint_auth_method: 'none' });
    const keyless = { ...aClient({ client_id: 'b' }), jwks: undefined };
    const appWithoutRedirect = aClient({ client_id: 'c', grant_types: ['authorization_code'] });
    const message = refusalOf(aRegion({ clients: [open, JSON.parse(JSON.stringify(keyless)), appWithoutRedirect] }));
    expect(message).to.include('/clients/0 uses client_credentials and must authenticate');
    expect(message).to.include('/clients/1 authenticates by private_key_jwt and needs jwks');
    expect(message).to.include('/clients/2 uses authorization_code and needs redirect_uris');
  });

  it('refuses a demonstration region outside development', () => {
    const region = parseRegion(aRegion({ demonstration: true }));
    expect(() => refuseDemonstration(region, false))
      .to.throw(Fault)
      .with.property('kind', 'forbidden');
    expect(() => refuseDemonstration(region, true)).not.to.throw();
    expect(() => refuseDemonstration(parseRegion(aRegion()), false)).not.to.throw();
  });
});
