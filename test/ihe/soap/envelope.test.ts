import { expect } from 'chai';
import { ACTION, NAMESPACE } from '../../../ihe/codes.ts';
import { formatEnvelope } from '../../../ihe/soap/envelope.ts';
import { concernsSoap, formatSoapFault, SOAP_FAULT_OF_FAULT } from '../../../ihe/soap/fault.ts';
import { withSoapRequest } from '../../../ihe/soap/message.ts';
import { withXml } from '../../../ihe/xml/parse.ts';
import { Fault, FAULT_KINDS } from '../../../profiles/fault.ts';
import { hasSchemas, schemaErrors, SOAP_TYPE, soapRequest } from '../../support/clients/xds.ts';

const ASSERTION = `<saml:Assertion xmlns:saml="${NAMESPACE.saml}" ID="_1"/>`;

function security(content: string): string {
  return `<w:Security xmlns:w="${NAMESPACE.wsse}" s:mustUnderstand="1">${content}</w:Security>`;
}

function faultOf(request: Buffer | string, contentType = SOAP_TYPE): Fault {
  try {
    withSoapRequest(contentType, Buffer.from(request), () => undefined);
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    return error as Fault;
  }
  throw new Error('The request was accepted');
}

describe('SOAP 1.2 request envelope (WS-Addressing 1.0)', () => {
  it('reads action, message id, body and the one assertion', () => {
    const request = soapRequest('urn:a', '<x xmlns="urn:b"/>', security(ASSERTION));
    const seen = withSoapRequest(SOAP_TYPE, request, ({ action, messageID, assertion, body }) => ({
      action,
      messageID,
      assertion: assertion?.attr('ID')?.value,
      body: body.namespaceUri,
    }));
    expect(seen).to.deep.equal({
      action: 'urn:a',
      messageID: 'urn:uuid:6d0a4d5e-3a5c-4f0e-9c64-0d8f8a6a7a01',
      assertion: '_1',
      body: 'urn:b',
    });
  });

  it('does not require an assertion', () => {
    const seen = withSoapRequest(SOAP_TYPE, soapRequest('urn:a', '<x/>'), (envelope) => 'assertion' in envelope);
    expect(seen).to.equal(false);
  });

  it('refuses two assertions, in one security header or in two', () => {
    for (const header of [security(ASSERTION + ASSERTION), security(ASSERTION) + security(ASSERTION)]) {
      expect(faultOf(soapRequest('urn:a', '<x/>', header)).protocolCode).to.equal('wsse:InvalidSecurity');
    }
  });

  it('does not take an assertion from elsewhere in the header', () => {
    const request = soapRequest('urn:a', '<x/>', `<y>${ASSERTION}</y>`);
    expect(withSoapRequest(SOAP_TYPE, request, ({ assertion }) => assertion)).to.equal(undefined);
  });

  it('answers MustUnderstand for an unknown header that insists, by 1 or true in any prefix', () => {
    for (const value of ['1', 'true']) {
      const header = `<y xmlns:z="${NAMESPACE.env}" z:mustUnderstand="${value}"/>`;
      expect(faultOf(soapRequest('urn:a', '<x/>', header)).protocolCode).to.equal('env:MustUnderstand');
    }
    const lax = soapRequest('urn:a', '<x/>', '<y s:mustUnderstand="0"/><y mustUnderstand="1"/>');
    expect(withSoapRequest(SOAP_TYPE, lax, ({ action }) => action)).to.equal('urn:a');
  });

  it('answers VersionMismatch for SOAP 1.1', () => {
    const fault = faultOf(`<s:Envelope xmlns:s="${NAMESPACE.soap11}"><s:Body><x/></s:Body></s:Envelope>`);
    expect(fault.protocolCode).to.equal('env:VersionMismatch');
  });

  it('refuses no action, two actions, an empty body and a body of two elements', () => {
    const noAction = `<s:Envelope xmlns:s="${NAMESPACE.env}"><s:Body><x/></s:Body></s:Envelope>`;
    expect(faultOf(noAction).protocolCode).to.equal('wsa:MessageAddressingHeaderRequired');
    expect(faultOf(soapRequest('urn:a', '<x/>', '<a:Action>urn:b</a:Action>')).protocolCode).to.equal(
      'wsa:InvalidAddressingHeader',
    );
    expect(faultOf(soapRequest('urn:a', '')).kind).to.equal('invalid');
    expect(faultOf(soapRequest('urn:a', '<x/><x/>')).kind).to.equal('invalid');
  });

  it('refuses an HTTP action that contradicts wsa:Action', () => {
    const fault = faultOf(soapRequest('urn:a', '<x/>'), `${SOAP_TYPE}; action="urn:b"`);
    expect(fault.protocolCode).to.equal('wsa:InvalidAddressingHeader');
  });

  it('refuses another media type or character set', () => {
    expect(faultOf(soapRequest('urn:a', '<x/>'), 'text/xml').kind).to.equal('not-supported');
    expect(faultOf(soapRequest('urn:a', '<x/>'), 'application/soap+xml; charset=utf-16').kind).to.equal(
      'not-supported',
    );
  });

  it('marks what is refused before the body is read as a matter of SOAP, and leaves the rest', () => {
    expect(concernsSoap(faultOf('<broken'))).to.equal(true);
    expect(concernsSoap(faultOf(`<!DOCTYPE a><a/>`))).to.equal(true);
    const own = new Fault('not-found', 'No such document');
    const request = () =>
      withSoapRequest(SOAP_TYPE, soapRequest('urn:a', '<x/>'), () => {
        throw own;
      });
    expect(request).to.throw(own);
    expect(concernsSoap(own)).to.equal(false);
    expect(concernsSoap(new Fault('login', 'The assertion is expired'))).to.equal(true);
  });
});

describe('SOAP 1.2 answer envelope', () => {
  it('relates to the request and is valid', function () {
    if (!hasSchemas()) this.skip();
    const xml = formatEnvelope({ action: 'urn:a', relatesTo: 'urn:uuid:1&2', body: '<x xmlns="urn:b"/>' });
    expect(schemaErrors(xml)).to.equal('');
    const relatesTo = withXml(
      Buffer.from(xml),
      (document) => document.get('//w:RelatesTo', { w: NAMESPACE.wsa })?.content,
    );
    expect(relatesTo).to.equal('urn:uuid:1&2');
  });

  it('formats a valid fault for every kind', function () {
    if (!hasSchemas()) this.skip();
    for (const kind of FAULT_KINDS) {
      const { status, envelope } = formatSoapFault(new Fault(kind, 'Message & more <here>'), 'urn:uuid:1');
      expect(schemaErrors(envelope), kind).to.equal('');
      expect(status).to.equal(SOAP_FAULT_OF_FAULT[kind].code === 'env:Sender' ? 400 : 500);
    }
  });

  it('answers a failed login as env:Sender wsse:FailedAuthentication', () => {
    const { status, envelope } = formatSoapFault(new Fault('login', 'The assertion is expired'));
    expect(status).to.equal(400);
    expect(envelope).to.contain('<env:Value>env:Sender</env:Value><env:Subcode><env:Value>wsse:FailedAuthentication<');
    expect(envelope).to.contain(ACTION.soapFault);
  });

  it('takes code and subcode from the protocolCode, and ignores codes of other protocols', () => {
    const withCode = (protocolCode: string) => formatSoapFault(new Fault('not-supported', 'No', { protocolCode }));
    expect(withCode('env:MustUnderstand')).to.have.property('status', 500);
    expect(withCode('env:MustUnderstand').envelope).to.contain('<env:Value>env:MustUnderstand</env:Value></env:Code>');
    expect(withCode('wsa:ActionNotSupported').envelope)
      .to.contain('<env:Value>wsa:ActionNotSupported</env:Value>')
      .and.contain(ACTION.addressingFault);
    expect(withCode('XDSUnknownStoredQuery').envelope).not.to.contain('XDSUnknownStoredQuery');
    expect(withCode('env:<x/>').envelope).not.to.contain('<x/>');
  });
});
