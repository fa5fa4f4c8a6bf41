import { expect } from 'chai';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { oidUri } from '../../../profiles/codes.ts';
import { formatTag } from '../../../profiles/dicom/data-element.ts';
import type { DicomJson, JsonAttribute } from '../../../profiles/dicom/json/json.ts';
import {
  PATIENT_TAGS,
  patientFromDicom,
  type DicomPatient,
  type PatientSource,
} from '../../../profiles/imaging/patient-from-dicom.ts';
import type { Validate } from '../../../profiles/validation/validate.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { faultOf } from '../../support/thrown-fault.ts';
import { firstHeader, withAttributes } from '../../support/imaging.ts';

const { strasbourg } = ESTABLISHMENTS;
const SOURCE = { organization: strasbourg.organization, patientIdSystem: oidUri(strasbourg.patientIdDomain) };

const lo = (...values: string[]): JsonAttribute => ({ vr: 'LO', Value: values });
const issuer = (id: string, type = 'ISO'): JsonAttribute => ({
  vr: 'SQ',
  Value: [{ '00400032': { vr: 'UT', Value: [id] }, '00400033': { vr: 'CS', Value: [type] } }],
});

const READ = new Set([...PATIENT_TAGS].map(formatTag));

/** The patient of a header, which must be that of its patient's attributes alone: nothing else is given at intake. */
function patientOf(json: DicomJson, source: PatientSource): DicomPatient {
  const patient = patientFromDicom(json, source);
  const alone = Object.fromEntries(Object.entries(json).filter(([tag]) => READ.has(tag)));
  expect(patientFromDicom(alone, source)).to.deep.equal(patient);
  return patient;
}

describe('Patient of an image (DICOM PS3.3 C.7.1.1)', () => {
  let validate: Validate;
  let header: DicomJson;

  before(async () => {
    ({ validate } = await loadDefinitions());
    header = firstHeader(aStudy());
  });

  it('carries identifier, name, sex, birth date and establishment', () => {
    const { patient, identity } = patientOf(header, SOURCE);
    expect(validate(patient)).to.deep.equal({
      resourceType: 'Patient',
      identifier: [
        {
          use: 'usual',
          type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PI' }] },
          system: SOURCE.patientIdSystem,
          value: '8000012345',
          assigner: { reference: strasbourg.organization },
        },
      ],
      active: true,
      name: [{ family: 'Valbrémont', given: ['Hélène'] }],
      gender: 'female',
      birthDate: '1968-04-17',
      managingOrganization: { reference: strasbourg.organization },
    });
    expect(identity).to.deep.equal({ system: SOURCE.patientIdSystem, value: '8000012345' });
  });

  const issued: readonly [name: string, changes: Parameters<typeof withAttributes>[1], identity: string][] = [
    ['an OID of the qualifiers', { IssuerOfPatientIDQualifiersSequence: issuer('1.2.3.4') }, 'urn:oid:1.2.3.4|77'],
    ['an OID without its type', { IssuerOfPatientIDQualifiersSequence: issuer('1.2.3.4', '') }, 'urn:oid:1.2.3.4|77'],
    ['an OID of type iso', { IssuerOfPatientIDQualifiersSequence: issuer('1.2.3.4', 'iso') }, 'urn:oid:1.2.3.4|77'],
    [
      'a URI',
      { IssuerOfPatientIDQualifiersSequence: issuer('https://example.org/ids', 'URI') },
      'https://example.org/ids|77',
    ],
    [
      'a URI of an OID, in capitals',
      { IssuerOfPatientIDQualifiersSequence: issuer('URN:OID:1.2.3.4', 'URI') },
      'urn:oid:1.2.3.4|77',
    ],
    [
      'a UUID',
      { IssuerOfPatientIDQualifiersSequence: issuer('9A0D3C4E-7C0F-4E52-8B61-0B9A4E5D2F10', 'UUID') },
      'urn:uuid:9a0d3c4e-7c0f-4e52-8b61-0b9a4e5d2f10|77',
    ],
    ['an OID in IssuerOfPatientID', { IssuerOfPatientID: lo('1.2.3.5') }, 'urn:oid:1.2.3.5|77'],
    ['a designator of HL7 v2', { IssuerOfPatientID: lo('CHU&1.2.3.6&ISO') }, 'urn:oid:1.2.3.6|77'],
    [
      'the qualifiers before the name',
      { IssuerOfPatientID: lo('1.2.3.5'), IssuerOfPatientIDQualifiersSequence: issuer('1.2.3.4') },
      'urn:oid:1.2.3.4|77',
    ],
  ];
  for (const [name, changes, identity] of issued) {
    it(`takes as issuer ${name}`, () => {
      const json = withAttributes(header, {
        IssuerOfPatientIDQualifiersSequence: undefined,
        PatientID: lo('77'),
        ...changes,
      });
      const built = patientOf(json, SOURCE);
      validate(built.patient);
      expect(`${built.identity.system}|${built.identity.value}`).to.equal(identity);
      expect(built.patient.identifier).to.deep.equal([built.identity]);
      expect(built.foreignIssuer, 'no number of the establishment').to.equal(built.identity.system);
    });
  }

  it('takes the establishment as issuer where none is named that is known beyond it', () => {
    for (const other of [
      undefined,
      issuer('https://example.org/a b', 'URI'),
      issuer('chu.example', 'DNS'),
      issuer('1.02.3'),
      issuer('1.2'),
      issuer(''),
      issuer(strasbourg.patientIdDomain),
    ]) {
      for (const name of [undefined, lo('CHU'), lo('1.2'), lo('CHU&chu.example&DNS')]) {
        const json = withAttributes(header, { IssuerOfPatientIDQualifiersSequence: other, IssuerOfPatientID: name });
        const { patient, identity, foreignIssuer } = patientOf(json, SOURCE);
        expect(identity.system).to.equal(SOURCE.patientIdSystem);
        expect(foreignIssuer).to.equal(undefined);
        expect(patient.identifier?.[0]?.assigner?.reference).to.equal(strasbourg.organization);
      }
    }
  });

  it('takes the establishment as issuer where a reserved system is named, and no other identifier of such', () => {
    for (const system of ['urn:dicom:uid', 'URN:DICOM:UID', 'urn:ietf:rfc:3986', 'urn:passerelle:study']) {
      const reserved = issuer(system, 'URI');
      const other: DicomJson = { '00100020': lo('77'), '00100024': reserved };
      const json = withAttributes(header, {
        IssuerOfPatientIDQualifiersSequence: reserved,
        OtherPatientIDsSequence: { vr: 'SQ', Value: [other] },
      });
      const { patient, identity } = patientOf(json, SOURCE);
      expect(identity).to.deep.equal({ system: SOURCE.patientIdSystem, value: '8000012345' });
      expect(patient.identifier?.map((one) => one.system)).to.deep.equal([SOURCE.patientIdSystem]);
    }
  });

  it('says of which kind an identifier is where its qualifiers do (v2-0203)', () => {
    const qualifiers: JsonAttribute = {
      vr: 'SQ',
      Value: [{ ...(issuer('1.2.3.4').Value?.[0] as DicomJson), '00400035': { vr: 'CS', Value: ['MR'] } }],
    };
    const { patient } = patientOf(withAttributes(header, { IssuerOfPatientIDQualifiersSequence: qualifiers }), SOURCE);
    validate(patient);
    expect(patient.identifier?.[0]?.type?.coding).to.deep.equal([
      { system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' },
    ]);
  });

  it('keeps a national PatientID beside the number that it is here, and believes none with a wrong key', () => {
    const of = (value: string, changes: Parameters<typeof withAttributes>[1]) =>
      patientOf(
        withAttributes(header, { IssuerOfPatientIDQualifiersSequence: undefined, PatientID: lo(value), ...changes }),
        SOURCE,
      );
    const byOID = of('2 68 04 67 999 001 63', { IssuerOfPatientIDQualifiersSequence: issuer('1.2.250.1.213.1.4.10') });
    validate(byOID.patient);
    expect(byOID.identity).to.deep.equal({ system: SOURCE.patientIdSystem, value: '268046799900163' });
    expect(byOID.foreignIssuer).to.equal(undefined);
    expect(byOID.patient.identifier?.map(({ system, value }) => [system, value])).to.deep.equal([
      [SOURCE.patientIdSystem, '268046799900163'],
      ['urn:oid:1.2.250.1.213.1.4.10', '268046799900163'],
    ]);
    expect(byOID.patient.identifier?.[1]?.type?.coding?.[0]?.code).to.equal('INS-NIR-TEST');
    for (const [value, changes, system] of [
      ['268046799900163', { IssuerOfPatientID: lo('ASIP-SANTE-INS-NIR') }, 'urn:oid:1.2.250.1.213.1.4.8'],
      ['1983020900199', { IssuerOfPatientIDQualifiersSequence: issuer('1.3.182.4.4') }, 'urn:oid:1.3.182.4.4'],
    ] as const) {
      const { identity, patient, foreignIssuer } = of(value, changes);
      expect(identity).to.deep.equal({ system: SOURCE.patientIdSystem, value });
      expect(foreignIssuer).to.equal(undefined);
      expect(patient.identifier?.[1]).to.include({ system, value });
    }
    const wrong = of('268046799900164', { IssuerOfPatientIDQualifiersSequence: issuer('1.2.250.1.213.1.4.8') });
    expect(wrong.identity).to.deep.equal({ system: SOURCE.patientIdSystem, value: '268046799900164' });
  });

  it('adds other identifiers whose issuer is known, once, and national ones that can be such', () => {
    const other = (id: string, oid?: string, name?: string) => ({
      '00100020': lo(id),
      ...(name !== undefined && { '00100021': lo(name) }),
      ...(oid !== undefined && { '00100024': issuer(oid) }),
    });
    const json = withAttributes(header, {
      OtherPatientIDsSequence: {
        vr: 'SQ',
        Value: [
          other('268046799900163', '1.2.250.1.213.1.4.10'),
          other('77'),
          other('78', undefined, 'CHU'),
          other('8000012345', strasbourg.patientIdDomain),
          other('268046799900164', '1.2.250.1.213.1.4.8'),
          other('1983023000199', '1.3.182.4.4'),
          other('268046799900163', undefined, 'ASIP-SANTE-INS-NIR'),
          other('79', '1.2.3'),
          other('79', '1.2.3'),
        ],
      },
    });
    const { patient } = patientOf(json, SOURCE);
    validate(patient);
    expect(patient.identifier?.slice(1).map(({ system, value, use }) => `${system}|${value} ${use}`)).to.deep.equal([
      'urn:oid:1.2.250.1.213.1.4.10|268046799900163 official',
      'urn:oid:1.2.250.1.213.1.4.8|268046799900163 official',
      'urn:oid:1.2.3|79 undefined',
    ]);
  });

  it('reads no more identifiers than a person has, and none that is longer than an identifier', () => {
    const ids = Array.from({ length: 5_000 }, (_, at): DicomJson => ({
      '00100020': lo(`${at}`),
      '00100024': issuer('1.2.3'),
    }));
    const { patient } = patientOf(
      withAttributes(header, {
        OtherPatientIDsSequence: { vr: 'SQ', Value: [{ ...ids[0], '00100020': lo('x'.repeat(2_000)) }, ...ids] },
      }),
      SOURCE,
    );
    validate(patient);
    expect(patient.identifier).to.have.length(100);
    const tooLong = patientOf(withAttributes(header, { PatientID: lo('x'.repeat(2_000)) }), SOURCE);
    expect([tooLong.identity.system, tooLong.patient.identifier]).to.deep.equal(['urn:dicom:uid', undefined]);
  });

  it('splits a name by its components and keeps other scripts as text (PS3.5 6.2.1.2)', () => {
    const json = withAttributes(header, {
      PatientName: {
        vr: 'PN',
        Value: [{ Alphabetic: 'Yamada^Tarou^Jun^Dr^PhD', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }],
      },
      PatientBirthName: { vr: 'PN', Value: [{ Alphabetic: 'Sato' }] },
      OtherPatientNames: { vr: 'PN', Value: [{ Alphabetic: 'Yamada^Taro' }] },
    });
    const { patient } = patientOf(json, SOURCE);
    validate(patient);
    const script = (valueCode: string) => [
      { url: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation', valueCode },
    ];
    expect(patient.name).to.deep.equal([
      { family: 'Yamada', given: ['Tarou', 'Jun'], prefix: ['Dr'], suffix: ['PhD'] },
      { extension: script('IDE'), text: '山田 太郎' },
      { extension: script('SYL'), text: 'やまだ たろう' },
      { use: 'maiden', family: 'Sato' },
      { family: 'Yamada', given: ['Taro'] },
    ]);
  });

  it('leaves out what FHIR cannot hold and stays valid', () => {
    const json = withAttributes(header, {
      PatientName: { vr: 'PN', Value: [{ Alphabetic: '^^^^' }] },
      PatientBirthDate: { vr: 'DA', Value: ['19680230'] },
      PatientSex: { vr: 'CS', Value: ['X'] },
    });
    const { patient } = patientOf(json, SOURCE);
    validate(patient);
    expect(patient).to.not.have.any.keys('name', 'birthDate', 'gender');
    for (const sex of ['constructor', '__proto__', 'toString']) {
      const other = withAttributes(header, { PatientSex: { vr: 'CS', Value: [sex] } });
      expect(patientOf(other, SOURCE).patient, sex).to.not.have.property('gender');
    }
    const odd = withAttributes(header, { PatientName: { vr: 'PN', Value: [{ Alphabetic: 'De\u00a0La\u001bTour^' }] } });
    expect(patientOf(odd, SOURCE).patient.name).to.deep.equal([{ family: 'De La Tour' }]);
  });

  it('is known by the study when the image has no PatientID (type 2), and has no identifier then', () => {
    const { studyInstanceUID } = aStudy();
    for (const absent of [undefined, lo(), lo('   ')]) {
      const { patient, identity } = patientOf(withAttributes(header, { PatientID: absent }), SOURCE);
      expect(identity).to.deep.equal({ system: 'urn:dicom:uid', value: `urn:oid:${studyInstanceUID}` });
      expect(validate(patient)).to.not.have.property('identifier');
    }
  });

  it('refuses an image without PatientID and study, and says so without any value', () => {
    const nameless = withAttributes(header, { PatientID: undefined, StudyInstanceUID: undefined });
    const fault = faultOf(() => patientOf(nameless, SOURCE));
    expect([fault.kind, fault.expression]).to.deep.equal(['required', 'PatientID']);
    expect(fault.message).to.not.include('Valbr');
  });
});
