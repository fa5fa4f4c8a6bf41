import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { IDENTIFIER_SYSTEM } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import { parseRegion } from '../../../server/config/region.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { aClient, aRegion, key, publicKey, refusalOf } from './a-region.ts';

describe('Region file: what it names must hold (F4)', () => {
  it('F4 takes addresses and ranges of callers, and refuses names of hosts and numbers that are none', () => {
    const calling = (...addresses: readonly string[]) =>
      aRegion({ aeTitles: [{ aeTitle: 'CT', organization: 'Organization/a', addresses }] });
    const taken = ['192.0.2.7', '192.0.2.0/24', '0.0.0.0/0', '::1', '2001:db8::/32', '10.0.0.1/32'];
    expect(parseRegion(calling(...taken)).aeTitles[0]?.addresses).to.deep.equal(taken);
    for (const wrong of [
      'ct.example.org',
      '10.0.0.999',
      '10.0.0',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/',
      'fe80::1%e0',
    ])
      expect(refusalOf(calling('192.0.2.7', wrong)), wrong).to.include(
        '/aeTitles/0/addresses/1 is no address or range',
      );
  });

  it('F4 refuses an RPPS and a national identifier of a professional in another form, with its place', () => {
    const bearing = (system: string, value: string) => {
      const region = aRegion();
      const bundle = region['bundle'] as { readonly entry: readonly object[] };
      const resource = { resourceType: 'Practitioner', id: 'd', identifier: [{ system, value }] };
      const entry = [...bundle.entry, { resource, request: { method: 'PUT', url: 'Practitioner/d' } }];
      return { ...region, bundle: { ...bundle, entry } };
    };
    const [rpps, national] = [IDENTIFIER_SYSTEM.rpps, IDENTIFIER_SYSTEM.professional];
    for (const [system, value] of [
      [rpps, '99700990015'],
      [national, '899700990015'],
      [national, '3679999901/agent-1'],
    ] as const)
      expect(parseRegion(bearing(system, value)).bundle.entry).to.have.lengthOf(3);
    for (const [system, value] of [
      [rpps, '12'],
      [rpps, '9970099001A'],
      [national, '12'],
      [national, '89970099001'],
      [national, '99700990015'],
    ] as const)
      expect(refusalOf(bearing(system, value)), value).to.include('/bundle/entry/2/resource/identifier/0/value is not');
  });

  it('F4 refuses a key that verifies nothing: broken, of another curve, too short', () => {
    const withKey = (one: object) => aRegion({ clients: [aClient({ jwks: { keys: [one] } })] });
    const rsa = (modulusLength: number) =>
      generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    expect(parseRegion(withKey({ ...rsa(2048), kid: 'rsa', alg: 'RS384' })).clients).to.have.lengthOf(1);
    for (const wrong of [
      { kty: 'EC', crv: 'P-384', x: 'AA', y: 'BB' },
      { kty: 'EC', crv: 'P-384' },
      { kty: 'oct' },
      { ...key, alg: 'RS384' },
      curve,
      rsa(1024),
    ])
      expect(refusalOf(withKey({ ...wrong, kid: 'x' }))).to.include('/clients/0/jwks/keys/0 is no key of RS384');
  });

  it('F4 refuses scopes that are none, or that no grant of the client gives', () => {
    const asking = (scope: string) => refusalOf(aRegion({ clients: [aClient({ scope })] }));
    for (const wrong of ['system/*.sr', 'system/Nonsense.rs', 'everything', 'patient/*.rs', 'system/*.'])
      expect(asking(`system/Patient.rs ${wrong}`), wrong).to.include('/clients/0/scope (word 2) is ');
    const app = aClient({
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://app.example/'],
      scope: 'openid fhirUser launch/patient offline_access patient/*.rs user/Patient.read',
    });
    expect(parseRegion(aRegion({ clients: [app] })).clients).to.have.lengthOf(1);
  });

  it('F4 refuses a resource that is not valid R4, with its place', async () => {
    const { validate } = await loadDefinitions();
    const region = aRegion();
    const bundle = region['bundle'] as { readonly entry: readonly { resource: object; request: object }[] };
    const [first, ...others] = bundle.entry;
    const broken = { ...first, resource: { ...first?.resource, active: 'yes', name: 7 } };
    const refused = (): unknown =>
      parseRegion({ ...region, bundle: { ...bundle, entry: [broken, ...others] } }, validate);
    expect(refused).to.throw(Fault, /^\/bundle\/entry\/0\/resource is no valid resource of R4: Organization/m);
    expect(parseRegion(aRegion(), validate).serial).to.equal(1);
  });

  it('refuses offices that are unknown, or of an establishment without a domain', () => {
    const holding = (code: string, organization: string) => {
      const region = aRegion();
      const bundle = region['bundle'] as { readonly entry: readonly object[] };
      const coding = [{ system: 'urn:passerelle:CodeSystem:region-role', code }];
      const resource = {
        resourceType: 'PractitionerRole',
        id: 'r',
        organization: { reference: organization },
        code: [{ coding }],
      };
      const entry = [...bundle.entry, { resource, request: { method: 'PUT', url: 'PractitionerRole/r' } }];
      return { ...region, bundle: { ...bundle, entry } };
    };
    expect(parseRegion(holding('establishment-desk', 'Organization/a')).bundle.entry).to.have.lengthOf(3);
    expect(parseRegion(holding('region-dpo', 'Organization/a-imaging')).bundle.entry).to.have.lengthOf(3);
    expect(refusalOf(holding('king', 'Organization/a'))).to.include('/bundle/entry/2/resource/code has an office');
    expect(refusalOf(holding('establishment-dpo', 'Organization/a-imaging'))).to.include(
      '/bundle/entry/2/resource/organization has no entry in identifierDomains',
    );
  });

  it('refuses an issuer of assertions without a certificate that can be read', () => {
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const issued = (certificate: unknown) =>
      aRegion({ assertionIssuers: [{ issuer: 'https://idp.example', certificate }] });
    expect(parseRegion(issued(pem)).assertionIssuers).to.have.lengthOf(1);
    for (const wrong of [undefined, '', 'MIIB', 7])
      expect(refusalOf(JSON.parse(JSON.stringify(issued(wrong))))).to.include('/assertionIssuers/0/certificate');
  });
});
