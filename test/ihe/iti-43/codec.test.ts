import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { ACTION, RESPONSE_STATUS } from '../../../ihe/codes.ts';
import { toHomeCommunityId } from '../../../ihe/ebxml/home-community-id.ts';
import { parseRetrieveDocumentSetRequest } from '../../../ihe/iti-43/request.ts';
import { formatRetrieveDocumentSetResponse } from '../../../ihe/iti-43/response.ts';
import { toRegistryError } from '../../../ihe/ebxml/registry-error.ts';
import { formatEnvelope } from '../../../ihe/soap/envelope.ts';
import { openSoapMessage, withSoapRequest } from '../../../ihe/soap/message.ts';
import { formatMtom, formatMtomContentType } from '../../../ihe/soap/mtom.ts';
import { contentIdOf } from '../../../ihe/soap/xop.ts';
import { attributeOf, selectElements } from '../../../ihe/xml/select.ts';
import { withXml } from '../../../ihe/xml/parse.ts';
import { Fault } from '../../../profiles/fault.ts';
import {
  hasSchemas,
  readBody,
  readSample,
  retrieveDocumentSet,
  schemaErrors,
  SOAP_TYPE,
} from '../../support/clients/xds.ts';

function refusal(run: () => unknown): Fault {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    return error as Fault;
  }
  throw new Error('The request was accepted');
}

function parse(documents: readonly (readonly [string, string])[]): ReturnType<typeof parseRetrieveDocumentSetRequest> {
  return readBody(retrieveDocumentSet(documents), parseRetrieveDocumentSetRequest);
}

const documents = [
  { repositoryUniqueId: '2.25.2', documentUniqueId: '2.25.10', mimeType: 'application/dicom', contentId: '0@x' },
  {
    repositoryUniqueId: '2.25.2',
    documentUniqueId: '1.2.3^A&B',
    homeCommunityId: 'urn:oid:2.25.3',
    mimeType: 'application/pdf',
    contentId: '1@x',
  },
];
const error = toRegistryError(new Fault('not-found', 'No such document'), 'repository', '2.25.11');

function envelopeOf(...parameters: Parameters<typeof formatRetrieveDocumentSetResponse>): string {
  const body = formatRetrieveDocumentSetResponse(...parameters);
  return formatEnvelope({ action: ACTION.retrieveDocumentSetResponse, relatesTo: 'urn:uuid:1', body });
}

describe('ITI-43 request (ITI TF-2 3.43.4.1)', () => {
  it('reads each document in order', () => {
    expect(
      parse([
        ['2.25.2', '2.25.10'],
        [' 2.25.2 ', '1.2^x'],
      ]),
    ).to.deep.equal([
      { repositoryUniqueId: '2.25.2', documentUniqueId: '2.25.10' },
      { repositoryUniqueId: '2.25.2', documentUniqueId: '1.2^x' },
    ]);
  });

  it('refuses no document, an empty identifier, and more than 1,000 documents', () => {
    expect(refusal(() => parse([])).kind).to.equal('required');
    expect(refusal(() => parse([['', '2.25.10']])).protocolCode).to.equal('XDSUnknownRepositoryId');
    expect(refusal(() => parse([['2.25.2', '']])).protocolCode).to.equal('XDSDocumentUniqueIdError');
    const many = (count: number) => Array.from({ length: count }, () => ['2.25.2', '2.25.10'] as const);
    expect(parse(many(1000))).to.have.length(1000);
    expect(refusal(() => parse(many(1001))).kind).to.equal('too-costly');
  });

  it('reads the published request', function () {
    const sample = readSample('epr-by-example/soap/ITI-43_request_raw.xml');
    if (sample === undefined) return this.skip();
    const [document, ...others] = withSoapRequest(SOAP_TYPE, sample, ({ action, assertion, body }) => {
      expect(action).to.equal(ACTION.retrieveDocumentSet);
      expect(assertion?.attr('ID')?.value).to.equal('_5316abb1-becd-4b5e-bcd0-591f4978247a');
      return parseRetrieveDocumentSetRequest(body);
    });
    expect(others).to.deep.equal([]);
    expect(document?.homeCommunityId).to.match(/^urn:oid:/);
  });

  it('reads a home in capitals as the same (RFC 8141 section 3.1)', () => {
    expect(toHomeCommunityId('URN:OID:2.25.3')).to.equal('urn:oid:2.25.3');
  });

  it('reads a published request whose home has no urn:oid:', function () {
    const sample = readSample('xca-document-source/SoapRequests/iti43-iti40-request.xml');
    if (sample === undefined) return this.skip();
    const [first] = withSoapRequest(SOAP_TYPE, sample, ({ body }) => parseRetrieveDocumentSetRequest(body));
    expect(first?.homeCommunityId).to.match(/^urn:oid:2\.16\.578\./);
  });

  it('refuses a published multipart whose bytes are not the UTF-8 it says, and reads it repaired', function () {
    const sample = readSample('xca-document-source/IntegrationTests/IT_iti-39_request-multipart.txt');
    if (sample === undefined) return this.skip();
    const type =
      'multipart/related; type="application/xop+xml"; start-info="application/soap+xml"; ' +
      'start="<0.dab1d70f258a850f06f926ab5645aaa9111f017d951cfe8d@apache.org>"; ' +
      'boundary="MIMEBoundary_cab1d70f258a850f06f926ab5645aaa9111f017d951cfe8d"';
    const read = (bytes: Buffer) => withSoapRequest(type, bytes, ({ action, assertion }) => [action, assertion?.name]);
    expect(refusal(() => read(sample)).kind).to.equal('invalid');
    const repaired = Buffer.from(sample.toString('latin1'), 'utf8');
    expect(read(repaired)).to.deep.equal(['urn:ihe:iti:2007:CrossGatewayRetrieve', 'Assertion']);
  });
});

describe('ITI-43 answer (ITI TF-2 3.43.4.2)', () => {
  const statusOf = (...parameters: Parameters<typeof formatRetrieveDocumentSetResponse>) =>
    withXml(Buffer.from(envelopeOf(...parameters)), (document) =>
      attributeOf(selectElements(document, '//rs:RegistryResponse')[0] ?? document.root, 'status'),
    );

  it('is Success, PartialSuccess or Failure by what it holds', () => {
    expect(statusOf(documents)).to.equal(RESPONSE_STATUS.success);
    expect(statusOf(documents, [error])).to.equal(RESPONSE_STATUS.partialSuccess);
    expect(statusOf([], [error])).to.equal(RESPONSE_STATUS.failure);
  });

  it('is valid against the schemas, in every form', function () {
    if (!hasSchemas()) this.skip();
    expect(schemaErrors(envelopeOf(documents))).to.equal('');
    expect(schemaErrors(envelopeOf(documents, [error]))).to.equal('');
    expect(schemaErrors(envelopeOf([], [error]))).to.equal('');
  });

  it('names the failed document as location of its error', () => {
    expect(envelopeOf([], [error]))
      .to.contain('errorCode="XDSDocumentUniqueIdError"')
      .and.contain('location="2.25.11"');
  });

  it('leads from each document to its part of the MTOM package', async () => {
    const ids = { boundary: 'MIMEBoundary_00112233445566778899aabbccddeeff', rootContentId: 'root@x' };
    const parts = documents.map(({ contentId, mimeType, documentUniqueId }) => ({
      contentId,
      contentType: mimeType,
      stream: async function* () {
        yield Buffer.from(documentUniqueId);
      },
    }));
    const body = await buffer(formatMtom(ids, envelopeOf(documents), parts));
    const message = openSoapMessage(formatMtomContentType(ids, ACTION.retrieveDocumentSetResponse), body);
    const found = withXml(message.envelope, (document) =>
      selectElements(document, '//xdsb:DocumentResponse').map((response) => [
        selectElements(response, 'xdsb:DocumentUniqueId')[0]?.content,
        message.parts.get(contentIdOf(selectElements(response, './/xop:Include')[0]?.attr('href')?.value))?.toString(),
      ]),
    );
    expect(found).to.deep.equal([
      ['2.25.10', '2.25.10'],
      ['1.2.3^A&B', '1.2.3^A&B'],
    ]);
  });
});
