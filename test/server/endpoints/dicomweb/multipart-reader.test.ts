/** Multipart bodies that come in pieces of any size. @see RFC 2046 section 5.1 */
import { Readable } from 'node:stream';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { Fault } from '../../../../profiles/fault.ts';
import { readParts } from '../../../../server/endpoints/dicomweb/multipart-reader.ts';

type Read = { readonly headers: Readonly<Record<string, string>>; readonly content: string };

const LIMITS = { maxParts: 100 };

function streamOf(body: Buffer, ...sizes: readonly number[]): Readable {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < body.length; turn += 1) {
    const size = sizes[turn % Math.max(sizes.length, 1)] ?? body.length;
    chunks.push(body.subarray(at, at + size));
    at += size;
  }
  return Readable.from(chunks, { objectMode: false });
}

async function partsIn(
  body: Buffer,
  boundary: string,
  sizes: readonly number[] = [],
  isRead: (part: number) => boolean = () => true,
): Promise<Read[]> {
  const parts: Read[] = [];
  for await (const { headers, content } of readParts(streamOf(body, ...sizes), boundary, LIMITS)) {
    let text = '';
    if (isRead(parts.length)) for await (const chunk of content) text += Buffer.from(chunk).toString('latin1');
    parts.push({ headers: Object.fromEntries(headers), content: text });
  }
  return parts;
}

async function faultOf(body: string, boundary = 'b'): Promise<string> {
  try {
    await partsIn(Buffer.from(body), boundary);
  } catch (error) {
    return error instanceof Fault ? error.kind : String(error);
  }
  return 'accepted';
}

describe('Multipart body that arrives (RFC 2046 5.1)', () => {
  it('gives each part, byte for byte, whatever is in it, wherever it is cut, whichever are left unread', async () => {
    const boundary = fc.string({ unit: fc.constantFrom('-', 'a', 'b', ':', '='), minLength: 1, maxLength: 256 });
    // Line ends, dashes and boundaries that are none, in every mixture.
    const content = (name: string) => {
      const almost = [`--${name}`, `\r\n--${name.slice(0, -1)}`, `\r\n--${name}x`, `\n--${name}\n`];
      return fc.array(fc.constantFrom('\r', '\n', '\r\n', '-', '--', ' ', '\0', ...almost), { maxLength: 12 });
    };
    const contentsOf = (name: string) => fc.array(content(name), { minLength: 1, maxLength: 4 });
    const bodies = boundary.chain((name) => fc.record({ name: fc.constant(name), contents: contentsOf(name) }));
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(bodies, cuts, fc.array(fc.boolean()), async ({ name, contents }, sizes, left) => {
        const texts = contents.map((pieces) => pieces.join(''));
        const isBoundary = new RegExp(`\r\n--${name}(?:--|[ \t]*\r\n)`);
        fc.pre(!texts.some((text) => isBoundary.test(`\r\n${text}\r\n`)));
        const body = texts.map((text, at) => `--${name}\r\nA: ${at}\r\n\r\n${text}\r\n`).join('');
        const whole = Buffer.from(`${body}--${name}--`, 'latin1');
        const parts = await partsIn(whole, name, sizes, (at) => left[at] !== true);
        expect(parts.map(({ headers }) => headers['a'])).to.deep.equal(texts.map((_, at) => String(at)));
        const read = texts.map((text, at) => (left[at] === true ? '' : text));
        expect(parts.map(({ content }) => content)).to.deep.equal(read);
      }),
      { numRuns: 300 },
    );
  });

  it('passes over a preamble, an epilogue and blanks behind a boundary, and reads folded headers', async () => {
    const first = '--b \t\r\nContent-Type: application/dicom;\r\n  x=1\r\nA: 1\r\na: 2\r\n\r\none\r\n';
    const body = `preamble\r\n${first}--b\r\n\r\ntwo\r\n--b--\r\nepilogue --b\r\n`;
    for (const size of [1, 7, 1000]) {
      expect(await partsIn(Buffer.from(body), 'b', [size])).to.deep.equal([
        { headers: { 'content-type': 'application/dicom; x=1', a: '2' }, content: 'one' },
        { headers: {}, content: 'two' },
      ]);
    }
  });

  it('refuses a body that ends too early, has no part, or one without the blank line behind its headers', async () => {
    const whole = '--b\r\nA: 1\r\n\r\none\r\n--b--';
    for (let end = 0; end < whole.length; end += 1) {
      expect(await faultOf(whole.slice(0, end)), `cut at ${end}`).to.equal('invalid');
    }
    expect(await faultOf(whole)).to.equal('accepted');
    const broken = ['--b--\r\n', '--b\r\nno colon\r\n\r\none\r\n--b--', '--b\r\nA: 1\r\n--b--'];
    for (const body of broken) expect(await faultOf(body), body).to.equal('invalid');
  });

  it('bounds the headers of a part, the blanks behind a boundary, and the parts', async () => {
    expect(await faultOf(`--b\r\nA: ${'x'.repeat(17_000)}\r\n\r\none\r\n--b--`)).to.equal('too-costly');
    expect(await faultOf(`--b\r\n${'A: x\r\n'.repeat(3_000)}\r\none\r\n--b--`)).to.equal('too-costly');
    expect(await faultOf(`--b${' '.repeat(2_000)}\r\nA: 1\r\n\r\none\r\n--b--`)).to.equal('invalid');
    expect(await faultOf(`${'--b\r\n\r\n\r\n'.repeat(101)}--b--`)).to.equal('too-costly');
  });

  it('reads no further than it is asked to', async () => {
    let given = 0;
    const body = Readable.from(
      (async function* () {
        yield Buffer.from('--b\r\n\r\n');
        for (; given < 1000; given += 1) yield Buffer.alloc(64 * 1024);
      })(),
      { objectMode: false },
    );
    for await (const { content } of readParts(body, 'b', LIMITS)) {
      for await (const _ of content) if (given > 0) break;
      break;
    }
    expect(given).to.be.lessThan(10);
    body.destroy();
  });
});
