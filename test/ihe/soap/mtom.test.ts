import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { openSoapMessage, withSoapRequest } from '../../../ihe/soap/message.ts';
import { formatMtom, formatMtomContentType } from '../../../ihe/soap/mtom.ts';
import { splitMultipart } from '../../../ihe/soap/multipart.ts';
import { cidUrl, contentIdOf } from '../../../ihe/soap/xop.ts';
import { NAMESPACE } from '../../../ihe/codes.ts';
import { readSample, soapRequest } from '../../support/clients/xds.ts';
import { kindOf } from '../../support/faults.ts';

const ENVELOPE = soapRequest('urn:a', '<x/>').toString();
const ROOT_HEADERS =
  'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\nContent-ID: <root@x>';
const TYPE = 'multipart/related; type="application/xop+xml"; start="<root@x>"; start-info="application/soap+xml"';

function multipart(boundary: string, ...parts: string[]): Buffer {
  return Buffer.from(`${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`);
}

function open(contentType: string, body: Buffer): ReturnType<typeof openSoapMessage> {
  return openSoapMessage(contentType, body);
}

describe('MTOM request (SOAP 1.2 MTOM; RFC 2387)', () => {
  const root = `${ROOT_HEADERS}\r\n\r\n${ENVELOPE}`;
  const part =
    'Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <d@x>\r\n\r\n%PDF\r\n';

  it('separates the envelope from its parts', () => {
    const message = open(`${TYPE}; boundary=b`, multipart('b', root, part));
    expect(message.envelope.toString()).to.equal(ENVELOPE);
    expect(message.parts.get('d@x')?.toString()).to.equal('%PDF\r\n');
    expect(message.isMtom).to.equal(true);
  });

  it('takes the part that start names, wherever it stands', () => {
    const message = open(`${TYPE}; boundary=b`, multipart('b', part, root));
    expect(message.envelope.toString()).to.equal(ENVELOPE);
  });

  it('takes the first part when start is missing', () => {
    const message = open('multipart/related; boundary=b', multipart('b', root, part));
    expect(message.envelope.toString()).to.equal(ENVELOPE);
  });

  const long = 'b'.repeat(256);
  for (const boundary of ['uuid:0ca0e16e-feb1-426c-97d8-c4508ada5e82+id=17', "a'()+_,-./:=?z", 'x y', long]) {
    it(`accepts the boundary ${boundary}, quoted or not`, () => {
      for (const written of [`"${boundary}"`, boundary]) {
        const message = open(`${TYPE}; boundary=${written}; action="urn:a"`, multipart(boundary, root));
        expect(message.envelope.toString()).to.equal(ENVELOPE);
        expect(message.action).to.equal('urn:a');
      }
    });
  }

  it('accepts 8bit, base64, folded headers, bare line feeds, a preamble and an epilogue', () => {
    const folded = 'Content-Type: application/xop+xml;\r\n charset=UTF-8\r\nContent-Transfer-Encoding: 8bit';
    const eight = multipart('b', `${folded}\r\n\r\n${ENVELOPE}`);
    const framed = Buffer.concat([Buffer.from('\r\npreamble\r\n'), eight, Buffer.from('epilogue')]);
    expect(open('multipart/related; boundary=b', framed).envelope.toString()).to.equal(ENVELOPE);
    const base64 = `Content-Transfer-Encoding: base64\r\n\r\n${Buffer.from(ENVELOPE).toString('base64')}`;
    expect(open('multipart/related; boundary=b', multipart('b', base64)).envelope.toString()).to.equal(ENVELOPE);
    const unix = Buffer.from(multipart('b', root, part).toString().replaceAll('\r\n', '\n'));
    expect(open(`${TYPE}; boundary=b`, unix).envelope.toString()).to.equal(ENVELOPE);
  });

  it('does not mistake a longer boundary or one inside a line for its own', () => {
    const tricky = `${ROOT_HEADERS}\r\n\r\n--bc\r\nx--b\r\n--bb--`;
    const message = open(`${TYPE}; boundary=b`, multipart('b', tricky));
    expect(message.envelope.toString()).to.equal('--bc\r\nx--b\r\n--bb--');
  });

  it('refuses a broken package', () => {
    const whole = multipart('b', root, part);
    const cut = whole.subarray(0, whole.length - 8);
    expect(kindOf(() => open(`${TYPE}; boundary=b`, cut))).to.equal('invalid');
    expect(kindOf(() => open(`${TYPE}; boundary=other`, whole))).to.equal('invalid');
    expect(kindOf(() => open(TYPE, whole))).to.equal('required');
    expect(kindOf(() => open(`${TYPE.replace('root@x', 'none@x')}; boundary=b`, whole))).to.equal('invalid');
    expect(kindOf(() => open(`${TYPE}; boundary=b`, multipart('b', 'no blank line')))).to.equal('invalid');
    expect(kindOf(() => open(`${TYPE}; boundary=b`, multipart('b', 'no colon\r\n\r\n')))).to.equal('invalid');
    expect(kindOf(() => open(`${TYPE}; boundary=b`, Buffer.from('--b--\r\n')))).to.equal('invalid');
    expect(kindOf(() => open(`${TYPE}; boundary=b`, Buffer.alloc(0)))).to.equal('invalid');
  });

  it('refuses an envelope in another media type, character set or transfer encoding', () => {
    for (const headers of [
      'Content-Type: text/xml',
      'Content-Type: application/xop+xml; charset=ISO-8859-1',
      'Content-Transfer-Encoding: quoted-printable',
    ]) {
      const body = multipart('b', `${headers}\r\n\r\n${ENVELOPE}`);
      expect(kindOf(() => open('multipart/related; boundary=b', body))).to.equal('not-supported');
    }
  });

  it('caps size, parts and headers', () => {
    const limits = { maxSizeBytes: 1000, maxParts: 2, maxHeaderBytes: 50 };
    expect(kindOf(() => splitMultipart(Buffer.alloc(1001), 'b', limits))).to.equal('too-long');
    expect(kindOf(() => splitMultipart(multipart('b', '\r\n', '\r\n', '\r\n'), 'b', limits))).to.equal('too-costly');
    expect(kindOf(() => splitMultipart(multipart('b', `a: ${'x'.repeat(60)}\r\n\r\n`), 'b', limits))).to.equal(
      'too-costly',
    );
  });

  it('separates the published ITI-41 request, once its log lines are cut off', function () {
    const log = readSample('epr-by-example/soap/ITI-41_request_raw.xml')?.toString();
    if (log === undefined) return this.skip();
    const [, boundary = ''] = /^--(uuid:\S+)\r?$/m.exec(log) ?? [];
    const body = Buffer.from(log.slice(log.indexOf(`--${boundary}`)));
    const message = open(`multipart/related; boundary="${boundary}"`, body);
    const [, href] = /href="(cid:[^"]+)"/.exec(message.envelope.toString()) ?? [];
    expect(href).to.contain('%3A');
    expect(JSON.parse(message.parts.get(contentIdOf(href))?.toString() ?? '')).to.have.property(
      'resourceType',
      'Bundle',
    );
  });

  it('answers any bytes with parts or a Fault', () => {
    const piece = fc.constantFrom('--b', '--', '\r\n', '\n', '\r', 'a: b', ' ', 'x', '--b--');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const kind = kindOf(() => splitMultipart(Buffer.from(pieces.join('')), 'b'));
        expect(['accepted', 'invalid']).to.include(kind);
      }),
      { numRuns: 300 },
    );
  });
});

describe('XOP include in the SOAP header', () => {
  const include = (href: string) => `<xop:Include xmlns:xop="${NAMESPACE.xop}" href="${href}"/>`;
  const message = (href: string, content = 'cert') =>
    multipart(
      'b',
      `${ROOT_HEADERS}\r\n\r\n${soapRequest('urn:a', '<x/>', `<y>${include(href)}</y>`).toString()}`,
      `Content-ID: <1@urn:ihe:iti:xds-b:2007>\r\n\r\n${content}`,
    );
  const headerOf = (body: Buffer) =>
    withSoapRequest(`${TYPE}; boundary=b`, body, (envelope) => envelope.body.doc.get('//y')?.content);

  it('is resolved before the header is read, percent-encoded or not', () => {
    expect(headerOf(message('cid:1@urn%3Aihe%3Aiti%3Axds-b%3A2007'))).to.equal('Y2VydA==');
    expect(headerOf(message('cid:1@urn:ihe:iti:xds-b:2007'))).to.equal('Y2VydA==');
  });

  it('is refused when its part is not there, or is large', () => {
    expect(kindOf(() => headerOf(message('cid:2@x')))).to.equal('invalid');
    expect(kindOf(() => headerOf(message('http://example.org/1')))).to.equal('invalid');
    expect(kindOf(() => headerOf(message('cid:1@urn:ihe:iti:xds-b:2007', 'x'.repeat(1_100_000))))).to.equal('too-long');
  });

  it('names any Content-ID by a cid URL that leads back to it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (id) => {
        expect(contentIdOf(cidUrl(id))).to.equal(id);
      }),
      { numRuns: 300 },
    );
  });
});

describe('MTOM answer', () => {
  it('is read back part by part, byte for byte', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 4 }), async (documents) => {
        const ids = { boundary: 'MIMEBoundary_1f2e3d4c5b6a79880011223344556677', rootContentId: 'root@x' };
        const parts = documents.map((document, index) => ({
          contentId: `${index}@x`,
          contentType: 'application/dicom',
          stream: async function* () {
            yield document.subarray(0, 100);
            yield document.subarray(100);
          },
        }));
        const body = await buffer(formatMtom(ids, ENVELOPE, parts));
        const message = open(formatMtomContentType(ids, 'urn:a'), body);
        expect(message.action).to.equal('urn:a');
        expect(message.envelope.toString()).to.equal(ENVELOPE);
        expect([...message.parts.values()].map((part) => [...part])).to.deep.equal(
          documents.map((document) => [...document]),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('does not let a stored media type write headers', async () => {
    const part = { contentId: '1@x', contentType: 'a/b\r\nX: y', stream: async function* () {} };
    const body = await buffer(formatMtom({ boundary: 'b', rootContentId: 'r@x' }, ENVELOPE, [part]));
    expect(body.toString()).not.to.contain('X: y');
  });
});
