import { expect } from 'chai';
import type { DocumentReference, Practitioner } from '@medplum/fhirtypes';
import { DOCUMENT_ENTRY_CLASSIFICATION as SCHEME, NAMESPACE } from '../../../ihe/codes.ts';
import { formatDocumentEntry, formatObjectRef } from '../../../ihe/ebxml/document-entry.ts';
import type { DocumentEntrySource } from '../../../ihe/ebxml/document-entry.ts';
import { attributeOf, childrenNamed, selectElements } from '../../../ihe/xml/select.ts';
import { withXml } from '../../../ihe/xml/parse.ts';
import { Fault } from '../../../profiles/fault.ts';
import { aDocument, aPatient } from '../../support/clients/xds.ts';

function source(
  changes: Partial<DocumentReference> = {},
  more: Partial<DocumentEntrySource> = {},
): DocumentEntrySource {
  return {
    document: aDocument(changes),
    patient: aPatient(),
    patientId: 'pat-1^^^&1.2.3.4&ISO',
    repositoryUniqueId: '2.25.2',
    homeCommunityId: 'urn:oid:2.25.3',
    ...more,
  };
}

type Entry = {
  readonly attributes: Readonly<Record<string, string>>;
  readonly slots: Readonly<Record<string, readonly string[]>>;
  /** Per scheme: code, codingScheme and display name. */
  readonly codes: Readonly<Record<string, readonly string[]>>;
  readonly authors: readonly Readonly<Record<string, readonly string[]>>[];
  readonly identifiers: Readonly<Record<string, string>>;
  readonly name: string | undefined;
  readonly ids: readonly string[];
};

/** Reads the entry back as a consumer would. */
function entryOf(from: DocumentEntrySource): Entry {
  const xml = `<rim:L xmlns:rim="${NAMESPACE.rim}">${formatDocumentEntry(from)}</rim:L>`;
  return withXml(Buffer.from(xml), (document) => {
    const [entry] = selectElements(document, '/*/rim:ExtrinsicObject');
    if (entry === undefined) throw new Error('No entry');
    const slotsOf = (element: typeof entry) =>
      Object.fromEntries(
        childrenNamed(element, 'rim', 'Slot').map((slot) => [
          attributeOf(slot, 'name'),
          selectElements(slot, './/rim:Value').map((value) => value.content),
        ]),
      );
    const nameOf = (element: typeof entry) =>
      selectElements(element, './rim:Name/rim:LocalizedString')[0]?.attr('value')?.value;
    const classifications = childrenNamed(entry, 'rim', 'Classification');
    const schemeOf = (element: typeof entry) => attributeOf(element, 'classificationScheme') ?? '';
    return {
      attributes: Object.fromEntries(entry.attrs.map(({ name, value }) => [name, value])),
      slots: slotsOf(entry),
      codes: Object.fromEntries(
        classifications.map((element) => [
          schemeOf(element),
          [
            attributeOf(element, 'nodeRepresentation') ?? '',
            ...(slotsOf(element)['codingScheme'] ?? []),
            nameOf(element) ?? '',
          ],
        ]),
      ),
      authors: classifications.filter((element) => schemeOf(element) === SCHEME.author).map(slotsOf),
      identifiers: Object.fromEntries(
        childrenNamed(entry, 'rim', 'ExternalIdentifier').map((element) => [
          nameOf(element),
          attributeOf(element, 'value'),
        ]),
      ),
      name: nameOf(entry),
      ids: selectElements(entry, './/*[@id]').map((element) => attributeOf(element, 'id') ?? ''),
    };
  });
}

describe('DocumentEntry of a DocumentReference (ITI TF-3 4.2.3.2)', () => {
  it('writes identity, status, type and home', () => {
    const { attributes } = entryOf(source());
    expect(attributes).to.deep.equal({
      id: 'urn:uuid:1415538d-41bc-41b2-9ae6-8b785f7f3aa6',
      lid: 'urn:uuid:1415538d-41bc-41b2-9ae6-8b785f7f3aa6',
      objectType: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
      status: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved',
      mimeType: 'application/dicom',
      home: 'urn:oid:2.25.3',
    });
  });

  it('answers a superseded document as Deprecated', () => {
    expect(entryOf(source({ status: 'superseded' })).attributes['status']).to.match(/:Deprecated$/);
  });

  it('writes the slots: times in UTC, SHA-1 in hexadecimal, identifiers as CX and CXi', () => {
    expect(entryOf(source()).slots).to.deep.equal({
      creationTime: ['20240305091500'],
      hash: ['da39a3ee5e6b4b0d3255bfef95601890afd80709'],
      size: ['1536'],
      languageCode: ['fr-FR'],
      repositoryUniqueId: ['2.25.2'],
      serviceStartTime: ['20240305090000'],
      serviceStopTime: ['20240305093000'],
      sourcePatientId: ['other^^^&9.9.9&ISO'],
      sourcePatientInfo: ['PID-3|other^^^&9.9.9&ISO', 'PID-5|Essai^Anne Marie^^^', 'PID-7|19610402', 'PID-8|F'],
      'urn:ihe:iti:xds:2013:referenceIdList': [
        '2.25.77^^^^urn:ihe:iti:xds:2016:studyInstanceUID',
        'ACC-9^^^&1.2.7&ISO^urn:ihe:iti:xds:2013:accession',
      ],
    });
  });

  it('writes every code with its scheme as an OID and its name', () => {
    const { codes } = entryOf(source());
    expect(codes[SCHEME.classCode]).to.deep.equal(['IMAGES', '1.3.6.1.4.1.19376.1.2.6.1', 'Images']);
    expect(codes[SCHEME.typeCode]).to.deep.equal(['18748-4', '2.16.840.1.113883.6.1', 'Diagnostic imaging study']);
    expect(codes[SCHEME.confidentialityCode]).to.deep.equal(['N', '2.16.840.1.113883.5.25', 'N']);
    expect(codes[SCHEME.eventCodeList]).to.deep.equal(['CT', '1.2.840.10008.2.16.4', 'CT']);
    expect(codes[SCHEME.formatCode]?.slice(0, 2)).to.deep.equal([
      '1.2.840.10008.5.1.4.1.1.88.59',
      '1.2.840.10008.2.6.1',
    ]);
    expect(codes[SCHEME.healthcareFacilityTypeCode]?.[1]).to.equal('2.16.840.1.113883.6.96');
    expect(codes[SCHEME.practiceSettingCode]?.[0]).to.equal('394914008');
  });

  it('writes one author for each, from contained roles and from displays', () => {
    expect(entryOf(source()).authors).to.deep.equal([
      {
        authorPerson: ['899700000001^Image^Paul^^^Dr^^^&1.2.250.1.71.4.2.1&ISO'],
        authorInstitution: ['CHU \\T\\ Associés'],
        authorSpecialty: ['SM44^^^&1.2.250.1.71.4.2.5&ISO'],
      },
      { authorInstitution: ['Clinique du Parc'] },
    ]);
  });

  it('does not follow a role that names itself', () => {
    const role = { resourceType: 'PractitionerRole', id: 'r', practitioner: { reference: '#r' } } as const;
    expect(entryOf(source({ contained: [role], author: [{ reference: '#r' }] })).authors).to.deep.equal([]);
  });

  it('takes resources that are not contained from the caller', () => {
    const practitioner: Practitioner = { resourceType: 'Practitioner', name: [{ family: 'Dehors' }] };
    const changes = { author: [{ reference: 'Practitioner/1' }], authenticator: { reference: 'Practitioner/1' } };
    const { authors, slots } = entryOf(source(changes, { resolve: () => practitioner }));
    expect(authors).to.deep.equal([{ authorPerson: ['^Dehors'] }]);
    expect(slots['legalAuthenticator']).to.deep.equal(['^Dehors']);
  });

  it('writes the patientId of the affinity domain, and a bare uniqueId', () => {
    expect(entryOf(source()).identifiers).to.deep.equal({
      'XDSDocumentEntry.patientId': 'pat-1^^^&1.2.3.4&ISO',
      'XDSDocumentEntry.uniqueId': '2.25.500',
    });
  });

  it('writes as sourcePatientId what the source numbers the patient by, not the patientId that it lists before', () => {
    const national = { system: 'urn:oid:1.2.250.1.213.1.4.10', value: '279036799900487' };
    const own = { system: 'urn:oid:1.2.3.4', value: 'pat-1' };
    const patientId = '279036799900487^^^&1.2.250.1.213.1.4.10&ISO';
    const of = (...identifier: (typeof own)[]) =>
      entryOf(source({}, { patientId, patient: { ...aPatient(), identifier } })).slots;
    expect(of(national, own)['sourcePatientId']).to.deep.equal(['pat-1^^^&1.2.3.4&ISO']);
    expect(of(own, national)['sourcePatientInfo']?.[0]).to.equal('PID-3|pat-1^^^&1.2.3.4&ISO');
    expect(of(national)['sourcePatientId']).to.deep.equal([patientId]);
    expect(of()).to.not.have.property('sourcePatientId');
  });

  it('writes the uniqueId of a CDA document as root^extension', () => {
    const masterIdentifier = { system: 'urn:oid:1.2.3', value: 'DOC-1' };
    expect(entryOf(source({ masterIdentifier })).identifiers['XDSDocumentEntry.uniqueId']).to.equal('1.2.3^DOC-1');
  });

  it('gives its parts ids that are UUIDs, differ, and stay the same', () => {
    const { ids } = entryOf(source());
    expect(new Set(ids).size).to.equal(ids.length);
    for (const id of ids)
      expect(id).to.match(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(entryOf(source()).ids).to.deep.equal(ids);
  });

  it('leaves out what the resource lacks, and values over 256 characters', () => {
    const long = { identifier: { system: 'urn:dicom:uid', value: '1'.repeat(300) } };
    const bare = aDocument({ context: { related: [long] }, content: [{ attachment: { hash: 'AAAA' } }] });
    const { slots, codes, name } = entryOf(source({}, { document: bare }));
    expect(slots).to.have.all.keys('repositoryUniqueId', 'sourcePatientId', 'sourcePatientInfo');
    expect(codes).not.to.have.property(SCHEME.formatCode);
    expect(name).to.equal(undefined);
  });

  it('cuts a title to 128 bytes without breaking a character', () => {
    const title = `a${'é'.repeat(100)}`;
    const { name } = entryOf(source({ content: [{ attachment: { title } }] }));
    expect(name).to.equal(`a${'é'.repeat(63)}`);
  });

  it('refuses a document without entryUUID or uniqueId', () => {
    expect(() => formatObjectRef(source({ identifier: [] }))).to.throw(Fault, /entryUUID/);
    const { masterIdentifier: _, ...anonymous } = aDocument();
    expect(() => formatDocumentEntry(source({}, { document: anonymous }))).to.throw(Fault, /uniqueId/);
  });

  it('takes a logical id that is a UUID as entryUUID', () => {
    const id = '0d4b8f5e-7a1c-4c7e-9a57-2f0a1d3c5b7e';
    expect(formatObjectRef(source({ identifier: [], id }))).to.contain(`id="urn:uuid:${id}"`);
  });
});
