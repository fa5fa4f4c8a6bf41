import { expect } from 'chai';
import * as fc from 'fast-check';
import { TAG } from '../../../profiles/dicom/attributes.ts';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import { matchesKey, matchesPattern } from '../../../profiles/dicom/match.ts';

const DATA_SET: DicomJson = {
  '00080020': { vr: 'DA', Value: ['20260214'] },
  '00080030': { vr: 'TM', Value: ['101530.25'] },
  '00080060': { vr: 'CS', Value: ['CT'] },
  '00081030': { vr: 'LO', Value: [null, 'Thorax, natif'] },
  '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Brandessart^Maëlle' }] },
  '00200011': { vr: 'IS', Value: [7] },
  '00200010': { vr: 'SH' },
  '00400275': {
    vr: 'SQ',
    Value: [{ '00401001': { vr: 'SH', Value: ['RP1'] } }, { '00401001': { vr: 'SH', Value: ['RP2'] } }],
  },
};

function matches(keyword: keyof typeof TAG, value: string): boolean {
  return matchesKey(DATA_SET, { path: [TAG[keyword]], value });
}

describe('Attribute matching (PS3.4 C.2.2.2)', () => {
  it('compares single values, lists, wildcards, names and numbers', () => {
    const found: readonly (readonly [keyof typeof TAG, string])[] = [
      ['Modality', 'CT'],
      ['Modality', 'MR,CT'],
      ['Modality', 'US\\CT'],
      ['Modality', 'C?'],
      ['StudyDescription', 'Thorax, natif'],
      ['StudyDescription', '*, nat*'],
      ['PatientName', 'BRANDESSART^maelle'],
      ['PatientName', 'brand*'],
      ['SeriesNumber', '07'],
      ['StudyID', '*'],
      ['AccessionNumber', ''],
    ];
    for (const [keyword, value] of found) expect(matches(keyword, value), `${keyword} ${value}`).to.equal(true);
    const missed: readonly (readonly [keyof typeof TAG, string])[] = [
      ['Modality', 'ct'],
      ['Modality', 'C'],
      ['StudyDescription', 'natif'],
      ['StudyDescription', 'Thorax'],
      ['StudyDescription', 'null'],
      ['PatientName', 'brand'],
      ['SeriesNumber', '70'],
      ['SeriesNumber', '7*'],
      ['StudyID', 'x'],
      ['AccessionNumber', 'x'],
    ];
    for (const [keyword, value] of missed) expect(matches(keyword, value), `${keyword} ${value}`).to.equal(false);
  });

  it('compares dates and times with ranges whose bounds may be less precise', () => {
    for (const range of ['20260214', '20260101-20260214', '20260214-', '-20260214', '202602'])
      expect(matches('StudyDate', range), range).to.equal(true);
    for (const range of ['20260213', '20260215-', '-20260213', '2026-02-14'])
      expect(matches('StudyDate', range), range).to.equal(false);
    for (const range of ['10', '1015', '101530', '101530.25', '10-11', '1015-1015', '-1015', '10:15-10:16'])
      expect(matches('StudyTime', range), range).to.equal(true);
    for (const range of ['11', '1016-', '-1014', '101531']) expect(matches('StudyTime', range), range).to.equal(false);
  });

  it('looks into the items of a sequence', () => {
    const path = [TAG.RequestAttributesSequence, TAG.RequestedProcedureID];
    expect(matchesKey(DATA_SET, { path, value: 'RP2' })).to.equal(true);
    expect(matchesKey(DATA_SET, { path, value: 'RP3' })).to.equal(false);
  });

  it('takes wildcards as a regular expression would', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (text, pattern) => {
        const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesPattern(text, pattern)).to.equal(expression.test(text));
      }),
    );
  });
});
