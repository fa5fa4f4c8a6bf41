import { expect } from 'chai';
import * as fc from 'fast-check';
import { Fault } from '../../../profiles/fault.ts';
import type { FaultKind } from '../../../profiles/fault.ts';
import { escapeAttribute, escapeText, toXmlText } from '../../../ihe/xml/escape.ts';
import { withXml, XML_LIMITS } from '../../../ihe/xml/parse.ts';

function refusal(xml: Uint8Array | string, limits = XML_LIMITS): FaultKind | undefined {
  try {
    withXml(typeof xml === 'string' ? Buffer.from(xml) : xml, () => undefined, limits);
    return undefined;
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    return (error as Fault).kind;
  }
}

function nested(depth: number): string {
  return '<a>'.repeat(depth) + '</a>'.repeat(depth);
}

describe('XML at the door (SOAP 1.2 part 1, 5: no document type declaration)', () => {
  it('reads UTF-8 with a byte order mark', () => {
    const xml = Buffer.from('\uFEFF<?xml version="1.0" encoding="utf-8"?><a>été</a>');
    expect(withXml(xml, (document) => document.root.content)).to.equal('été');
  });

  it('reads as UTF-8 whatever encoding the declaration names', () => {
    const xml = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>');
    expect(withXml(xml, (document) => document.root.content)).to.equal('é');
  });

  it('refuses a document type declaration before it is parsed', () => {
    expect(refusal('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')).to.equal('not-supported');
    expect(refusal('<!-- x --><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>')).to.equal('not-supported');
  });

  it('refuses a declaration hidden in UTF-16 or UTF-7', () => {
    const hidden = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>';
    expect(refusal(Buffer.from(`\uFEFF${hidden}`, 'utf16le'))).to.equal('invalid');
    expect(refusal(Buffer.from(hidden, 'utf16le'))).to.equal('invalid');
    expect(refusal('<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-+ADw-a/+AD4-')).to.equal('invalid');
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(refusal(Buffer.from('<a>\xe9t\xe9</a>', 'latin1'))).to.equal('invalid');
  });

  it('accepts 64 levels and refuses 65, 300 and 100,000', () => {
    expect(refusal(nested(64))).to.equal(undefined);
    expect(refusal(nested(65))).to.equal('too-costly');
    expect(refusal(nested(300))).to.equal('invalid');
    expect(refusal(nested(100_000))).to.equal('invalid');
  });

  it('refuses more bytes, elements or attributes than the limits', () => {
    const limits = { maxSizeBytes: 100, maxDepth: 64, maxMarkup: 10 };
    expect(refusal(`<a>${'x'.repeat(100)}</a>`, limits)).to.equal('too-long');
    expect(refusal(`<a>${'<b/>'.repeat(10)}</a>`, limits)).to.equal('too-costly');
    expect(refusal('<a b="" c="" d="" e="" f="" g="" h="" i="" j="" k=""/>', limits)).to.equal('too-costly');
  });

  it('refuses what is not well formed, and says where but not what', () => {
    expect(() => withXml(Buffer.from('<a>\n<secret></b></a>'), () => 0)).to.throw(Fault, /not well formed \(line 2/);
    expect(() => withXml(Buffer.from('<a><secret></b></a>'), () => 0)).not.to.throw(Fault, /secret/);
    expect(refusal('')).to.equal('invalid');
  });

  it('refuses undefined entities', () => {
    expect(refusal('<a>&b;</a>')).to.equal('invalid');
  });

  it('answers any bytes with a value or a Fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void refusal(bytes)),
      { numRuns: 300 },
    );
  });
});

describe('XML escaping (XML 1.0 section 2.2)', () => {
  it('gives back any text and attribute that XML 1.0 can carry', () => {
    const text = fc.string({
      unit: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 1 }), fc.constantFrom('\t', '\n', '\r', '<', ']]>')),
    });
    fc.assert(
      fc.property(text, (value) => {
        const xml = Buffer.from(`<a b="${escapeAttribute(value)}">${escapeText(value)}</a>`);
        const [inside, attribute] = withXml(xml, ({ root }) => [root.content, root.attr('b')?.value]);
        expect(inside).to.equal(value);
        expect(attribute).to.equal(value);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses control characters, lone surrogates and non-characters', () => {
    for (const value of ['\0', 'a\x1bb', '\ud800', 'x\udc00', '\uffff']) {
      expect(() => escapeText(value)).to.throw(Fault);
      expect(() => escapeAttribute(value)).to.throw(Fault);
      expect(escapeText(toXmlText(value))).to.contain('\ufffd');
    }
    expect(toXmlText('a\0b\0')).to.equal('a\ufffdb\ufffd');
  });
});
