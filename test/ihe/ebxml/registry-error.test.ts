import { expect } from 'chai';
import { ACTION, NAMESPACE, RESPONSE_STATUS } from '../../../ihe/codes.ts';
import { formatRegistryResponse, statusOf, toRegistryError } from '../../../ihe/ebxml/registry-error.ts';
import { formatEnvelope } from '../../../ihe/soap/envelope.ts';
import { selectElements } from '../../../ihe/xml/select.ts';
import { withXml } from '../../../ihe/xml/parse.ts';
import { Fault, FAULT_KINDS } from '../../../profiles/fault.ts';
import { hasSchemas, schemaErrors } from '../../support/clients/xds.ts';

const warning = { errorCode: 'XDSExtraMetadataNotSaved', codeContext: 'Note', severity: 'warning' } as const;
const error = { errorCode: 'XDSRegistryError', codeContext: 'Note', severity: 'error' } as const;

describe('RegistryError (ITI TF-3 4.2.4)', () => {
  it('takes the code of the kind for its actor, and the expression as location', () => {
    const fault = new Fault('not-found', 'No such document', { expression: 'x' });
    expect(toRegistryError(fault, 'repository')).to.deep.equal({
      errorCode: 'XDSDocumentUniqueIdError',
      codeContext: 'No such document',
      severity: 'error',
      location: 'x',
    });
    expect(toRegistryError(fault, 'registry', '2.25.1')).to.include({
      errorCode: 'XDSRegistryError',
      location: '2.25.1',
    });
  });

  it('takes the protocolCode of the Fault, unless it is one of SOAP', () => {
    const codeOf = (protocolCode: string) =>
      toRegistryError(new Fault('required', 'No', { protocolCode }), 'registry').errorCode;
    expect(codeOf('XDSStoredQueryMissingParam')).to.equal('XDSStoredQueryMissingParam');
    expect(codeOf('wsa:InvalidAddressingHeader')).to.equal('XDSRegistryMetadataError');
  });

  it('answers a document that must not be seen as one that does not exist', () => {
    const codeOf = (kind: 'forbidden' | 'not-found' | 'deleted') =>
      toRegistryError(new Fault(kind, 'No such document'), 'repository').errorCode;
    expect(codeOf('forbidden')).to.equal(codeOf('not-found'));
    expect(codeOf('deleted')).to.equal(codeOf('not-found'));
  });

  it('decides the status from errors, warnings and results', () => {
    expect(statusOf([], false)).to.equal(RESPONSE_STATUS.success);
    expect(statusOf([warning], true)).to.equal(RESPONSE_STATUS.success);
    expect(statusOf([warning, error], true)).to.equal(RESPONSE_STATUS.partialSuccess);
    expect(statusOf([error], false)).to.equal(RESPONSE_STATUS.failure);
  });

  it('formats a valid response for every kind and both actors', function () {
    if (!hasSchemas()) this.skip();
    for (const kind of FAULT_KINDS) {
      const fault = new Fault(kind, 'Reason with <, > & "');
      const errors = [toRegistryError(fault, 'registry', 'a "b"'), toRegistryError(fault, 'repository'), warning];
      const body = formatRegistryResponse(RESPONSE_STATUS.failure, errors);
      const xml = formatEnvelope({ action: ACTION.retrieveDocumentSetResponse, body });
      expect(schemaErrors(xml), kind).to.equal('');
      const contexts = withXml(Buffer.from(xml), (document) =>
        selectElements(document, '//rs:RegistryError').map((found) => found.attr('codeContext')?.value),
      );
      expect(contexts).to.deep.equal([fault.message, fault.message, 'Note']);
    }
  });

  it('has no list when there is nothing to list', () => {
    expect(formatRegistryResponse(RESPONSE_STATUS.success)).to.equal(
      `<rs:RegistryResponse xmlns:rs="${NAMESPACE.rs}" status="${RESPONSE_STATUS.success}"></rs:RegistryResponse>`,
    );
  });
});
