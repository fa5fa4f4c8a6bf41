import { expect } from 'chai';
import * as fc from 'fast-check';
import { TAG, textOf } from '../../../profiles/dicom/attributes.ts';
import { decodeText } from '../../../profiles/dicom/character-set.ts';
import { scanHeader } from '../../../profiles/dicom/dataset.ts';
import { parseFileMeta } from '../../../profiles/dicom/file-meta.ts';
import { sample, sampleNames } from './samples.ts';

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('Specific Character Set (PS3.3 C.12.1.1.2)', () => {
  it('decodes French names in ISO_IR 100, ISO_IR 192 and with code extensions', () => {
    expect(decodeText(latin1('Lefèvre^Zoé'), ['ISO_IR 100'])).to.equal('Lefèvre^Zoé');
    expect(decodeText(Buffer.from('Lefèvre^Zoé Œ'), ['ISO_IR 192'])).to.equal('Lefèvre^Zoé Œ');
    expect(decodeText(latin1('Lef\x1b-A\xe8vre^Zo\x1b-A\xe9'), ['ISO 2022 IR 6', 'ISO 2022 IR 100'])).to.equal('Lefèvre^Zoé');
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

  it('returns to the initial set at a delimiter, and replaces an escape that means nothing', () => {
    expect(decodeText(latin1('\x1b-F\xc1\\\xe9'), ['ISO 2022 IR 100', 'ISO 2022 IR 126'])).to.equal('Α\\é');
    expect(decodeText(latin1('A\x1b%zB'), ['', 'ISO 2022 IR 87'])).to.equal('A\uFFFD%zB');
  });

  it('never throws, whatever the bytes and the terms', () => {
    const terms = fc.array(fc.constantFrom('', 'ISO_IR 100', 'ISO 2022 IR 87', 'ISO 2022 IR 149', 'GB18030', 'ISO_IR 13', 'x'), { maxLength: 3 });
    const escapes = fc.constantFrom('\x1b$B', '\x1b$)C', '\x1b(B', '\x1b-A', '\x1b', '\x1b$(D', 'ab', '\xe9', '\\');
    fc.assert(
      fc.property(fc.array(fc.oneof(escapes, fc.string({ unit: 'binary' })), { maxLength: 12 }), terms, (parts, characterSet) => {
        expect(decodeText(latin1(parts.join('')), characterSet)).to.be.a('string');
      }),
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
    };
    for (const [name, patientName] of Object.entries(expected)) {
      const bytes = sample(`${name}.dcm`);
      const meta = parseFileMeta(bytes);
      const header = scanHeader(bytes.subarray(meta.dataSetOffset), meta.transferSyntaxUID, { isWhole: true });
      expect(header === 'incomplete' ? header : textOf(header, TAG.PatientName)?.replace(/=+$/, ''), name).to.equal(patientName);
    }
  });
});
