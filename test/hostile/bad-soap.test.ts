/** Bad HTTP, JSON, XML and searches: each is refused in its protocol's own terms, and nothing else changes. */

import { expect } from 'chai';
import { ACTION } from '../../ihe/codes.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { adhocQuery, PATIENT_SLOT, soapRequest, SOAP_TYPE, STATUS_SLOT } from '../support/clients/xds.ts';
import { expectDiscreetLog, expectWhole } from './server-state.ts';

const MAX_BODY_BYTES = 1_000_000;
/** What a request names and the log must not. */
const SECRET = 'Wunderlichova-7731';

describe('Bad requests: SOAP', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration({ env: { LOG_LEVEL: 'debug', MAX_BODY_BYTES: String(MAX_BODY_BYTES) } });
  });
  afterEach(async () => {
    await expectWhole(region);
    expectDiscreetLog(region.server, SECRET, region.strasbourg.token);
  });
  after(async () => await region?.server.stop());

  async function soap(
    body: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string }> {
    const authorization = `Bearer ${region.declared.token}`;
    const response = await fetch(`${region.server.url}/xds/registry`, {
      method: 'POST',
      body,
      headers: { authorization, 'content-type': SOAP_TYPE, ...headers },
    });
    return { status: response.status, text: await response.text() };
  }

  const good = soapRequest(ACTION.registryStoredQuery, adhocQuery([PATIENT_SLOT, STATUS_SLOT])).toString();

  it('serves a good query', async () => {
    expect((await soap(good)).status).to.equal(200);
  });

  it('H01 refuses a DOCTYPE, entities and external references with a SOAP fault', async () => {
    const doctypes = [
      '<!DOCTYPE a>',
      '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
      `<!DOCTYPE a [<!ENTITY b "${'c'.repeat(1_000)}">]>`,
      '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">',
    ];
    for (const doctype of doctypes) {
      const { status, text } = await soap(good.replace('?>', `?>${doctype}`).replace('pat-1', '&b;'));
      expect(status, doctype).to.be.oneOf([400, 500]);
      expect(text)
        .to.match(/<[^>]*Fault/)
        .and.not.include('root:');
    }
  });

  it('refuses a body over the limit with 413', async () => {
    expect((await soap(`<a>${'x'.repeat(MAX_BODY_BYTES)}</a>`)).status).to.equal(413);
  });

  it('H02 refuses broken XML, depth, other encodings and other media types', async () => {
    const bodies: [string | Buffer, Record<string, string>?][] = [
      [good.slice(0, -20)],
      [''],
      ['<a>'.repeat(80_000)],
      [good.replace('<s:Body>', '<s:Body><s:Body>')],
      [Buffer.from(good, 'utf16le')],
      [good, { 'content-type': 'text/plain' }],
      [good, { 'content-type': 'multipart/related; type="application/xop+xml"; boundary=b' }],
      [good, { 'content-encoding': 'gzip' }],
      [good.replace(ACTION.registryStoredQuery, 'urn:another')],
    ];
    for (const [body, headers] of bodies) {
      const { status, text } = await soap(body, headers);
      expect(status, text.slice(0, 200)).to.be.oneOf([400, 415, 500]);
      expect(text, text.slice(0, 200)).to.match(/<[^>]*Fault/);
    }
  });
});
