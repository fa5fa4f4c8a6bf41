/**
 * Client assertions that are forged in each way of table B, at the token endpoint of the running server, and tokens
 * that reach too far.
 */
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { exportJWK, generateKeyPair } from 'jose';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { clientToken, demonstrationKey } from '../../fixtures/sign-in.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { expectOutcome, fhirCaller } from '../support/clients/fhir-caller.ts';
import { assertion, BACKEND, clientCredentials } from '../support/clients/oauth.ts';
import { descriptorsOf, expectDiscreetLog, expectNothingLeft, expectWhole, residentMegabytes } from './server-state.ts';

const now = (): number => Math.floor(Date.now() / 1000);
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('Bad client assertions (RFC 7523, SMART App Launch 2.2)', function () {
  this.timeout(60_000);
  let region: Demonstration;
  let memory = 0;
  let atFirst: ReturnType<typeof descriptorsOf>;
  before(async () => {
    region = await startDemonstration({ env: { LOG_LEVEL: 'debug' } });
    memory = residentMegabytes(region.server);
    atFirst = descriptorsOf(region.server);
  });
  afterEach(async () => {
    // The next good one is served.
    expect((await clientCredentials(region.server, await assertion(region.server))).status).to.equal(200);
    expectDiscreetLog(region.server, 'eyJ', region.strasbourg.token);
  });
  after(async () => await region?.server.stop());

  const INVALID_CLIENT = [401, 'invalid_client'];
  const expectRefused = async (clientAssertion: string, as: readonly unknown[] = INVALID_CLIENT): Promise<void> => {
    const response = await clientCredentials(region.server, clientAssertion);
    const answer = (await response.json()) as Record<string, unknown>;
    expect([response.status, answer['error']], clientAssertion.slice(0, 80)).to.deep.equal(as);
    expect(answer).to.not.have.property('access_token');
  };
  /** An assertion whose header and signature are put together by hand. */
  const forged = async (header: object, signature = ''): Promise<string> => {
    const [, payload] = (await assertion(region.server)).split('.');
    return `${encode(header)}.${payload}.${signature}`;
  };

  it('B01 refuses alg none', async () => {
    for (const alg of ['none', 'None', '', null]) await expectRefused(await forged({ alg, typ: 'JWT' }));
  });

  it('B02 refuses HS256 keyed with the public key', async () => {
    const { d: _private, ...publicJwk } = await demonstrationKey(BACKEND);
    const pem = createPublicKey({ key: publicJwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    await expectRefused(
      await assertion(region.server, { header: { alg: 'HS256' }, key: new TextEncoder().encode(String(pem)) }),
    );
  });

  it('B03 refuses another key under the same kid', async () => {
    const { privateKey } = await generateKeyPair('ES384');
    await expectRefused(await assertion(region.server, { key: privateKey }));
  });

  it('B04 refuses a kid that is a path, SQL, or 10 kB, and opens no file for it', async () => {
    for (const kid of ['../../x', '/etc/passwd', "' OR 1=1 --", '\0', 'k'.repeat(10_000)])
      await expectRefused(await assertion(region.server, { header: { kid } }));
  });

  it('B05, B06 refuses keys that the header brings or points to, and fetches nothing', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES384', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'mine', alg: 'ES384' };
    const { url, requests, close } = await listenForKeys(JSON.stringify({ keys: [jwk] }));
    try {
      for (const header of [{ jku: `${url}/jwks`, kid: 'mine' }, { x5u: `${url}/x` }, { jwk }, { x5c: ['AA=='] }])
        await expectRefused(await assertion(region.server, { header, key: privateKey }));
      expect(requests()).to.equal(0);
    } finally {
      await close();
    }
  });

  it('B07 refuses exp in the past, missing, no number, or more than 5 minutes ahead', async () => {
    for (const exp of [now() - 60, undefined, 'soon', now() + 360])
      await expectRefused(await assertion(region.server, { claims: { exp } }));
  });

  it('B08 refuses another audience', async () => {
    for (const aud of ['https://other.example/auth/token', `${region.server.url}/fhir`, undefined, []])
      await expectRefused(await assertion(region.server, { claims: { aud } }));
  });

  it('B09 refuses an assertion that was used before, and lets one of racing uses through', async () => {
    const used = await assertion(region.server);
    expect((await clientCredentials(region.server, used)).status).to.equal(200);
    await expectRefused(used);
    const raced = await assertion(region.server);
    const statuses = await Promise.all(
      Array.from({ length: 10 }, async () => (await clientCredentials(region.server, raced)).status),
    );
    expect(statuses.filter((status) => status === 200)).to.have.length(1);
  });

  it('B10 refuses iss that differs from sub, and a client that nobody knows', async () => {
    for (const claims of [
      { iss: 'demo-radiology-centre' },
      { sub: 'demo-radiology-centre' },
      { iss: 'nobody', sub: 'nobody' },
    ])
      await expectRefused(await assertion(region.server, { claims }));
  });

  it('B11 refuses RS256 and ES256: RS384 and ES384 alone are registered', async () => {
    for (const alg of ['RS256', 'ES256']) {
      const { privateKey } = await generateKeyPair(alg);
      await expectRefused(await assertion(region.server, { header: { alg }, key: privateKey }));
    }
  });

  const aReport = async (): Promise<object> =>
    await buildReportBundle(aStudy({ key: 'assertions/report', patient: PATIENTS.gaetan }), reportTextOf('mr-head'));

  it('B13 refuses a token of a portal where an establishment writes: one audience, so by scope and role', async () => {
    const bundle = await aReport();
    for (const caller of [region.patient, region.declared, region.stranger]) {
      expectOutcome(await fhirCaller(region.server.url, caller.token).send('POST', '', bundle), 403, 'forbidden');
      const headers = {
        authorization: `Bearer ${caller.token}`,
        'content-type': 'multipart/related; type="application/dicom"; boundary=b',
      };
      expect(
        (
          await fetch(`${region.server.url}/dicom-web/studies`, {
            method: 'POST',
            headers,
            body: '--b\r\n\r\nx\r\n--b--',
          })
        ).status,
      ).to.equal(403);
    }
  });

  it('B15 refuses a crit header that it does not know', async () => {
    await expectRefused(await forged({ alg: 'ES384', typ: 'JWT', crit: ['x'], x: 1 }, 'A'.repeat(128)));
  });

  it('B17 refuses the signature of zeros', async () => {
    const { kid } = await demonstrationKey(BACKEND);
    await expectRefused(await forged({ alg: 'ES384', typ: 'JWT', kid }, Buffer.alloc(96).toString('base64url')));
  });

  it('B18 refuses encrypted and compressed tokens', async () => {
    const header = { alg: 'dir', enc: 'A256GCM', zip: 'DEF' };
    await expectRefused(await forged(header, 'AAAA'));
    await expectRefused(await forged({ ...header, alg: 'ES384' }, 'A'.repeat(128)));
    // Five parts are no signed token at all.
    await expectRefused(`${encode(header)}..AAAA.${'A'.repeat(4_000)}.AAAA`, [400, 'invalid_request']);
  });

  it('B20 answers a scope that does not reach with 403 insufficient_scope', async () => {
    const bundle = await aReport();
    const reader = fhirCaller(
      region.server.url,
      await clientToken({ url: region.server.url, client: BACKEND, scope: 'system/Patient.rs' }),
    );
    expect((await reader.get('Patient')).status).to.equal(200);
    for (const answer of [await reader.get('ImagingStudy'), await reader.send('POST', '', bundle)]) {
      expectOutcome(answer, 403, 'forbidden');
      expect(answer.headers.get('www-authenticate')).to.match(/^Bearer error="insufficient_scope"/);
    }
  });

  it('holds nothing of any of it, and what was accepted stands', async () => {
    await expectWhole(region);
    await expectNothingLeft(region.server, atFirst);
    expect(residentMegabytes(region.server) - memory).to.be.lessThan(100);
  });
});

/** An address that would serve keys, and counts who asks. */
async function listenForKeys(
  keys: string,
): Promise<{ url: string; requests: () => number; close: () => Promise<void> }> {
  let count = 0;
  const server: Server = createServer((_, response) => {
    count += 1;
    response.setHeader('content-type', 'application/json').end(keys);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, requests: () => count, close };
}
