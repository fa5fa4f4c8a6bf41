import { expect } from 'chai';
import { assert, constantFrom, json, jsonValue, nat, property } from 'fast-check';
import { parseJson } from '../../../../server/endpoints/fhir/parse-json.ts';
import { faultOf } from '../../../support/thrown-fault.ts';

function messageOf(text: string): string {
  const { kind, message } = faultOf(() => parseJson(Buffer.from(text)));
  expect(kind).to.equal('invalid');
  return message;
}

describe('JSON of peers (RFC 8259)', () => {
  it('reads what JSON.parse reads', () => {
    assert(
      property(jsonValue({ maxDepth: 5 }), constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(JSON.stringify(parseJson(Buffer.from(text)))).to.equal(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('refuses every text that JSON.parse refuses', () => {
    assert(
      property(json(), nat(), constantFrom('"', '{', '\\', '}', ':', ',', '\u0000'), (text, at, change) => {
        const broken = text.slice(0, at % (text.length + 1)) + change + text.slice(at % (text.length + 1));
        try {
          JSON.parse(broken);
        } catch {
          messageOf(broken);
        }
      }),
    );
  });

  it('refuses a name that comes twice in one object, in any spelling', () => {
    expect(messageOf('{"a":1,"b":{"a":2},"a":3}')).to.equal('A name comes twice in one JSON object');
    expect(messageOf('{"a":1,"\\u0061":3}')).to.equal('A name comes twice in one JSON object');
    expect(messageOf('{"a\\\\":1,"a\\\\" :3}')).to.equal('A name comes twice in one JSON object');
    expect(parseJson(Buffer.from('[{"a":"a"},{"a":{"a":["a","a"]}}]'))).to.deep.equal([
      { a: 'a' },
      { a: { a: ['a', 'a'] } },
    ]);
  });

  it('refuses nesting beyond 64, before it is parsed', () => {
    expect(parseJson(Buffer.from('['.repeat(64) + ']'.repeat(64)))).to.be.an('array');
    expect(messageOf('['.repeat(65) + ']'.repeat(65))).to.include('64');
    expect(messageOf('{"a":'.repeat(200_000))).to.include('64');
  });

  it('reads a string of 40 megabytes, and one of escapes alone', () => {
    const long = `"${'A'.repeat(40_000_000)}"`;
    expect(String(parseJson(Buffer.from(long)))).to.have.length(40_000_000);
    const escapes = `{"a":"${'\\\\\\"'.repeat(500_000)}"}`;
    expect((parseJson(Buffer.from(escapes)) as { a: string }).a).to.have.length(1_000_000);
  });

  it('refuses what is not UTF-8', () => {
    expect(faultOf(() => parseJson(Buffer.from([0x22, 0xe9, 0x22]))).message).to.equal('The body is not valid UTF-8');
  });
});
