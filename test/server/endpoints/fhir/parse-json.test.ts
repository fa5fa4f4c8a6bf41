import { expect } from 'chai';
import { assert, constantFrom, json, jsonValue, nat, property } from 'fast-check';
import { parseJson } from '../../../../server/endpoints/fhir/parse-json.ts';
import { faultOf } from '../../../support/thrown-fault.ts';

const MANY = 1_000_000;

function messageOf(text: string): string {
  const { kind, message } = faultOf(() => parseJson(Buffer.from(text), MANY));
  expect(kind).to.equal('invalid');
  return message;
}

describe('JSON of peers (RFC 8259)', () => {
  it('reads what JSON.parse reads', () => {
    assert(
      property(jsonValue({ maxDepth: 5 }), constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(JSON.stringify(parseJson(Buffer.from(text), MANY))).to.equal(JSON.stringify(JSON.parse(text)));
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
    const nested = Buffer.from('[{"a":"a"},{"a":{"a":["a","a"]}}]');
    expect(parseJson(nested, MANY)).to.deep.equal([{ a: 'a' }, { a: { a: ['a', 'a'] } }]);
  });

  it('refuses nesting beyond 64, before it is parsed', () => {
    expect(parseJson(Buffer.from('['.repeat(64) + ']'.repeat(64)), MANY)).to.be.an('array');
    expect(messageOf('['.repeat(65) + ']'.repeat(65))).to.include('64');
    expect(messageOf('{"a":'.repeat(200_000))).to.include('64');
  });

  it('reads a string of 40 megabytes, and one of escapes alone', () => {
    const long = `"${'A'.repeat(40_000_000)}"`;
    expect(String(parseJson(Buffer.from(long), MANY))).to.have.length(40_000_000);
    const escapes = `{"a":"${'\\\\\\"'.repeat(500_000)}"}`;
    expect((parseJson(Buffer.from(escapes), MANY) as { a: string }).a).to.have.length(1_000_000);
  });

  it('counts members, items and what begins an object or array, before it is parsed', () => {
    const text = '[{},{"a":1,"b":[2,"[,{"]},[]]';
    expect(parseJson(Buffer.from(text), 9)).to.deep.equal([{}, { a: 1, b: [2, '[,{'] }, []]);
    const { kind, message } = faultOf(() => parseJson(Buffer.from(text), 8));
    expect([kind, message]).to.deep.equal(['too-long', 'The body holds more than 8 JSON values']);
    // What comes behind is not looked at.
    expect(faultOf(() => parseJson(Buffer.from('[],'.repeat(20)), 7)).kind).to.equal('too-long');
  });

  it('refuses what is not UTF-8', () => {
    const { message } = faultOf(() => parseJson(Buffer.from([0x22, 0xe9, 0x22]), MANY));
    expect(message).to.equal('The body is not valid UTF-8');
  });
});
