import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { signAssertion, writeAssertion } from '../../../../fixtures/saml-issuer.ts';
import { formatMtom } from '../../../../ihe/soap/mtom.ts';
import { ACTION, AVAILABILITY_STATUS } from '../../../../ihe/codes.ts';
import { CONTENT, issuerKey } from '../../../ihe/saml/support.ts';
import { NOW } from '../../../support/plans.ts';
import { adhocQuery, soapRequest } from '../../../support/clients/xds.ts';
import { openClinic, PATIENT_DOMAIN, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { MESSAGE_ID, securityHeader, select, send, serveXds, statusOf, type XdsAnswer } from './door.ts';

const QUERY = adhocQuery([
  ['$XDSDocumentEntryPatientId', `'pat-1^^^&${PATIENT_DOMAIN}&ISO'`],
  ['$XDSDocumentEntryStatus', `('${AVAILABILITY_STATUS.approved}')`],
]);

describe('SOAP 1.2 doors of XDS: faults, MTOM, tokens and assertions', () => {
  let clinic: Clinic;
  let door: ServedRouter;

  before(async () => {
    clinic = await openClinic();
    door = await serveXds(clinic);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  function faultOf({ response, envelope }: XdsAnswer): [status: number, ...codes: string[]] {
    return [response.status, ...select(envelope, '//env:Code/env:Value | //env:Subcode/env:Value')];
  }

  it('takes a request that comes as MTOM', async () => {
    const bytes: Uint8Array[] = [];
    for await (const chunk of formatMtom(
      { boundary: 'b', rootContentId: 'r@x' },
      soapRequest(ACTION.registryStoredQuery, QUERY).toString(),
      [],
    ))
      bytes.push(chunk);
    const contentType =
      'multipart/related; type="application/xop+xml"; start="<r@x>"; start-info="application/soap+xml"; boundary="b"';
    const answer = await send(door, 'registry', '', { token: 'lambert', contentType, bytes: Buffer.concat(bytes) });
    expect([answer.response.status, statusOf(answer)]).to.deep.equal([200, 'Success']);
  });

  it('takes a verified assertion instead of a token (ITI-40)', async () => {
    const answer = await send(door, 'registry', QUERY, { header: securityHeader() });
    expect(statusOf(answer), answer.envelope).to.equal('Success');
    expect(select(answer.envelope, '//rim:ExtrinsicObject')).to.have.length(2);
    const [event] = await clinic.events(clinic.anne, 'ITI-18');
    expect(event?.agent.some(({ who }) => who?.reference === 'Practitioner/lambert')).to.equal(true);
  });

  it('answers a SOAP fault to a caller who is nobody, two persons or not who he says', async () => {
    const failed = ['env:Sender', 'wsse:FailedAuthentication'];
    const altered = securityHeader({}, (assertion) => assertion.replace('practitioner-0042', 'practitioner-0043'));
    const late = securityHeader({ notOnOrAfter: new Date(0) });
    expect(faultOf(await send(door, 'registry', QUERY, {}))).to.deep.equal([400, ...failed]);
    expect(faultOf(await send(door, 'registry', QUERY, { token: 'lambert', header: securityHeader() }))).to.deep.equal([
      401,
      ...failed,
    ]);
    expect(faultOf(await send(door, 'registry', QUERY, { header: altered }))).to.deep.equal([400, ...failed]);
    expect(faultOf(await send(door, 'registry', QUERY, { header: late }))).to.deep.equal([400, ...failed]);
    expect(
      faultOf(await send(door, 'registry', QUERY, { header: securityHeader({ nameId: 'somebody' }) })),
    ).to.deep.equal([400, ...failed]);
    const unknown = await send(door, 'registry', QUERY, { token: 'unknown' });
    expect(faultOf(unknown)).to.deep.equal([401, ...failed]);
    expect(unknown.response.headers.get('WWW-Authenticate')).to.equal('Bearer error="invalid_token"');
    expect(select(unknown.envelope, '//wsa:RelatesTo')).to.deep.equal([MESSAGE_ID]);
  });

  it('takes an assertion of one use once (SAML 2.0 core 2.5.1.5)', async () => {
    const content = {
      ...CONTENT,
      id: '_once',
      notBefore: new Date(NOW - 60_000),
      notOnOrAfter: new Date(NOW + 60_000),
    };
    const xml = writeAssertion(content).replace('</saml:Conditions>', '<saml:OneTimeUse/></saml:Conditions>');
    const header = securityHeader({}, () => signAssertion(xml, issuerKey));
    expect(statusOf(await send(door, 'registry', QUERY, { header }))).to.equal('Success');
    expect(faultOf(await send(door, 'registry', QUERY, { header }))).to.deep.equal([
      400,
      'env:Sender',
      'wsse:FailedAuthentication',
    ]);
  });

  it('tells a caller who is not known nothing of his query', async () => {
    const answer = await send(door, 'registry', adhocQuery([]), {});
    expect(faultOf(answer)).to.deep.equal([400, 'env:Sender', 'wsse:FailedAuthentication']);
  });

  it('answers a SOAP fault to what is no request of the address', async () => {
    const as = { token: 'lambert' };
    const action = await send(door, 'registry', QUERY, { ...as, action: ACTION.retrieveDocumentSet });
    expect(faultOf(action)).to.deep.equal([400, 'env:Sender', 'wsa:ActionNotSupported']);
    const other = await send(door, 'repository', QUERY);
    expect(faultOf(other)).to.deep.equal([400, 'env:Sender', 'wsa:InvalidAddressingHeader']);
    for (const bytes of [
      Buffer.from('<a'),
      Buffer.from(''),
      Buffer.from('<!DOCTYPE a><a/>'),
      Buffer.from([0xff, 0xfe]),
    ]) {
      expect(faultOf(await send(door, 'registry', '', { ...as, bytes }))).to.deep.equal([400, 'env:Sender']);
    }
    const json = await send(door, 'registry', '', { ...as, bytes: Buffer.from('{}'), contentType: 'application/json' });
    expect(faultOf(json)).to.deep.equal([400, 'env:Sender']);
    expect((await fetch(`${door.origin}/xds/registry`)).status).to.equal(405);
  });

  it('refuses a body that is too large, announced or not', async () => {
    const announced = await send(door, 'registry', '', { token: 'lambert', bytes: Buffer.alloc(200_000, 0x20) });
    expect(faultOf(announced)).to.deep.equal([413, 'env:Sender']);
    const headers = { 'Content-Type': 'application/soap+xml', Authorization: 'Bearer lambert' };
    const endless = httpRequest(`${door.origin}/xds/registry`, { method: 'POST', headers });
    endless.write(Buffer.alloc(150_000, 0x20));
    const [response] = (await once(endless, 'response')) as [IncomingMessage];
    endless.destroy();
    expect(response.statusCode).to.equal(413);
    const packed = await fetch(`${door.origin}/xds/registry`, {
      method: 'POST',
      headers: { ...headers, 'Content-Encoding': 'gzip' },
      body: 'x',
    });
    expect(packed.status).to.equal(400);
    expect(door.errors).to.deep.equal([]);
  });
});
