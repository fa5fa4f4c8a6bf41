import { expect } from 'chai';
import * as fc from 'fast-check';
import { criteriaOf } from '../../../ihe/rad-106/criteria.ts';
import { LINK_REFUSALS, parseDisplayRequest, type DisplayRequest } from '../../../ihe/rad-106/request.ts';
import { offsetsOf } from '../../../profiles/dicom/date-time.ts';
import { Fault } from '../../../profiles/fault.ts';

const PARIS = offsetsOf('Europe/Paris');
const PATIENT = 'requestType=PATIENT&patientID=8000012345^^^%261.2.3%26ISO';
const STUDY = 'requestType=STUDY&studyUID=1.2.3';

function parse(query: string): DisplayRequest {
  return parseDisplayRequest(new URLSearchParams(query), PARIS);
}

/** What a refusal names, why, and of which kind it is. */
function refusalOf(query: string): readonly (string | undefined)[] {
  try {
    parse(query);
  } catch (error) {
    if (error instanceof Fault) return [error.expression, error.protocolCode, error.kind];
    throw error;
  }
  return [];
}

function during(query: string): readonly (string | undefined)[] {
  const request = parse(`${PATIENT}&${query}`);
  if (request.kind !== 'PATIENT') throw new Error('The request is of no patient');
  return [request.during.from, request.during.to].map((at) =>
    at === undefined ? undefined : new Date(at).toISOString(),
  );
}

describe('Invoke Image Display request (RAD-106)', () => {
  it('names exams by UID, by accession number, by both, and a report that they have', () => {
    const none = { kind: 'STUDY', studyInstanceUIDs: [], accessionNumbers: [], reportId: undefined };
    expect(parse(STUDY)).to.deep.equal({ ...none, studyInstanceUIDs: ['1.2.3'] });
    expect(parse('requestType=STUDY&studyUID=1.2.3,1.2.4,1.2.3&viewerType=IHE_BIR')).to.deep.equal({
      ...none,
      studyInstanceUIDs: ['1.2.3', '1.2.4'],
    });
    expect(parse('requestType=STUDY&accessionNumber=A 1%2CB-2&keyImagesOnly=false')).to.deep.equal({
      ...none,
      accessionNumbers: ['A 1', 'B-2'],
    });
    // As CI-SIS writes it.
    expect(parse(`${STUDY}&Accessionnumber=1.2.250.7.A1&idCDA=1.2.250.8`)).to.deep.equal({
      ...none,
      studyInstanceUIDs: ['1.2.3'],
      accessionNumbers: ['1.2.250.7.A1'],
      reportId: '1.2.250.8',
    });
  });

  it('names a patient by an identifier with its issuer, modalities, and how many exams', () => {
    expect(parse(`${PATIENT}&mostRecentResults=3&modalitiesInStudy=CT,MR&diagnosticQuality=false`)).to.deep.equal({
      kind: 'PATIENT',
      patient: { value: '8000012345', assigningAuthority: '1.2.3' },
      during: { from: undefined, to: undefined },
      modalities: ['CT', 'MR'],
      mostRecent: 3,
    });
  });

  it('reads moments with their offset, local ones by the zone, and days to their end', () => {
    expect(during('lowerDateTime=2026-01-15T09:30:00Z')).to.deep.equal(['2026-01-15T09:30:00.000Z', undefined]);
    expect(during('lowerDateTime=2026-07-15T09:30:00')).to.deep.equal(['2026-07-15T07:30:00.000Z', undefined]);
    expect(during('upperDateTime=2026-01-15T09:30:00%2B02:00')).to.deep.equal([undefined, '2026-01-15T07:30:01.000Z']);
    expect(during('upperDateTime=2026-01-15T09:30:00+02:00')).to.deep.equal([undefined, '2026-01-15T07:30:01.000Z']);
    expect(during('lowerDateTime=2026-01-15&upperDateTime=2026-01-15')).to.deep.equal([
      '2026-01-14T23:00:00.000Z',
      '2026-01-15T23:00:00.000Z',
    ]);
  });

  it('refuses, by name, what is missing, unknown, repeated, malformed, too long', () => {
    const long = Array.from({ length: 20 }, (_, at) => `1.2.${'3'.repeat(50)}${at}`).join(',');
    const refused: Readonly<Record<string, readonly [string, string, string]>> = {
      '': ['requestType', 'missing', 'required'],
      'requestType=SERIES&studyUID=1.2.3': ['requestType', 'malformed', 'invalid'],
      'requestType=study&studyUID=1.2.3': ['requestType', 'malformed', 'invalid'],
      'requestType=STUDY': ['studyUID', 'missing', 'required'],
      'requestType=PATIENT': ['patientID', 'missing', 'required'],
      [`${STUDY}&seriesUID=1.2`]: ['seriesUID', 'unknown', 'invalid'],
      [`${STUDY}&mostRecentResults=1`]: ['mostRecentResults', 'unknown', 'invalid'],
      [`${PATIENT}&idCDA=1.2`]: ['idCDA', 'unknown', 'invalid'],
      [`${STUDY}&<b>é=1`]: ['?b??', 'unknown', 'invalid'],
      [`${STUDY}&${'x'.repeat(5_000)}=1`]: ['x'.repeat(40), 'unknown', 'invalid'],
      [`${STUDY}&studyUID=1.2.4`]: ['studyUID', 'repeated', 'invalid'],
      [`${STUDY}&accessionNumber=A&Accessionnumber=A`]: ['Accessionnumber', 'repeated', 'invalid'],
      'requestType=STUDY&studyUID=': ['studyUID', 'malformed', 'invalid'],
      'requestType=STUDY&studyUID=1.2.3,': ['studyUID', 'malformed', 'invalid'],
      'requestType=STUDY&studyUID=1.2.x': ['studyUID', 'malformed', 'invalid'],
      [`requestType=STUDY&studyUID=1.${'2'.repeat(64)}`]: ['studyUID', 'malformed', 'invalid'],
      [`requestType=STUDY&studyUID=${'1.2,'.repeat(20)}1.3`]: ['studyUID', 'too-long', 'invalid'],
      [`requestType=STUDY&studyUID=${long}&idCDA=1.2&accessionNumber=${'A'.repeat(900)}`]: [
        'studyUID',
        'too-long',
        'invalid',
      ],
      'requestType=STUDY&accessionNumber=A%00': ['accessionNumber', 'malformed', 'invalid'],
      [`${STUDY}&idCDA=`]: ['idCDA', 'malformed', 'invalid'],
      [`${STUDY}&idCDA=1%0A2`]: ['idCDA', 'malformed', 'invalid'],
      'requestType=PATIENT&patientID=8000012345': ['patientID', 'malformed', 'invalid'],
      'requestType=PATIENT&patientID=^^^%261.2.3%26ISO': ['patientID', 'malformed', 'invalid'],
      'requestType=PATIENT&patientID=1^^^AcmeHospital': ['patientID', 'malformed', 'invalid'],
      'requestType=PATIENT&patientID=1%00^^^%261.2.3%26ISO': ['patientID', 'malformed', 'invalid'],
      [`${PATIENT}&mostRecentResults=0`]: ['mostRecentResults', 'malformed', 'invalid'],
      [`${PATIENT}&mostRecentResults=1e3`]: ['mostRecentResults', 'malformed', 'invalid'],
      [`${PATIENT}&lowerDateTime=20260115`]: ['lowerDateTime', 'malformed', 'invalid'],
      [`${PATIENT}&lowerDateTime=2026-02-30`]: ['lowerDateTime', 'malformed', 'invalid'],
      [`${PATIENT}&lowerDateTime=2026-02-30T10:00:00`]: ['lowerDateTime', 'malformed', 'invalid'],
      [`${PATIENT}&lowerDateTime=2026-01-15T25:00:00`]: ['lowerDateTime', 'malformed', 'invalid'],
      [`${PATIENT}&upperDateTime=2026-01-15T10:00:00%2B99:00`]: ['upperDateTime', 'malformed', 'invalid'],
      [`${PATIENT}&upperDateTime=`]: ['upperDateTime', 'malformed', 'invalid'],
      [`${PATIENT}&lowerDateTime=2026-01-16&upperDateTime=2026-01-15`]: ['upperDateTime', 'malformed', 'invalid'],
      [`${PATIENT}&modalitiesInStudy=ct`]: ['modalitiesInStudy', 'malformed', 'invalid'],
      [`${STUDY}&diagnosticQuality=yes`]: ['diagnosticQuality', 'malformed', 'invalid'],
      [`${STUDY}&keyImagesOnly`]: ['keyImagesOnly', 'malformed', 'invalid'],
    };
    for (const [query, expected] of Object.entries(refused))
      expect(refusalOf(query), query.slice(0, 200)).to.deep.equal(expected);
  });

  it('refuses a display that this is not', () => {
    const kind = 'not-supported';
    expect(refusalOf(`${STUDY}&diagnosticQuality=true`)).to.deep.equal([
      'diagnosticQuality',
      'not-for-diagnosis',
      kind,
    ]);
    expect(refusalOf(`${STUDY}&keyImagesOnly=true`)).to.deep.equal(['keyImagesOnly', 'no-key-images', kind]);
    expect(refusalOf(`${STUDY}&viewerType=IHE_PDF`)).to.deep.equal(['viewerType', 'no-such-viewer', kind]);
    expect(refusalOf(`${PATIENT}&patientName=Doe`)).to.deep.equal(['patientName', 'no-traits', kind]);
  });

  it('reads or refuses whatever comes, and never repeats a value', () => {
    const name = fc.oneof(
      fc.constantFrom(
        'requestType',
        'studyUID',
        'accessionNumber',
        'idCDA',
        'patientID',
        'lowerDateTime',
        'viewerType',
      ),
      fc.string({ unit: 'binary', maxLength: 30 }),
    );
    const value = fc.oneof(
      fc.constantFrom('STUDY', 'PATIENT', '1.2.3', '1^^^&1.2.3&ISO', '2026-01-15', '2026-01-15T10:00:00', 'IHE_BIR'),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (pairs) => {
        const query = String(new URLSearchParams(pairs));
        const [expression, why] = refusalOf(query);
        if (why === undefined) return;
        expect(LINK_REFUSALS).to.include(why);
        expect(expression).to.match(/^[\w.?-]{0,40}$/);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('Criteria of Invoke Image Display', () => {
  it('look for a number as it is written, and behind the OID of its issuer', () => {
    const [criterion] = criteriaOf(parse('requestType=STUDY&accessionNumber=1.2.250.7.A1'));
    expect(criterion).to.deep.equal({
      kind: 'token',
      param: 'identifier',
      values: [{ code: '1.2.250.7.A1' }, { system: 'urn:oid:1.2.250.7', code: 'A1' }],
    });
  });

  it('hold all together', () => {
    expect(criteriaOf(parse(`${STUDY}&accessionNumber=A&idCDA=1.2`)).map(({ kind }) => kind)).to.deep.equal([
      'token',
      'token',
      'has',
    ]);
    const asked = `${PATIENT}&lowerDateTime=2026-01-15&upperDateTime=2026-01-16&modalitiesInStudy=CT`;
    expect(criteriaOf(parse(asked)).map(({ kind }) => kind)).to.deep.equal(['chain', 'date', 'date', 'token']);
  });
});
