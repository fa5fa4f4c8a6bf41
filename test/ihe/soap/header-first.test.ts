import { expect } from 'chai';
import { ACTION, NAMESPACE } from '../../../ihe/codes.ts';
import { requestOfHeader } from '../../../ihe/soap/header-first.ts';
import { withSoapRequest } from '../../../ihe/soap/message.ts';
import { formatMtom, formatMtomContentType } from '../../../ihe/soap/mtom.ts';
import { soapRequest, SOAP_TYPE } from '../../support/clients/xds.ts';

const HEADER = '<x xmlns="urn:x">é</x>';

type Read = { readonly action: string; readonly messageID: string | undefined; readonly body: string };

/** What is read of a request that is cut at so many bytes. */
function readBeginning(type: string, bytes: Buffer, length: number): Read | undefined {
  const request = requestOfHeader(type, bytes.subarray(0, length));
  if (request === undefined) return undefined;
  return withSoapRequest(type, request, ({ action, messageID, body }) => ({ action, messageID, body: body.name }));
}

describe('A SOAP request cut behind its header', () => {
  const messageID = 'urn:uuid:6d0a4d5e-3a5c-4f0e-9c64-0d8f8a6a7a01';
  const read = { action: ACTION.retrieveDocumentSet, messageID, body: 'nothing' };
  const whole = soapRequest(ACTION.retrieveDocumentSet, `<a>${'<b/>'.repeat(100)}</a>`, HEADER);
  const end = whole.indexOf('</s:Header>') + '</s:Header>'.length;

  it('says what the header says, wherever behind it the cut is', () => {
    for (const length of [end, end + 1, end + 40, whole.length]) {
      expect(readBeginning(SOAP_TYPE, whole, length)).to.deep.equal(read);
    }
  });

  it('is none before the header ends, and of what is no SOAP', () => {
    for (const length of [0, 20, end - 1]) expect(readBeginning(SOAP_TYPE, whole, length)).to.equal(undefined);
    expect(requestOfHeader(SOAP_TYPE, Buffer.from('<a></s:Header>'))).to.equal(undefined);
    expect(requestOfHeader(SOAP_TYPE, Buffer.from('<s:Envelopes></s:Header>'))).to.equal(undefined);
  });

  it('takes any prefix, none as well, and blanks in the end tag', () => {
    for (const prefix of ['soap-env.1', 'S', '']) {
      const [tag, xmlns] = prefix === '' ? ['', 'xmlns'] : [`${prefix}:`, `xmlns:${prefix}`];
      const action = `<Action xmlns="${NAMESPACE.wsa}">${ACTION.retrieveDocumentSet}</Action>`;
      const header = `<${tag}Header>${action}</${tag}Header \n>`;
      const beginning = Buffer.from(`<${tag}Envelope ${xmlns}="${NAMESPACE.env}">${header}<${tag}Bo`);
      expect(readBeginning(SOAP_TYPE, beginning, beginning.length)).to.deep.equal({ ...read, messageID: undefined });
    }
  });

  it('is a package again when it came as one (MTOM)', async () => {
    const identifiers = { boundary: 'b+1', rootContentId: 'root@x' };
    const chunks: Uint8Array[] = [];
    for await (const chunk of formatMtom(identifiers, whole.toString(), [])) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const length = bytes.indexOf('</s:Header>') + 60;
    const type = formatMtomContentType(identifiers, ACTION.retrieveDocumentSet);
    expect(readBeginning(type, bytes, length)).to.deep.equal(read);
  });

  it('is found in the text: a cut in a comment is not well formed', () => {
    const hidden = soapRequest(ACTION.retrieveDocumentSet, '<a/>', '<!-- </s:Header> -->');
    expect(() => readBeginning(SOAP_TYPE, hidden, hidden.length)).to.throw('not well formed');
  });
});
