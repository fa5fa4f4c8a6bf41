import { createRequire } from 'node:module';
import { expect } from 'chai';
import { TAG, dateOf, intOf, timeOf, uidOf } from '../../../profiles/dicom/attributes.ts';
import type { DicomDataSet } from '../../../profiles/dicom/data-element.ts';
import { vrOfTag } from '../../../profiles/dicom/value-representation.ts';
import type { VR } from '../../../profiles/dicom/value-representation.ts';

type Entry = { readonly tag: string; readonly vr: string; readonly name: string };
type Dcmjs = { readonly data: { readonly DicomMetaDictionary: { readonly nameMap: Record<string, Entry> } } };
// The package has no types.
const dcmjs = createRequire(import.meta.url)('dcmjs') as Dcmjs;
const dictionary = dcmjs.data.DicomMetaDictionary.nameMap;

function holding(tag: number, vr: VR, value: string | Buffer): DicomDataSet {
  const bytes = Buffer.from(value);
  const element = { tag, vr, length: bytes.length, offset: 0, littleEndian: true, value: bytes, items: undefined };
  return { characterSet: [], elements: new Map([[tag, element]]) };
}

describe('DICOM attributes (PS3.6 6)', () => {
  it('names every tag by its keyword', () => {
    for (const [keyword, tag] of Object.entries(TAG)) {
      const hex = dictionary[keyword]?.tag.replaceAll(/[(),]/g, '');
      expect(Number.parseInt(hex ?? '', 16), keyword).to.equal(tag);
    }
  });

  it('knows the VR of every standard attribute', () => {
    const chosen: Record<string, string> = { xs: 'US', ox: 'OW', lt: 'OW', up: 'UL' };
    const wrong = Object.values(dictionary).filter(({ tag, vr }) => {
      const hex = tag.replaceAll(/[(),]/g, '');
      const isListed = /^[0-9A-F]{8}$/i.test(hex) && Number.parseInt(hex.slice(0, 4), 16) % 2 === 0;
      if (!isListed || hex.startsWith('0000') || /^fffe/i.test(hex)) return false;
      return vrOfTag(Number.parseInt(hex, 16), false) !== (chosen[vr] ?? vr);
    });
    expect(wrong).to.deep.equal([]);
    expect([vrOfTag(0x00280106, true), vrOfTag(0x60023000, false), vrOfTag(0x00091001, false), vrOfTag(0x00090010, false)]).to.deep.equal(['SS', 'OW', 'UN', 'LO']);
  });

  it('reads dates and times in both editions, and refuses impossible ones', () => {
    expect(dateOf(holding(TAG.StudyDate, 'DA', '20240229'), TAG.StudyDate)).to.equal('2024-02-29');
    expect(dateOf(holding(TAG.StudyDate, 'DA', '2024.02.29'), TAG.StudyDate)).to.equal('2024-02-29');
    expect(dateOf(holding(TAG.StudyDate, 'DA', '20230229'), TAG.StudyDate)).to.equal(undefined);
    expect(timeOf(holding(TAG.StudyTime, 'TM', '0915'), TAG.StudyTime)).to.equal('09:15:00');
    expect(timeOf(holding(TAG.StudyTime, 'TM', '09:15:01.250 '), TAG.StudyTime)).to.equal('09:15:01.250');
    expect(timeOf(holding(TAG.StudyTime, 'TM', '2560'), TAG.StudyTime)).to.equal(undefined);
  });

  it('reads UIDs and integers, and nothing that is not one', () => {
    expect(uidOf(holding(TAG.StudyInstanceUID, 'UI', '1.2.3\0'), TAG.StudyInstanceUID)).to.equal('1.2.3');
    for (const bad of ['../../x', '1..2', `1.${'2'.repeat(63)}`, '', '/etc', '1.2\0.3']) {
      expect(uidOf(holding(TAG.StudyInstanceUID, 'UI', bad), TAG.StudyInstanceUID), bad).to.equal(undefined);
    }
    expect(intOf(holding(TAG.InstanceNumber, 'IS', ' 12 '), TAG.InstanceNumber)).to.equal(12);
    expect(intOf(holding(TAG.Rows, 'US', Buffer.from([0, 2])), TAG.Rows)).to.equal(512);
    expect(intOf(holding(TAG.InstanceNumber, 'IS', 'x'), TAG.InstanceNumber)).to.equal(undefined);
  });
});
