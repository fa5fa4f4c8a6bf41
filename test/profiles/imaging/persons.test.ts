/** Who an image names as correspondents. @see DICOM PS3.3 table 10-1, C.7.2.1, C.4.11 */
import { expect } from 'chai';
import type { DicomJson } from '../../../profiles/dicom/json/json.ts';
import { correspondentsOf } from '../../../profiles/imaging/persons.ts';

const NATIONAL = '1.2.250.1.71.4.2.1';

const names = (...all: string[]) => ({ vr: 'PN' as const, Value: all.map((Alphabetic) => ({ Alphabetic })) });
const numbers = (...all: string[]) => ({ vr: 'SQ' as const, Value: all.map(numbered) });

function numbered(value: string): DicomJson {
  const code: DicomJson = {
    '00080100': { vr: 'SH', Value: [value] },
    '0008010C': { vr: 'UI', Value: [NATIONAL] },
  };
  return { '00401101': { vr: 'SQ', Value: [code] } };
}

const known = (value: string, display?: string) => ({
  type: 'Practitioner',
  identifier: { system: `urn:oid:${NATIONAL}`, value },
  ...(display === undefined ? {} : { display }),
});

describe('The correspondents whom an image names', () => {
  it('are the referring and consulting physicians and the recipients of results, by name and number, once', () => {
    const header: DicomJson = {
      '00080090': names('Un^Anne'),
      '00080096': numbers('1'),
      '0008009C': names('Deux^Bruno', 'Trois^Cléa'),
      '0008009D': numbers('2', '3'),
      '00401010': names('Un^Anne', 'Quatre^Dora'),
      '00401011': numbers('1', '4'),
    };
    expect(correspondentsOf(header)).to.deep.equal([
      known('1', 'Anne Un'),
      known('2', 'Bruno Deux'),
      known('3', 'Cléa Trois'),
      known('4', 'Dora Quatre'),
    ]);
  });

  it('have no number where names and numbers are not as many, and no name where there is none', () => {
    const header: DicomJson = {
      '00080096': numbers('1'),
      '0008009C': names('Deux^Bruno', 'Trois^Cléa'),
      '0008009D': numbers('2'),
      // Who makes and reads the exam is none.
      '00081050': names('Cinq^Emma'),
      '00081060': names('Six^Faustin'),
    };
    expect(correspondentsOf(header)).to.deep.equal([
      known('1'),
      { type: 'Practitioner', display: 'Bruno Deux' },
      { type: 'Practitioner', display: 'Cléa Trois' },
    ]);
  });
});
