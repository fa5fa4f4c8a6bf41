import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { signAssertion, writeAssertion } from '../../../../fixtures/saml-issuer.ts';
import { formatMtom, formatMtomContentType } from '../../../../ihe/soap/mtom.ts';
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
    // Its message was not read, so the answer does not know what it relates to.
    expect(select(unknown.envelope, '//wsa:RelatesTo')).to.deep.equal([]);
    expect(select((await send(door, 'registry', QUERY, {})).envelope, '//wsa:RelatesTo')).to.deep.equal([MESSAGE_ID]);
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

  describe('a large message without a token', () => {
    const CLASS_CODE = "('31^^1.2.250.1.213.1.1.4.1')";
    const others = Array.from({ length: 900 }, (_, at) => `('NOT-USED-${at}^^${'1.'.repeat(20)}1')`);
    /** A query of 900 values, some 80 KB. */
    const LARGE = adhocQuery([
      ['$XDSDocumentEntryPatientId', `'pat-1^^^&${PATIENT_DOMAIN}&ISO'`],
      ['$XDSDocumentEntryStatus', `('${AVAILABILITY_STATUS.approved}')`],
      ['$XDSDocumentEntryClassCode', ...others, CLASS_CODE],
    ]);
    const nobody = [400, 'env:Sender', 'wsse:FailedAuthentication'];
    let wide: ServedRouter;
    before(async () => {
      wide = await serveXds(clinic, 1_000_000);
    });
    after(async () => await wide.close());

    it('is read once the assertion of its header holds', async () => {
      const answer = await send(wide, 'registry', LARGE, { header: securityHeader() });
      expect(LARGE.length).to.be.greaterThan(2 ** 16);
      expect(statusOf(answer), answer.envelope).to.equal('Success');
      expect(select(answer.envelope, '//rim:ExtrinsicObject')).to.have.length(2);
      const bytes: Uint8Array[] = [];
      const identifiers = { boundary: 'b', rootContentId: 'r@x' };
      const message = soapRequest(ACTION.registryStoredQuery, LARGE, securityHeader()).toString();
      for await (const chunk of formatMtom(identifiers, message, [])) bytes.push(chunk);
      const contentType = formatMtomContentType(identifiers, ACTION.registryStoredQuery);
      const mtom = await send(wide, 'registry', '', { contentType, bytes: Buffer.concat(bytes) });
      expect(statusOf(mtom)).to.equal('Success');
    });

    it('is refused when it does not, or is not within the beginning', async () => {
      const stranger = securityHeader({ issuer: 'https://other.example' });
      const late = `<far xmlns="urn:x">${'x'.repeat(2 ** 16)}</far>${securityHeader()}`;
      for (const header of ['', stranger, late]) {
        expect(faultOf(await send(wide, 'registry', LARGE, { header }))).to.deep.equal(nobody);
      }
      for (const bytes of [Buffer.alloc(100_000, '<'), Buffer.alloc(100_000, ' ')]) {
        expect(faultOf(await send(wide, 'registry', '', { bytes }))).to.deep.equal(nobody);
      }
      const { envelope } = await send(wide, 'registry', LARGE, { header: late });
      expect(select(envelope, '//env:Text').join()).to.include('must be within the first 65536 bytes');
    });

    it('is believed as a whole: what the header shows first must hold in the message', async () => {
      const first = soapRequest(ACTION.registryStoredQuery, LARGE, securityHeader());
      const other = `<s:Header>${securityHeader({ nameId: 'somebody' })}</s:Header>`;
      const second = Buffer.from(first.toString().replace('<s:Body>', `${other}<s:Body>`));
      expect(faultOf(await send(wide, 'registry', '', { bytes: second }))).to.deep.equal([400, 'env:Sender']);
      const times = { notBefore: new Date(NOW - 60_000), notOnOrAfter: new Date(NOW + 60_000) };
      const single = { ...CONTENT, ...times, id: '_large' };
      const once = writeAssertion(single).replace('</saml:Conditions>', '<saml:OneTimeUse/></saml:Conditions>');
      const header = securityHeader({}, () => signAssertion(once, issuerKey));
      expect(statusOf(await send(wide, 'registry', LARGE, { header }))).to.equal('Success');
      expect(faultOf(await send(wide, 'registry', LARGE, { header }))).to.deep.equal(nobody);
    });
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
    // The sender that went away in the middle is the only thing that there was to log.
    const errors = door.errors.filter((error) => (error as { code?: string }).code !== 'HPE_INVALID_EOF_STATE');
    expect(errors).to.deep.equal([]);
  });
});
