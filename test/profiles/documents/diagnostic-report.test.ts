import type { DiagnosticReport } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { isValidated, requireReport, studiesOf } from '../../../profiles/documents/diagnostic-report.ts';
import { faultOf } from '../../support/thrown-fault.ts';

const PDF = { contentType: 'application/pdf', data: 'JVBERi0=' };

function aReport(changes: Partial<DiagnosticReport> = {}): DiagnosticReport {
  return {
    resourceType: 'DiagnosticReport',
    status: 'final',
    code: { text: 'Scanner' },
    subject: { reference: 'Patient/1' },
    presentedForm: [PDF],
    ...changes,
  };
}

describe('DiagnosticReport of an establishment', () => {
  it('names its studies by Study Instance UID, once each', () => {
    const report = aReport({
      imagingStudy: [
        { identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.2.3' } },
        { identifier: { system: 'urn:dicom:uid', value: '1.2.4' } },
        { identifier: { system: 'urn:dicom:uid', value: 'URN:OID:1.2.6' } },
        { identifier: { system: 'urn:dicom:uid', value: 'Urn:Oid:1.2.7' } },
        { identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.2.3' } },
        { identifier: { system: 'urn:dicom:uid', value: 'urn:oid:none' } },
        { identifier: { system: 'urn:oid:1.9', value: 'urn:oid:1.2.5' } },
        { reference: 'ImagingStudy/1' },
      ],
    });
    expect(studiesOf(report)).to.deep.equal(['1.2.3', '1.2.4', '1.2.6', '1.2.7']);
    expect(studiesOf(aReport())).to.deep.equal([]);
  });

  it('is validated from final on', () => {
    const statuses = [
      'registered',
      'partial',
      'preliminary',
      'final',
      'amended',
      'corrected',
      'appended',
      'cancelled',
      'entered-in-error',
      'unknown',
    ] as const;
    expect(statuses.filter((status) => isValidated(aReport({ status })))).to.deep.equal([
      'final',
      'amended',
      'corrected',
      'appended',
    ]);
  });

  it('gives its PDF forms, whatever the parameters of their type', () => {
    const withParameters = { ...PDF, contentType: 'Application/PDF; version=1.7' };
    const report = aReport({ presentedForm: [{ contentType: 'text/html', data: 'PGI+' }, PDF, withParameters] });
    expect(requireReport(report)).to.deep.equal([PDF, withParameters]);
  });

  it('is refused where a reserved system numbers its order, or its exam otherwise than by UID', () => {
    const order = (system: string): DiagnosticReport['basedOn'] => [{ identifier: { system, value: 'urn:oid:1.2.3' } }];
    for (const system of ['urn:dicom:uid', 'URN:dicom:uid', 'urn:ietf:rfc:3986', 'urn:passerelle:study']) {
      const fault = faultOf(() => requireReport(aReport({ basedOn: order(system) ?? [] })));
      expect([fault.kind, fault.expression]).to.deep.equal(['invalid', 'DiagnosticReport.basedOn']);
    }
    for (const system of ['urn:ietf:rfc:3986', 'urn:passerelle:study']) {
      const identifier = { system, value: 'urn:oid:1.2.3' };
      const fault = faultOf(() => requireReport(aReport({ imagingStudy: [{ identifier }] })));
      expect([fault.kind, fault.expression]).to.deep.equal(['invalid', 'DiagnosticReport.imagingStudy']);
    }
    const numbered = { system: 'urn:oid:1.2.250.9', value: 'A-1' };
    const exam = { system: 'urn:dicom:uid', value: 'urn:oid:1.2.3' };
    const imagingStudy = [{ identifier: exam }, { identifier: numbered }];
    expect(requireReport(aReport({ basedOn: [{ identifier: numbered }], imagingStudy }))).to.deep.equal([PDF]);
  });

  const { subject: _s, ...withoutSubject } = aReport();
  const { code: _c, ...withoutCode } = aReport();
  const { status: _t, ...withoutStatus } = aReport();
  const { presentedForm: _p, ...withoutForm } = aReport();
  const refused: readonly [element: string, report: object][] = [
    ['subject', withoutSubject],
    ['subject', aReport({ subject: { display: 'Somebody' } })],
    ['code', withoutCode],
    ['status', withoutStatus],
    ['presentedForm', withoutForm],
    ['presentedForm', aReport({ presentedForm: [{ contentType: 'text/html', data: 'PGI+' }] })],
    [
      'presentedForm',
      aReport({ presentedForm: [{ contentType: 'application/pdf', url: 'https://example.org/1.pdf' }] }),
    ],
  ];
  for (const [element, report] of refused) {
    it(`is refused where ${element} is not as it must be`, () => {
      const fault = faultOf(() => requireReport(report as DiagnosticReport));
      expect(fault.kind).to.equal('required');
      expect(fault.expression).to.equal(`DiagnosticReport.${element}`);
    });
  }
});
