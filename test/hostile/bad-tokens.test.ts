/**
 * Forged, expired, foreign and misplaced tokens and assertions, at the doors of the whole server. Rows B of the abuse
 * table.
 */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CompactEncrypt, SignJWT, UnsecuredJWT } from 'jose';
import { mintAssertion } from '../../fixtures/saml-issuer.ts';
import { clientToken, signInFully } from '../../fixtures/sign-in.ts';
import { ACTION, NAMESPACE } from '../../ihe/codes.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { expectOutcome, fhirCaller } from '../support/clients/fhir-caller.ts';
import { assertion, clientCredentials, postAs } from '../support/clients/oauth.ts';
import { startServer } from '../support/server.ts';
import { adhocQuery, PATIENT_SLOT, soapRequest, SOAP_TYPE, STATUS_SLOT } from '../support/clients/xds.ts';
import { descriptorsOf, expectDiscreetLog, expectNothingLeft, expectWhole, residentMegabytes } from './server-state.ts';

const DOORS = ['fhir/ImagingStudy', 'dicom-web/studies'] as const;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });

describe('Bad tokens', () => {
  let region: Demonstration;
  let memory = 0;
  let atFirst: ReturnType<typeof descriptorsOf>;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration({ env: { LOG_LEVEL: 'debug' } });
    memory = residentMegabytes(region.server);
    atFirst = descriptorsOf(region.server);
  });
  afterEach(async () => {
    await expectWhole(region);
    expectDiscreetLog(region.server, region.strasbourg.token, region.patient.token, 'eyJ');
  });
  after(async () => await region?.server.stop());

  async function challenges(token: string): Promise<unknown[]> {
    return await Promise.all(
      DOORS.map(async (door) => {
        const response = await fetch(`${region.server.url}/${door}`, { headers: { authorization: `Bearer ${token}` } });
        const text = await response.text();
        return [response.status, response.headers.get('www-authenticate'), text.includes('searchset')];
      }),
    );
  }
  const REFUSED = DOORS.map(() => [401, 'Bearer error="invalid_token"', false]);

  it('B01, B02, B03, B18 refuses JWTs of any making: our tokens say nothing themselves', async () => {
    const claims = {
      iss: region.server.url,
      sub: 'Patient/1',
      aud: `${region.server.url}/fhir`,
      scope: 'system/*.cruds',
    };
    const none = new UnsecuredJWT(claims).setExpirationTime('1h').encode();
    const jwks: unknown = await (await fetch(`${region.server.url}/auth/jwks`)).json();
    const symmetric = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'demonstration-demo-establishment' })
      .sign(Buffer.from(JSON.stringify(jwks)));
    const foreign = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES384', kid: 'demonstration-demo-establishment' })
      .sign(privateKey);
    const nested = await new CompactEncrypt(Buffer.from(none))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(Buffer.alloc(32));
    for (const token of [
      none,
      symmetric,
      foreign,
      nested,
      randomUUID(),
      'a'.repeat(43),
      `${region.patient.token.slice(0, -1)}x`,
      `${region.patient.token}a`,
    ]) {
      expect(await challenges(token), token.slice(0, 40)).to.deep.equal(REFUSED);
    }
  });

  it('B12 refuses an id_token, a client assertion and a refresh token as access token', async () => {
    const scope = 'openid fhirUser launch/patient offline_access patient/*.rs';
    const { id_token: idToken, refresh_token: refreshToken } = await signInFully({
      url: region.server.url,
      person: 'demo-patient',
      scope,
    });
    for (const token of [idToken, refreshToken, await assertion(region.server)]) {
      expect(token).to.be.a('string');
      expect(await challenges(String(token))).to.deep.equal(REFUSED);
    }
  });

  it('B14 refuses a token in the address, of whoever and on each door', async () => {
    for (const door of DOORS) {
      const response = await fetch(`${region.server.url}/${door}?access_token=${region.patient.token}`);
      expect(response.status, door).to.equal(400);
      expect(await response.text()).to.not.include(region.patient.token);
    }
  });

  it('B19 asks for a token where there is none', async () => {
    for (const door of DOORS) {
      const response = await fetch(`${region.server.url}/${door}`);
      expect([response.status, response.headers.get('www-authenticate')]).to.deep.equal([401, 'Bearer']);
    }
    for (const path of ['Patient/1', 'Binary/1', 'Patient/1/_history/1', 'AuditEvent'])
      expectOutcome(await fhirCaller(region.server.url).get(path), 401, 'login');
    for (const [method, path] of [
      ['POST', ''],
      ['POST', 'Patient'],
      ['PUT', 'Patient?identifier=a|b'],
      ['POST', 'Patient/$break-glass'],
      ['POST', 'Patient/$withdraw'],
    ] as const) {
      expectOutcome(await fhirCaller(region.server.url).send(method, path, {}), 401, 'login');
    }
  });

  it('A29 refuses a revoked token at once', async () => {
    const token = await clientToken({ url: region.server.url, client: 'demo-establishment' });
    expect((await fhirCaller(region.server.url, token).get('Patient')).status).to.equal(200);
    const revoked = await postAs(region.server, '/token/revocation', await assertion(region.server), { token });
    expect(revoked.status).to.equal(200);
    expect(await challenges(token)).to.deep.equal(REFUSED);
  });

  it('B07 to B10 refuses assertions that are forged, expired, foreign or used before', async () => {
    const now = Math.floor(Date.now() / 1000);
    const used = await assertion(region.server);
    expect((await clientCredentials(region.server, used)).status).to.equal(200);
    const bad = [
      used,
      await assertion(region.server, { key: privateKey }),
      await assertion(region.server, { claims: { exp: now - 60 } }),
      await assertion(region.server, { claims: { exp: now + 3_600 } }),
      await assertion(region.server, { claims: { aud: 'https://other.example/token' } }),
      await assertion(region.server, { claims: { iss: 'demo-radiology-centre' } }),
      new UnsecuredJWT({
        iss: 'demo-establishment',
        sub: 'demo-establishment',
        aud: `${region.server.url}/auth/token`,
        jti: randomUUID(),
      })
        .setExpirationTime('4m')
        .encode(),
      'eyJ',
      '',
      'a.b.c',
    ];
    for (const one of bad) {
      const response = await clientCredentials(region.server, one);
      expect(response.status, one.slice(0, 60)).to.be.oneOf([400, 401]);
      expect(await response.json())
        .to.have.property('error')
        .that.is.oneOf(['invalid_client', 'invalid_request']);
    }
  });

  it('H06, H07 refuses a SAML assertion of an issuer that the region does not know, and a broken one', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const times = { notBefore: new Date(Date.now() - 60_000), notOnOrAfter: new Date(Date.now() + 3_600_000) };
    const forged = mintAssertion({
      issuer: 'https://idp.example',
      audience: region.server.url,
      nameId: '899700990031',
      ...times,
      privateKey: rsa.privateKey,
    });
    for (const xml of [
      forged,
      forged.replace(/<ds:Signature[\s\S]*<\/ds:Signature>/, ''),
      forged.replace('899700990031', '899700990015'),
      '<a/>',
    ]) {
      const header = `<w:Security xmlns:w="${NAMESPACE.wsse}">${xml}</w:Security>`;
      const body = soapRequest(ACTION.registryStoredQuery, adhocQuery([PATIENT_SLOT, STATUS_SLOT]), header);
      const response = await fetch(`${region.server.url}/xds/registry`, {
        method: 'POST',
        body,
        headers: { 'content-type': SOAP_TYPE },
      });
      expect(response.status).to.be.oneOf([400, 401, 500]);
      expect(await response.text())
        .to.match(/FailedAuthentication|InvalidSecurity|Sender/)
        .and.not.include('AdhocQueryResponse');
    }
  });

  it('holds no memory, descriptor or connection for any of it', async () => {
    await expectNothingLeft(region.server, atFirst);
    expect(residentMegabytes(region.server) - memory).to.be.lessThan(100);
  });
});

describe('Tokens over a restart', () => {
  it('B20 refuses a token that has expired, and serves the one that has not', async function expired() {
    this.timeout(30_000);
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-tokens-'));
    try {
      const first = await startServer({ dataDir });
      const [old, good] = await Promise.all([
        clientToken({ url: first.url, client: 'demo-establishment' }),
        clientToken({ url: first.url, client: 'demo-establishment' }),
      ]);
      await first.stop();
      expire(dataDir, old);
      const second = await startServer({ dataDir });
      try {
        const answer = await fhirCaller(second.url, old).get('Patient');
        expectOutcome(answer, 401, 'login');
        expect(answer.headers.get('www-authenticate')).to.equal('Bearer error="invalid_token"');
        expect((await fhirCaller(second.url, good).get('Patient')).status).to.equal(200);
      } finally {
        await second.stop();
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

/** Moves the end of a stored token into the past. */
function expire(dataDir: string, token: string): void {
  const database = new DatabaseSync(join(dataDir, 'tokens.sqlite'));
  const id = createHash('sha256').update(token).digest('base64url');
  const { changes } = database
    .prepare('UPDATE token SET expires_at = ? WHERE id = ?')
    .run(Math.floor(Date.now() / 1000) - 1, id);
  database.close();
  expect(changes, 'the token is stored by its digest').to.equal(1);
}
