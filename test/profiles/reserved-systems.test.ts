import { expect } from 'chai';
import { TAG } from '../../profiles/dicom/attributes.ts';
import { formatTag } from '../../profiles/dicom/data-element.ts';
import { issuerSystemOf } from '../../profiles/dicom/issuer.ts';
import type { DicomJson, JsonAttribute } from '../../profiles/dicom/json/json.ts';
import { accessionsOf } from '../../profiles/imaging/orders.ts';
import { isReservedSystem } from '../../profiles/reserved-systems.ts';

const RESERVED = ['urn:dicom:uid', 'URN:DICOM:UID', 'urn:ietf:rfc:3986', 'urn:passerelle:study', 'Urn:Passerelle:x'];
const ISSUERS = [
  TAG.IssuerOfAccessionNumberSequence,
  TAG.IssuerOfPatientIDQualifiersSequence,
  TAG.IssuerOfAdmissionIDSequence,
  TAG.IssuerOfTheSpecimenIdentifierSequence,
];

/** An image whose numbers a URI issues: its accession number, and that of a request. */
function imageOf(uri: string): DicomJson {
  const item: DicomJson = { '00400032': { vr: 'UT', Value: [uri] }, '00400033': { vr: 'CS', Value: ['URI'] } };
  const issuer: JsonAttribute = { vr: 'SQ', Value: [item] };
  const request: DicomJson = { '00080050': { vr: 'SH', Value: ['A-2'] }, '00080051': issuer };
  return {
    '00080050': { vr: 'SH', Value: ['urn:oid:1.2.3'] },
    '00400275': { vr: 'SQ', Value: [request] },
    ...Object.fromEntries(ISSUERS.map((tag) => [formatTag(tag), issuer])),
  };
}

describe('Reserved systems', () => {
  it('are those of UIDs, of URIs and of this product, whatever their case, and no others', () => {
    expect(RESERVED.map(isReservedSystem)).to.deep.equal(RESERVED.map(() => true));
    const others = ['', 'urn:oid:1.2.3', 'urn:dicom:uids', 'https://example.org/urn:dicom:uid', 'urn:passerellex'];
    expect(others.map(isReservedSystem)).to.deep.equal(others.map(() => false));
  });

  it('are no issuer of an image (DICOM PS3.3 table 10-17), so its numbers are the establishment’s', () => {
    for (const system of RESERVED) {
      const image = imageOf(system);
      expect(ISSUERS.map((tag) => issuerSystemOf(image, tag))).to.deep.equal(ISSUERS.map(() => undefined));
      const accessions = accessionsOf([image], { organization: 'Organization/a', accessionSystem: 'urn:oid:2.25.77' });
      const named = accessions.map(({ system: of, value, assigner }) => [of, value, assigner?.reference]);
      expect(named).to.deep.equal([
        ['urn:oid:2.25.77', 'urn:oid:1.2.3', 'Organization/a'],
        ['urn:oid:2.25.77', 'A-2', 'Organization/a'],
      ]);
    }
    const uri = 'https://example.org/orders';
    expect(ISSUERS.map((tag) => issuerSystemOf(imageOf(uri), tag))).to.deep.equal(ISSUERS.map(() => uri));
  });
});
