import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { oidUri } from '../../profiles/codes.ts';
import type { DicomJson, JsonAttribute } from '../../profiles/dicom/json.ts';
import { patientFromDicom } from '../../profiles/patient-from-dicom.ts';
import type { Validate } from '../../profiles/validate.ts';
import { loadDefinitions } from '../../server/runtime/definitions.ts';
import { faultOf } from '../support/thrown-fault.ts';
import { firstHeader, withAttributes } from '../support/imaging.ts';

const { strasbourg } = ESTABLISHMENTS;
const SOURCE = { organization: strasbourg.organization, patientIdSystem: oidUri(strasbourg.patientIdDomain) };

const lo = (...values: string[]): JsonAttribute => ({ vr: 'LO', Value: values });
const issuer = (id: string, type = 'ISO'): JsonAttribute => ({
  vr: 'SQ',
  Value: [{ '00400032': { vr: 'UT', Value: [id] }, '00400033': { vr: 'CS', Value: [type] } }],
});

describe('Patient of an image (DICOM PS3.3 C.7.1.1)', () => {
  let validate: Validate;
  let header: DicomJson;

  before(async () => {
    ({ validate } = await loadDefinitions());
    header = firstHeader(aStudy());
  });

  it('carries identifier, name, sex, birth date and establishment', () => {
    const { patient, identity } = patientFromDicom(header, SOURCE);
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

  it('takes an issuer that is an OID as system, and no other kind of issuer', () => {
    const foreign = withAttributes(header, { IssuerOfPatientIDQualifiersSequence: issuer('1.2.3.4') });
    const { patient, identity } = patientFromDicom(foreign, SOURCE);
    expect(identity.system).to.equal('urn:oid:1.2.3.4');
    expect(patient.identifier).to.deep.equal([identity]);
    for (const other of [undefined, issuer('https://example.org', 'URI'), issuer('1.02.3'), issuer('')]) {
      const json = withAttributes(header, { IssuerOfPatientIDQualifiersSequence: other });
      expect(patientFromDicom(json, SOURCE).identity.system).to.equal(SOURCE.patientIdSystem);
    }
  });

  it('adds other identifiers where their issuer is an OID, once', () => {
    const other = (id: string, oid?: string) => ({ '00100020': lo(id), ...(oid === undefined ? {} : { '00100024': issuer(oid) }) });
    const json = withAttributes(header, {
      OtherPatientIDsSequence: {
        vr: 'SQ',
        Value: [other('268046799900163', '1.2.250.1.213.1.4.10'), other('77'), other('8000012345', strasbourg.patientIdDomain)],
      },
    });
    const { patient } = patientFromDicom(json, SOURCE);
    validate(patient);
    expect(patient.identifier?.slice(1)).to.deep.equal([{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: '268046799900163' }]);
  });

  it('splits a name by its components and keeps other scripts as text (PS3.5 6.2.1.2)', () => {
    const json = withAttributes(header, {
      PatientName: { vr: 'PN', Value: [{ Alphabetic: 'Yamada^Tarou^Jun^Dr^PhD', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }] },
      PatientBirthName: { vr: 'PN', Value: [{ Alphabetic: 'Sato' }] },
    });
    const { patient } = patientFromDicom(json, SOURCE);
    validate(patient);
    const script = (valueCode: string) => [{ url: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation', valueCode }];
    expect(patient.name).to.deep.equal([
      { family: 'Yamada', given: ['Tarou', 'Jun'], prefix: ['Dr'], suffix: ['PhD'] },
      { extension: script('IDE'), text: '山田 太郎' },
      { extension: script('SYL'), text: 'やまだ たろう' },
      { use: 'maiden', family: 'Sato' },
    ]);
  });

  it('leaves out what FHIR cannot hold and stays valid', () => {
    const json = withAttributes(header, {
      PatientName: { vr: 'PN', Value: [{ Alphabetic: '^^^^' }] },
      PatientBirthDate: { vr: 'DA', Value: ['19680230'] },
      PatientSex: { vr: 'CS', Value: ['X'] },
    });
    const { patient } = patientFromDicom(json, SOURCE);
    validate(patient);
    expect(patient).to.not.have.any.keys('name', 'birthDate', 'gender');
    const odd = withAttributes(header, { PatientName: { vr: 'PN', Value: [{ Alphabetic: 'De\u00a0La\u001bTour^' }] } });
    expect(patientFromDicom(odd, SOURCE).patient.name).to.deep.equal([{ family: 'De La Tour' }]);
  });

  it('is known by the study when the image has no PatientID (type 2), and has no identifier then', () => {
    const { studyInstanceUID } = aStudy();
    for (const absent of [undefined, lo(), lo('   ')]) {
      const { patient, identity } = patientFromDicom(withAttributes(header, { PatientID: absent }), SOURCE);
      expect(identity).to.deep.equal({ system: 'urn:dicom:uid', value: `urn:oid:${studyInstanceUID}` });
      expect(validate(patient)).to.not.have.property('identifier');
    }
  });

  it('refuses an image without PatientID and study, and says so without any value', () => {
    const nameless = withAttributes(header, { PatientID: undefined, StudyInstanceUID: undefined });
    const fault = faultOf(() => patientFromDicom(nameless, SOURCE));
    expect([fault.kind, fault.expression]).to.deep.equal(['required', 'PatientID']);
    expect(fault.message).to.not.include('Valbr');
  });
});
