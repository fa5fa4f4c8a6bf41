import { expect } from 'chai';
import * as fc from 'fast-check';
import { TAG, textOf } from '../../../profiles/dicom/attributes.ts';
import { decodeText } from '../../../profiles/dicom/character-set.ts';
import { scanHeader } from '../../../profiles/dicom/dataset.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import { sample, sampleNames } from './samples.ts';

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('Specific Character Set (PS3.3 C.12.1.1.2)', () => {
  it('decodes French names in ISO_IR 100, ISO_IR 192 and with code extensions', () => {
    expect(decodeText(latin1('Lefèvre^Zoé'), ['ISO_IR 100'])).to.equal('Lefèvre^Zoé');
    expect(decodeText(Buffer.from('Lefèvre^Zoé Œ'), ['ISO_IR 192'])).to.equal('Lefèvre^Zoé Œ');
    expect(decodeText(latin1('Lef\x1b-A\xe8vre^Zo\x1b-A\xe9'), ['ISO 2022 IR 6', 'ISO 2022 IR 100'])).to.equal(
      'Lefèvre^Zoé',
    );
    expect(decodeText(latin1('Lefèvre'), ['ISO 2022 IR 100'])).to.equal('Lefèvre');
  });

  it('reads undeclared bytes as UTF-8 when they are, else as Latin-1', () => {
    expect(decodeText(latin1('Zoé'), [])).to.equal('Zoé');
    expect(decodeText(Buffer.from('Zoé'), [''])).to.equal('Zoé');
    expect(decodeText(latin1('Zoé'), ['NOT A TERM'])).to.equal('Zoé');
  });

  it('decodes the examples of PS3.5 Annex H and I', () => {
    const yamada = latin1('Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B');
    expect(decodeText(yamada, ['', 'ISO 2022 IR 87'])).to.equal('Yamada^Tarou=山田^太郎=やまだ^たろう');
    const katakana = latin1('\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J');
    expect(decodeText(katakana, ['ISO 2022 IR 13', 'ISO 2022 IR 87'])).to.equal('ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎');
    const hong = latin1('Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf');
    expect(decodeText(hong, ['', 'ISO 2022 IR 149'])).to.equal('Hong^Gildong=洪^吉洞=홍^길동');
  });

  const repertoires: readonly [term: string, bytes: string, text: string][] = [
    ['ISO_IR 100', '4c6566e87672655e5a6fe9', 'Lefèvre^Zoé'],
    ['ISO_IR 101', '5761b3ea73615ea3756b61737a', 'Wałęsa^Łukasz'],
    ['ISO_IR 109', 'c5617275616e615ed56f72f5', 'Ċaruana^Ġorġ'],
    ['ISO_IR 110', '42ba727a69f1b95e4be0726c6973', 'Bērziņš^Kārlis'],
    ['ISO_IR 144', 'bbeedae1d5dcd1e3e0d3', 'Люксембург'],
    ['ISO_IR 127', 'e2c8c7e6ea5ee4e6d2c7d1', 'قباني^لنزار'],
    ['ISO_IR 126', 'c4e9efedf5f3e9eff2', 'Διονυσιος'],
    ['ISO_IR 138', 'f9f8e5ef5ee3e1e5f8e4', 'שרון^דבורה'],
    ['ISO_IR 148', 'c7617675fe6ff06c755edefc6b72fc', 'Çavuşoğlu^Şükrü'],
    ['ISO_IR 166', 'b9d2c1caa1d8c55eaad7e8cd', 'นามสกุล^ชื่อ'],
    ['ISO_IR 192', '4c6566c3a87672655ec59264697065', 'Lefèvre^Œdipe'],
    ['ISO_IR 203', '4c6566e87672655ebc64697065', 'Lefèvre^Œdipe'],
    ['ISO_IR 13', 'd4cfc0de5ec0dbb3', 'ﾔﾏﾀﾞ^ﾀﾛｳ'],
    ['GB18030', '57616e673d815c5ed0a1b6ab', 'Wang=乗^小东'],
    ['GBK', '57616e673dcdf55ed0a1b6ab', 'Wang=王^小东'],
  ];
  for (const [term, bytes, text] of repertoires) {
    it(`decodes ${term}`, () => {
      expect(decodeText(Buffer.from(bytes, 'hex'), [term])).to.equal(text);
    });
  }

  it('decodes the simplified Chinese of PS3.5 Annex K', () => {
    const zhang = latin1('Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=');
    expect(decodeText(zhang, ['', 'ISO 2022 IR 58'])).to.equal('Zhang^XiaoDong=张^小东=');
  });

  it('takes terms as devices write them', () => {
    for (const term of ['ISO-IR 100', 'iso_ir_100', 'ISO IR 100', 'ISO 2022-IR 100', 'ISO_IR100'])
      expect(decodeText(latin1('é'), [term]), term).to.equal('é');
    for (const term of ['UTF-8', 'utf8', 'iso_ir 192'])
      expect(decodeText(Buffer.from('é'), [term]), term).to.equal('é');
  });

  it('honours escapes that no code extension announces, but for the sets that have none', () => {
    expect(decodeText(latin1('\x1b$B;3ED\x1b(B^\xe9'), [])).to.equal('山田^é');
    expect(decodeText(latin1('\x1b-F\xc1'), ['ISO_IR 100'])).to.equal('Α');
    for (const term of ['ISO_IR 192', 'GB18030']) expect(decodeText(latin1('\x1b-A'), [term])).to.equal('\x1b-A');
  });

  it('reads bytes without their escapes by the set that was announced', () => {
    expect(decodeText(latin1('Lefèvre'), ['ISO 2022 IR 6', 'ISO 2022 IR 100'])).to.equal('Lefèvre');
    expect(decodeText(latin1('\xc4\xe9\xef'), ['', 'ISO 2022 IR 126'])).to.equal('Διο');
    expect(decodeText(latin1('\xd1\xce'), ['', 'ISO 2022 IR 149'])).to.equal('吉');
    expect(decodeText(Buffer.from('Zoé'), ['', 'ISO 2022 IR 126'])).to.equal('Zoé');
  });

  it('replaces what the declared set cannot read, and goes on', () => {
    expect(decodeText(latin1('Lef\xe8vre^Zo\xe9'), ['ISO_IR 192'])).to.equal('Lef\uFFFDvre^Zo\uFFFD');
    expect(decodeText(latin1('A\xffB'), ['GB18030'])).to.match(/^A\uFFFD.?/);
    expect(decodeText(latin1('\xa1x'), ['ISO_IR 127'])).to.equal('\uFFFDx');
  });

  it('returns to the initial set at a delimiter, and replaces an escape that means nothing', () => {
    expect(decodeText(latin1('\x1b-F\xc1\\\xe9'), ['ISO 2022 IR 100', 'ISO 2022 IR 126'])).to.equal('Α\\é');
    expect(decodeText(latin1('A\x1b%zB'), ['', 'ISO 2022 IR 87'])).to.equal('A\uFFFD%zB');
  });

  it('never throws, whatever the bytes and the terms', () => {
    const terms = fc.array(
      fc.constantFrom('', 'ISO_IR 100', 'ISO 2022 IR 87', 'ISO 2022 IR 149', 'GB18030', 'ISO_IR 13', 'x'),
      { maxLength: 3 },
    );
    const escapes = fc.constantFrom('\x1b$B', '\x1b$)C', '\x1b(B', '\x1b-A', '\x1b', '\x1b$(D', 'ab', '\xe9', '\\');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(escapes, fc.string({ unit: 'binary' })), { maxLength: 12 }),
        terms,
        (parts, characterSet) => {
          expect(decodeText(latin1(parts.join('')), characterSet)).to.be.a('string');
        },
      ),
    );
  });

  it('decodes the names of the sample files', function names() {
    if (sampleNames().length === 0) this.skip();
    const expected = {
      charset_chrFren: 'Buc^Jérôme',
      charset_chrGerm: 'Äneas^Rüdiger',
      charset_chrGreek: 'Διονυσιος',
      charset_chrRuss: 'Люкceмбypг',
      charset_chrArab: 'قباني^لنزار',
      charset_chrX1: 'Wang^XiaoDong=王^小東',
      charset_chrH31: 'Yamada^Tarou=山田^太郎=やまだ^たろう',
      charset_chrJapMulti: 'やまだ^たろう',
      empty_charset: undefined,
    };
    for (const [name, patientName] of Object.entries(expected)) {
      const bytes = sample(`${name}.dcm`);
      const meta = parseFileMeta(bytes);
      const header = scanHeader(bytes.subarray(meta.dataSetOffset), meta.transferSyntaxUID, { isWhole: true });
      expect(header === 'incomplete' ? header : textOf(header, TAG.PatientName)?.replace(/=+$/, ''), name).to.equal(
        patientName,
      );
    }
  });
});
