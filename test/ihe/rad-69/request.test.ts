import { expect } from 'chai';
import { ACTION } from '../../../ihe/codes.ts';
import { parseRetrieveImagingDocumentSetRequest } from '../../../ihe/rad-69/request.ts';
import { concernsSoap } from '../../../ihe/soap/fault.ts';
import { withSoapRequest } from '../../../ihe/soap/message.ts';
import { Fault } from '../../../profiles/fault.ts';
import {
  hasSchemas,
  readBody,
  readSample,
  retrieveDocumentSet,
  retrieveImagingDocumentSet,
  schemaErrors,
  SOAP_TYPE,
  soapRequest,
} from '../../support/clients/xds.ts';

function refusal(body: string): Fault {
  try {
    readBody(body, parseRetrieveImagingDocumentSetRequest);
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    return error as Fault;
  }
  throw new Error('The request was accepted');
}

describe('RAD-69 request (RAD TF-2 4.69.4)', () => {
  it('reads the instance with its series, study and transfer syntax', () => {
    const body = retrieveImagingDocumentSet('2.25.11', '2.25.12', '1.2.840.10008.1.2.1');
    expect(readBody(body, parseRetrieveImagingDocumentSetRequest)).to.deep.equal({
      documents: [
        {
          studyInstanceUID: '2.25.11',
          seriesInstanceUID: '2.25.12',
          repositoryUniqueId: '2.25.2',
          documentUniqueId: '2.25.13',
        },
      ],
      transferSyntaxUIDs: ['1.2.840.10008.1.2.1'],
    });
  });

  it('reads several instances and syntaxes in order', function () {
    const sample = readSample('xsd/examples/rad-69-request.xml');
    if (sample === undefined) return this.skip();
    const request = withSoapRequest(SOAP_TYPE, sample, ({ action, body }) => {
      expect(action).to.equal(ACTION.retrieveImagingDocumentSet);
      return parseRetrieveImagingDocumentSetRequest(body);
    });
    expect(request.transferSyntaxUIDs).to.deep.equal(['1.2.840.10008.1.2.1', '1.2.840.10008.1.2.4.70']);
    expect(
      request.documents.map(({ documentUniqueId, homeCommunityId }) => [documentUniqueId.at(-1), homeCommunityId]),
    ).to.deep.equal([
      ['3', 'urn:oid:2.25.300000000000000000000000000000000000001'],
      ['4', undefined],
    ]);
  });

  it('answers XDSIRequestError for an empty study or series UID, which the schema lets pass', function () {
    for (const [study, series] of [
      ['', '2.25.12'],
      ['2.25.11', ''],
      [' ', ' '],
    ] as const) {
      const body = retrieveImagingDocumentSet(study, series, '1.2.840.10008.1.2.1');
      expect(refusal(body).protocolCode).to.equal('XDSIRequestError');
      if (hasSchemas()) expect(schemaErrors(soapRequest('urn:a', body).toString())).to.equal('');
    }
  });

  it('answers XDSIRequestError for a request without an instance', () => {
    const body = retrieveImagingDocumentSet('2.25.11', '2.25.12', '1.2').replace(
      /<x:DocumentRequest>.*<\/x:DocumentRequest>/,
      '',
    );
    expect(refusal(body).protocolCode).to.equal('XDSIRequestError');
  });

  it('answers XDSRepositoryError for an empty transfer syntax or none', () => {
    const empty = retrieveImagingDocumentSet('2.25.11', '2.25.12', '');
    expect(refusal(empty).protocolCode).to.equal('XDSRepositoryError');
    const none = empty.replace(/<i:TransferSyntaxUIDList>.*<\/i:TransferSyntaxUIDList>/, '');
    expect(refusal(none).protocolCode).to.equal('XDSRepositoryError');
  });

  it('refuses more than 10,000 instances', () => {
    const one = retrieveImagingDocumentSet('2.25.11', '2.25.12', '1.2');
    const many = one.replace(/<x:DocumentRequest>.*<\/x:DocumentRequest>/, (found) => found.repeat(10_001));
    expect(refusal(many).kind).to.equal('too-costly');
  });

  it('refuses another body than the action announces, by a SOAP fault', () => {
    expect(concernsSoap(refusal(retrieveDocumentSet([['a', 'b']])))).to.equal(true);
  });
});
