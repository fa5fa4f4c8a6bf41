import { expect } from 'chai';
import { assert, array, constantFrom, integer, property, tuple } from 'fast-check';
import { toldQuery } from '../../../profiles/audit/told-query.ts';

const sought = { names: new Set(['Patient/a', 'a', 'ImagingStudy/s', 's', 'urn:uuid:s']), isSought: true };
const beside = { ...sought, isSought: false };

describe('What an event of one person tells of a query', () => {
  for (const [name, asked, told] of [
    ['all of one that she alone fits', 'ImagingStudy?patient=Patient%2Fa&status=available', undefined],
    ['her name among others', 'ImagingStudy?patient=a,b', 'ImagingStudy?patient=a'],
    [
      'her name as a URL',
      'ImagingStudy?patient=Patient/b,http://x/fhir/Patient/a',
      'ImagingStudy?patient=http%3A%2F%2Fx%2Ffhir%2FPatient%2Fa',
    ],
    ['her row among others', 'ImagingStudy?_id=r,s,t', 'ImagingStudy?_id=s'],
    ['of identifiers among others none', 'Patient?identifier=urn:x|1,urn:x|2', 'Patient?identifier'],
    ['her identifier alone', 'Patient?identifier=urn:x|1', undefined],
    ['her identifier through her exam', 'ImagingStudy?patient.identifier=urn:x|1&_count=5', undefined],
    ['nothing that is said of somebody else', 'ImagingStudy?performer.name=Doe', 'ImagingStudy?performer.name'],
    ['nothing that other rows say', 'Patient?_has:ImagingStudy:patient:_id=z', 'Patient?_has:ImagingStudy:patient:_id'],
    ['in general what other rows say', 'Patient?_has:ImagingStudy:patient:modality=CT,MR&status:not=x', undefined],
    ['nothing that she is not', 'Patient?identifier:not=urn:x|2', 'Patient?identifier:not'],
    ['alternatives that name nobody', 'ImagingStudy?modality=CT,MR&_sort=-started', undefined],
    ['no place of another row', 'ImagingStudy?_cursor=WyJiIl0', 'ImagingStudy?_cursor'],
    ['no label', 'DocumentReference?security-label=x%7CINVISIBLE_PATIENT', 'DocumentReference?security-label'],
    ['no label of a chain', 'Binary?related._security=V&status=current', 'Binary?related._security&status=current'],
    ['an escaped comma as one value', 'Patient?name=Doe%5C%2CJohn', undefined],
    ['pairs without a path', 'studyUID=1.2,1.3&requestType=STUDY', 'studyUID&requestType=STUDY'],
    ['UIDs of a DICOMweb list', 'StudyInstanceUID=1.2%5C1.3', 'StudyInstanceUID'],
    ['the path of her study', '/dicomweb/studies/1.2/series?Modality=CT', undefined],
    ['how she was matched', 'Patient/$match by family, birthDate', undefined],
  ] as const)
    it(`is ${name}`, () => expect(toldQuery(asked, sought)).to.equal(told ?? asked));

  it('is of what comes with another row nothing but her own name', () => {
    expect(toldQuery('ImagingStudy?identifier=7&patient=b&_include=*', beside)).to.equal(
      'ImagingStudy?identifier&patient&_include=*',
    );
    expect(toldQuery('/dicomweb/studies/1.2.3/series?x=1', beside)).to.equal('/dicomweb/studies/…/series?x');
  });

  it('is as much of a stored query (ITI-18)', () => {
    const of = (query: object) => JSON.parse(toldQuery(JSON.stringify(query), sought)) as unknown;
    const one = { kind: 'FindDocuments', patientId: { value: '7', system: 'x' }, statuses: ['current', 'superseded'] };
    expect(of(one)).to.deep.equal(one);
    expect(of({ kind: 'GetDocuments', entryUUIDs: ['urn:uuid:r', 'urn:uuid:s'] })).to.deep.equal({
      kind: 'GetDocuments',
      entryUUIDs: ['urn:uuid:s'],
    });
    expect(of({ kind: 'FindDocuments', confidentialityCode: [[{ code: 'INVISIBLE_PATIENT' }]] })).to.deep.equal({
      kind: 'FindDocuments',
      confidentialityCode: [],
    });
    expect(of({ kind: 'x', referenceIdList: [[{ value: '1' }, { value: '2' }]] })).to.deep.equal({
      kind: 'x',
      referenceIdList: [],
    });
  });

  it('never names one of several that she is not, whatever the parameters', () => {
    const names = constantFrom('patient', 'subject', '_id', 'identifier', 'patient.identifier', 'accession', 'x.y');
    const values = array(integer({ min: 1_000_000, max: 9_999_999 }), { minLength: 2, maxLength: 4 });
    assert(
      property(array(tuple(names, values), { minLength: 1, maxLength: 4 }), (pairs) => {
        const [first = 0] = pairs[0]?.[1] ?? [];
        const text = `ImagingStudy?${pairs.map(([name, some]) => `${name}=${some.join(',')}`).join('&')}`;
        const told = toldQuery(text, { names: new Set([`${first}`]), isSought: true });
        const others = pairs.flatMap(([, some]) => some).filter((value) => value !== first);
        return others.every((value) => !told.includes(`${value}`));
      }),
    );
  });
});
