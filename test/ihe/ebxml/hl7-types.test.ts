import { expect } from 'chai';
import * as fc from 'fast-check';
import { fromCodingScheme, parseCodedValue, toCodingScheme } from '../../../ihe/ebxml/coded-value.ts';
import { toHomeCommunityId } from '../../../ihe/ebxml/home-community-id.ts';
import {
  formatCx,
  formatDtm,
  formatXcn,
  formatXon,
  parseCx,
  parseDtm,
  parsePatientCx,
} from '../../../ihe/ebxml/hl7-types.ts';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';

describe('CX and CXi (ITI TF-3 4.2.3.1.7)', () => {
  it('reads identifier and authority', () => {
    expect(parseCx('p^^^&1.2.3&ISO')).to.deep.equal({ value: 'p', assigningAuthority: '1.2.3' });
  });

  it('accepts CX.5 from French callers, a namespace before the OID, and ISO in any case', () => {
    expect(parseCx('1^^^&1.2.250.1.213.1.4.10&ISO^NH')).to.include({ typeCode: 'NH' });
    expect(parseCx('1^^^SPID&2.16.756.5.30.1.127.3.10.3&iso')).to.include({
      assigningAuthority: '2.16.756.5.30.1.127.3.10.3',
    });
  });

  it('accepts a CXi without authority', () => {
    expect(parseCx('2.25.1^^^^urn:ihe:iti:xds:2016:studyInstanceUID')).to.deep.equal({
      value: '2.25.1',
      typeCode: 'urn:ihe:iti:xds:2016:studyInstanceUID',
    });
  });

  it('refuses an empty identifier and an authority that is no OID', () => {
    for (const text of ['', '^^^&1.2.3&ISO', 'p^^^&1.2.x&ISO', 'p^^^HOSPITAL', 'p^^^&1.2.3&DNS']) {
      expect(() => parseCx(text), text).to.throw(Fault);
    }
    expect(() => parsePatientCx('p')).to.throw(Fault, /assigning authority/);
    expect(() => parsePatientCx('secret-id^^^X')).not.to.throw(/secret-id/);
  });

  it('gives back what was formatted', () => {
    const value = fc
      .string({ minLength: 1, unit: 'grapheme-ascii' })
      .filter((text) => text.trim() === text && text !== '');
    fc.assert(
      fc.property(value, fc.constantFrom('1.2.3', '2.25.9'), (id, assigningAuthority) => {
        expect(parseCx(formatCx({ value: id, assigningAuthority }))).to.deep.equal({ value: id, assigningAuthority });
      }),
      { numRuns: 300 },
    );
  });
});

describe('XCN and XON (ITI TF-3 4.2.3.1.7)', () => {
  it('puts name, prefix and the authority of the identifier in their components', () => {
    const person = { identifier: '8', assigningAuthority: '1.2', family: 'Im^age', given: 'Paul', prefix: 'Dr' };
    expect(formatXcn(person)).to.equal('8^Im\\S\\age^Paul^^^Dr^^^&1.2&ISO');
    expect(formatXcn({ family: 'Image', given: 'Paul' })).to.equal('^Image^Paul');
    expect(formatXcn({})).to.equal('');
  });

  it('puts the identifier of an organization in component 10', () => {
    expect(formatXon('CHU', '75', '1.2')).to.equal('CHU^^^^^&1.2&ISO^^^^75');
    expect(formatXon('CHU', '1.2.3')).to.equal('CHU^^^^^^^^^1.2.3');
  });
});

describe('DTM (ITI TF-3 4.2.3.1.7)', () => {
  it('is written in UTC with the precision of the dateTime', () => {
    expect(formatDtm('2024-03-05T00:15:00.250+01:00')).to.equal('20240304231500');
    expect(['2024', '2024-03', '2024-03-05'].map(formatDtm)).to.deep.equal(['2024', '202403', '20240305']);
    expect(formatDtm('March')).to.equal(undefined);
    expect(formatDtm('2024-03-05Tx')).to.equal(undefined);
  });

  it('is read as the instant at which it begins', () => {
    expect(parseDtm('2004')).to.equal('2004-01-01T00:00:00.000Z');
    expect(parseDtm('200412252300')).to.equal('2004-12-25T23:00:00.000Z');
  });

  it('is refused with an odd number of digits or a day that does not exist', () => {
    for (const text of ['200', '20041', '20040230', '2004122525', '20041225230000+0100', '2004-12']) {
      expect(parseDtm(text), text).to.equal(undefined);
    }
  });
});

describe('codingScheme and FHIR system', () => {
  it('leads from a system to its scheme and back', () => {
    const systems = ['loinc', 'snomed', 'confidentiality', 'dcm', 'iheFormat', 'dicomUids'] as const;
    for (const name of systems) expect(fromCodingScheme(toCodingScheme(CODE_SYSTEM[name]))).to.equal(CODE_SYSTEM[name]);
    expect(toCodingScheme('urn:oid:1.2.250.1')).to.equal('1.2.250.1');
    expect(toCodingScheme('http://example.org/codes')).to.equal('http://example.org/codes');
    expect(fromCodingScheme('DCM')).to.equal(CODE_SYSTEM.dcm);
    expect(fromCodingScheme('urn:oid:2.16.840.1.113883.6.1')).to.equal(CODE_SYSTEM.loinc);
  });

  it('reads code^^scheme and nothing else', () => {
    expect(parseCodedValue('N^^2.16.840.1.113883.5.25')).to.deep.equal({
      code: 'N',
      system: CODE_SYSTEM.confidentiality,
    });
    for (const text of ['N', 'N^^', '^^1.2', 'N^^1.2^x']) expect(parseCodedValue(text)).to.equal(undefined);
  });
});

describe('homeCommunityId (ITI TF-3 4.2.3.2.12)', () => {
  it('is completed to urn:oid: when a caller left it out', () => {
    expect(toHomeCommunityId('2.16.578.1')).to.equal('urn:oid:2.16.578.1');
    expect(toHomeCommunityId('urn:oid:2.16.578.1')).to.equal('urn:oid:2.16.578.1');
    expect(toHomeCommunityId(undefined)).to.equal(undefined);
  });
});
