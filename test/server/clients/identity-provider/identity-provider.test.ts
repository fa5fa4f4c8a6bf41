import { expect } from 'chai';
import { createIdentityProvider } from '../../../../server/clients/identity-provider/identity-provider.ts';
import { parseIdentityProvider } from '../../../../server/clients/identity-provider/settings.ts';
import { identityFrom } from '../../../../server/clients/identity-provider/vouched-identity.ts';
import { Fault } from '../../../../profiles/fault.ts';

const AUTHENTICATION = { method: 'client_secret_basic', secret: 's' } as const;
const ENTRY = {
  issuer: 'https://idp.example',
  client_id: 'passerelle',
  scope: 'openid scope_all',
  requiredAcr: ['eidas2'],
  identifierClaims: [{ claim: 'SubjectNameID', system: 'urn:oid:1.2.250.1.71.4.2.1', kinds: ['practitioner'] }],
};
const faultOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error instanceof Fault ? error : undefined;
  }
  return undefined;
};

describe('Identity provider: settings and claims (OpenID Connect Core 1.0)', () => {
  const settings = parseIdentityProvider(ENTRY, AUTHENTICATION);
  const claims = { SubjectNameID: '899700990015', auth_time: 1_700_000_000, acr: 'eidas2' };

  it('takes the identifier from the claim that the region names', () => {
    expect(identityFrom(claims, settings)).to.deep.equal({
      identifiers: [{ kind: 'practitioner', system: 'urn:oid:1.2.250.1.71.4.2.1', value: '899700990015' }],
      acr: 'eidas2',
      authTime: 1_700_000_000,
    });
  });

  it('takes traits of a provider that the region says to vouch for them, all of them or none', () => {
    const standard = {
      family_name: 'DE LORMEAU',
      given_name: 'Maëlys Aurore',
      birthdate: '1979-05-14',
      gender: 'female',
    };
    const whole = { ...claims, ...standard, birthplace: '67482' };
    const vouching = parseIdentityProvider({ ...ENTRY, traits: true }, AUTHENTICATION);
    expect(identityFrom(whole, vouching).traits).to.deep.equal({
      families: ['delormeau', 'lormeau'],
      firstGivenNames: ['maelys', 'maelysaurore'],
      allGivenNames: ['maelysaurore'],
      birthDate: '1979-05-14',
      gender: 'female',
      birthPlace: '67482',
      isOneOfSeveral: false,
    });
    expect(identityFrom(whole, settings)).not.to.have.property('traits');
    for (const missing of ['family_name', 'given_name', 'birthdate'])
      expect(identityFrom({ ...whole, [missing]: undefined }, vouching)).not.to.have.property('traits');
  });

  it('A25 refuses a lower or missing acr', () => {
    for (const acr of ['eidas1', undefined]) {
      expect(faultOf(() => identityFrom({ ...claims, acr }, settings))).to.include({
        kind: 'forbidden',
        protocolCode: 'acr',
      });
    }
  });

  it('refuses claims without a time of sign-in or without an identifier', () => {
    for (const change of [
      { auth_time: undefined },
      { auth_time: '1700000000' },
      { SubjectNameID: undefined },
      { SubjectNameID: {} },
      { SubjectNameID: '' },
    ]) {
      expect(faultOf(() => identityFrom({ ...claims, ...change }, settings))).to.include({ kind: 'login' });
    }
  });

  it('refuses settings that leave the claim open', () => {
    for (const change of [
      { identifierClaims: [] },
      { identifierClaims: [{ claim: 'x', kinds: ['admin'] }] },
      { client_id: '' },
      { requiredAcr: 'eidas2' },
      // A member that is misspelt must not leave out what it demands.
      { required_acr: ['eidas2'] },
      { userinfo: 'yes' },
      { traits: 'yes' },
      { issuer: 'http://idp.example' },
      { issuer: 'development' },
      { discovery: 'https://idp.example/openid-configuration' },
      { discovery: 'http://idp.example/.well-known/openid-configuration' },
    ]) {
      expect(faultOf(() => parseIdentityProvider({ ...ENTRY, ...change }, AUTHENTICATION))).to.include({
        kind: 'invalid',
      });
    }
  });

  it('says that a provider which does not answer is unavailable; plain HTTP is for loopback only', async () => {
    const request = {
      redirectUri: 'http://127.0.0.1/x',
      state: 's',
      nonce: 'n',
      codeVerifier: 'v'.repeat(43),
      maxAgeSeconds: 60,
      fresh: false,
    };
    for (const issuer of ['http://127.0.0.1:9/idp', 'http://idp.invalid']) {
      const provider = createIdentityProvider({ ...settings, issuer }, { now: () => 0 });
      const refusal = await provider.begin(request).catch((error: unknown) => error);
      expect(refusal).to.include({ kind: 'transient' });
    }
  });
});
