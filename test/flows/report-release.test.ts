/** Which reports release an exam to its patient (access.md R-51), who may stand in a report, and who its author is. */
import type { AuditEvent, Bundle, DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { eventually, expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { runCommand } from '../support/command.ts';
import { byStudyUid } from '../support/demonstration.ts';
import {
  anExam,
  aReport,
  bytesAt,
  countOf,
  describeReports,
  documentsOf,
  examByUid,
  imagesOf,
  put,
  seen,
  sent,
  type ReportSaid,
} from './support/report-region.ts';

const { strasbourg, nancy, luxembourg } = ESTABLISHMENTS;
const V = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }] };

async function released(patient: FhirCaller, study: DemoStudy, total: number): Promise<void> {
  await eventually(async () =>
    (await countOf(patient, `ImagingStudy?${byStudyUid(study)}`)) === total ? true : undefined,
  );
}

describeReports('An exam is released to its patient', { nancyReadsFor: [strasbourg.organization] }, (region) => {
  /** Waits until what follows from what was sent before is derived: a report of its own has released another exam. */
  const settled = async (key: string): Promise<void> => {
    const study = anExam(`settled/${key}`);
    await imagesOf(region(), study);
    await sent(region().strasbourg, aReport(region(), `settled/${key}`, { imagingStudy: [examByUid(study)] }));
    await released(region().patient, study, 1);
  };

  it('by a validated report of its establishment, until that is cancelled or was an error', async () => {
    for (const status of ['cancelled', 'entered-in-error'] as const) {
      const study = anExam(`ended/${status}`);
      await imagesOf(region(), study);
      const uid = `urn:oid:${study.studyInstanceUID}`;
      const imagingStudy = [examByUid(study)];
      const key = `ended/${status}`;
      await sent(region().strasbourg, aReport(region(), key, { imagingStudy, status: 'preliminary' }));
      await settled(key);
      await released(region().patient, study, 0);
      await put(region().strasbourg, aReport(region(), key, { imagingStudy }));
      await released(region().patient, study, 1);
      expect(
        await countOf(
          region().patient,
          `DocumentReference?related:identifier=urn:dicom:uid|urn:oid:${study.studyInstanceUID}`,
        ),
      ).to.be.greaterThan(0);
      await put(region().strasbourg, aReport(region(), key, { imagingStudy, status }));
      await released(region().patient, study, 0);
      const manifests = await region().patient.find<DocumentReference>(
        `DocumentReference?related:identifier=urn:dicom:uid|${uid}&format=1.2.840.10008.5.1.4.1.1.88.59`,
      );
      expect(manifests).to.deep.equal([]);
    }
  });

  it('as long as one of several reports stands', async () => {
    const study = anExam('several');
    await imagesOf(region(), study);
    const imagingStudy = [examByUid(study)];
    for (const key of ['several-1', 'several-2'])
      await sent(region().strasbourg, aReport(region(), key, { imagingStudy }));
    await released(region().patient, study, 1);
    await put(region().strasbourg, aReport(region(), 'several-1', { imagingStudy, status: 'cancelled' }));
    await settled('several');
    await released(region().patient, study, 1);
    await put(region().strasbourg, aReport(region(), 'several-2', { imagingStudy, status: 'entered-in-error' }));
    await released(region().patient, study, 0);
  });

  it('by a report that came before its images', async () => {
    const study = anExam('report-first');
    await sent(region().strasbourg, aReport(region(), 'report-first', { imagingStudy: [examByUid(study)] }));
    await imagesOf(region(), study);
    await released(region().patient, study, 1);
  });

  it('by a declared second reader, and linked', async () => {
    const study = anExam('second-reader');
    const exam = await imagesOf(region(), study);
    const subject = { reference: `Patient/${region().patients.heleneNancy}` };
    const id = await sent(
      region().nancy,
      aReport(region(), 'second-reader', { subject, imagingStudy: [examByUid(study)] }),
    );
    await released(region().patient, study, 1);
    expect(
      await countOf(region().patient, `DiagnosticReport?_id=${id}&imaging-study=ImagingStudy/${exam.id}`),
    ).to.equal(1);
  });

  it('not by an establishment that does not read for it, whose report tells nothing of it', async () => {
    const study = anExam('foreign', { establishment: 'nancy', modality: 'CR', started: '2024-05-06T07:08:09' });
    const exam = await imagesOf(region(), study);
    for (const imagingStudy of [[examByUid(study)], [{ reference: `ImagingStudy/${exam.id}` }]]) {
      const { effectiveDateTime: _, ...report } = aReport(
        region(),
        `foreign-${Object.keys(imagingStudy[0] ?? {}).join()}`,
        { imagingStudy },
      );
      const id = await sent(region().strasbourg, report);
      await settled(report.identifier?.[0]?.value ?? '');
      await released(region().patient, study, 0);
      expect(
        (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>().imagingStudy,
      ).to.deep.equal(imagingStudy);
      const [document] = await documentsOf(region().strasbourg, id);
      const said = JSON.stringify(document);
      expect(said)
        .to.not.include(exam.id)
        .and.not.include('"CR"')
        .and.not.include('2024-05-06')
        .and.not.include(study.accessionNumber);
    }
  });

  it('not by a report of another patient', async () => {
    const study = anExam('other-patient', { modality: 'MR' });
    await imagesOf(region(), study);
    const subject = { reference: `Patient/${region().patients.gaetan}` };
    const id = await sent(
      region().strasbourg,
      aReport(region(), 'other-patient', { subject, imagingStudy: [examByUid(study)] }),
    );
    await settled('other-patient');
    await released(region().patient, study, 0);
    const [document] = await documentsOf(region().strasbourg, id);
    expect(document?.context?.event).to.equal(undefined);
  });

  it('an erasure of the exam takes its own reports and leaves those of others', async () => {
    const study = anExam('erased');
    const exam = await imagesOf(region(), study);
    const imagingStudy = [examByUid(study)];
    const own = await sent(region().strasbourg, aReport(region(), 'erased', { imagingStudy }));
    const wrong = await sent(region().strasbourg, aReport(region(), 'erased-wrong', { imagingStudy }));
    await put(region().strasbourg, aReport(region(), 'erased-wrong', { imagingStudy, status: 'entered-in-error' }));
    const other = aReport(region(), 'erased-other', {
      subject: { reference: `Patient/${region().patients.gaetan}` },
      imagingStudy,
    });
    const ofOther = await sent(region().strasbourg, other);
    await released(region().patient, study, 1);
    const place = { dataDir: region().server.dataDir, store: region().store };
    const ended = await runCommand('erase', [study.studyInstanceUID, '--yes'], place);
    expect(ended.code, ended.stderr).to.equal(0);
    for (const id of [own, wrong]) expect(await seen(region().strasbourg, `DiagnosticReport/${id}`)).to.equal(404);
    expect(await seen(region().strasbourg, `ImagingStudy/${exam.id}`)).to.equal(404);
    const kept = (await region().strasbourg.get(`DiagnosticReport/${ofOther}`)).json<DiagnosticReport>();
    expect([kept.status, kept.conclusion, kept.subject]).to.deep.equal([other.status, other.conclusion, other.subject]);
    const [document] = await documentsOf(region().strasbourg, ofOther);
    expect(await bytesAt(region().strasbourg, document?.content[0]?.attachment.url)).to.include('erased-other');
  });
});

describeReports('Who stands in a report', { nancyReadsFor: [strasbourg.organization] }, (region) => {
  it('its sender is custodian and author of the document, whoever performed', async () => {
    for (const [at, performer] of [
      undefined,
      [{ reference: strasbourg.service }],
      [{ reference: strasbourg.radiologist.reference }],
      [{ display: 'Dr Nadir Ombrelune' }],
    ].entries()) {
      const id = await sent(
        region().strasbourg,
        aReport(region(), `custodian-${at}`, performer === undefined ? {} : { performer }),
      );
      const [document] = await documentsOf(region().patient, id);
      expect(document?.custodian?.reference).to.equal(strasbourg.organization);
      expect(document?.author?.map(({ reference }) => reference)).to.include(strasbourg.organization);
    }
  });

  it('another establishment only by the region file, else 422 that names the member', async () => {
    for (const member of ['performer', 'resultsInterpreter'] as const) {
      for (const reference of [
        luxembourg.organization,
        luxembourg.service,
        'Organization/demo-practice',
        'PractitionerRole/demo-radiologist-luxembourg-role',
      ]) {
        const report = aReport(region(), `stranger-${member}-${reference}`, { [member]: [{ reference }] });
        const answer = await region().strasbourg.send('POST', 'DiagnosticReport', report);
        expect(expectOutcome(answer, 422, 'business-rule')).to.include('readsFor');
        expect(answer.text).to.include(`DiagnosticReport.${member}[0]`);
        expect(
          await countOf(
            region().strasbourg,
            `DiagnosticReport?identifier=urn:oid:2.25.331|${report.identifier?.[0]?.value}`,
          ),
        ).to.equal(0);
      }
    }
    const id = await sent(
      region().strasbourg,
      aReport(region(), 'reader', { performer: [{ reference: nancy.organization }] }),
    );
    const [document] = await documentsOf(region().patient, id);
    expect(document?.custodian?.reference).to.equal(strasbourg.organization);
    expect(document?.author?.map(({ reference }) => reference)).to.have.members([
      nancy.organization,
      strasbourg.organization,
    ]);
  });

  it('an Organization that is not in the directory is 400, on every way in', async () => {
    const performer = [{ reference: 'Organization/nowhere' }];
    const report = aReport(region(), 'nowhere', { performer });
    expectOutcome(await region().strasbourg.send('POST', 'DiagnosticReport', report), 400, 'invalid');
    const bundle: Bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: report, request: { method: 'POST', url: 'DiagnosticReport' } }],
    };
    expectOutcome(await region().strasbourg.send('POST', '', bundle), 400, 'invalid');
    const id = await sent(region().strasbourg, aReport(region(), 'nowhere'));
    expectOutcome(await region().strasbourg.send('PUT', `DiagnosticReport/${id}`, { ...report, id }), 400, 'invalid');
    const patch = [{ op: 'replace', path: '/performer', value: performer }];
    const headers = { 'content-type': 'application/json-patch+json' };
    expectOutcome(await region().strasbourg.send('PATCH', `DiagnosticReport/${id}`, patch, headers), 400, 'invalid');
  });

  it('whom the report itself describes is named in the document by number and name, no Organization is', async () => {
    const identifier = { system: 'https://rpps.essai.example', value: '99700990077' };
    const contained: DiagnosticReport['contained'] = [
      { resourceType: 'Practitioner', id: 'p', identifier: [identifier], name: [{ family: 'Ombrelune' }] },
      { resourceType: 'PractitionerRole', id: 'r', practitioner: { reference: '#p' } },
      { resourceType: 'Organization', id: 'o', name: 'Autre maison' },
    ];
    const performer = ['#r', '#o'].map((reference) => ({ reference }));
    const id = await sent(region().strasbourg, aReport(region(), 'contained', { contained, performer }));
    const [document] = await documentsOf(region().patient, id);
    const [person, ...others] = document?.author ?? [];
    expect(person).to.deep.equal({ type: 'Practitioner', identifier, display: 'Ombrelune' });
    expect(others.map(({ reference }) => reference)).to.deep.equal([strasbourg.organization]);
  });

  it('a number that only says it is an Organization is no author of the document', async () => {
    const identifier = { system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1549999902' };
    const id = await sent(
      region().strasbourg,
      aReport(region(), 'numbered', { performer: [{ type: 'Organization', identifier, display: 'Autre maison' }] }),
    );
    const [document] = await documentsOf(region().patient, id);
    expect(document?.author?.map((author) => author.reference)).to.deep.equal([strasbourg.organization]);
  });
});

describeReports('Who signed a private report reads it', {}, (region) => {
  const { reference } = nancy.radiologist;
  // The radiologist of Nancy has to do with the record only by what he signed.
  const signed: readonly [name: string, said: ReportSaid][] = [
    ['as interpreter', { resultsInterpreter: [{ reference: strasbourg.radiologist.reference }] }],
    ['as the person who performed', { performer: [{ reference: strasbourg.radiologist.reference }] }],
    [
      'by a number of the directory',
      { resultsInterpreter: [{ identifier: { system: 'https://rpps.esante.gouv.fr', value: '99700990015' } }] },
    ],
    [
      'as a Practitioner whom the report contains',
      {
        contained: [
          {
            resourceType: 'Practitioner',
            id: 'p',
            identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '99700990015' }],
          },
        ],
        resultsInterpreter: [{ reference: '#p' }],
      },
    ],
    ['by a role', { resultsInterpreter: [{ reference: 'PractitionerRole/demo-radiologist-role' }] }],
  ];
  for (const [name, said] of signed) {
    it(name, async () => {
      const id = await sent(region().strasbourg, aReport(region(), `signed/${name}`, { ...said, meta: V }));
      const path = `DiagnosticReport/${id}`;
      const answers = [];
      for (const one of ['strasbourg', 'radiologist', 'patient', 'declared', 'emergency', 'stranger'] as const)
        answers.push(await seen(region()[one], path));
      expect(answers).to.deep.equal([200, 200, 200, 404, 404, 404]);
      const [document] = await documentsOf(region().radiologist, id);
      expect(await bytesAt(region().radiologist, document?.content[0]?.attachment.url)).to.include('signed');
      const events = await region().patient.find<AuditEvent>('AuditEvent?subtype=read');
      const agents = events.flatMap(({ agent }) => agent.map(({ who }) => who?.reference));
      expect(agents).to.include(strasbourg.radiologist.reference);
    });
  }

  it('until another signs: a private report that changes hands is read by its present author', async () => {
    const by = (signer: string) => ({ resultsInterpreter: [{ reference: signer }], meta: V });
    const report = aReport(region(), 'hands', by(strasbourg.radiologist.reference));
    const id = await sent(region().strasbourg, report);
    expect(await seen(region().radiologist, `DiagnosticReport/${id}`)).to.equal(200);
    await put(region().strasbourg, { ...report, ...by(reference), status: 'amended' });
    expect(await seen(region().radiologist, `DiagnosticReport/${id}`)).to.equal(404);
    expect(await documentsOf(region().radiologist, id)).to.deep.equal([]);
  });

  it('not who performed where another interpreted, nor whom no directory knows', async () => {
    const performer = [{ reference: strasbourg.radiologist.reference }];
    const nobody = { system: 'https://rpps.esante.gouv.fr', value: '99999999999' };
    const signers = [[{ reference }], [{ reference: 'Practitioner/nowhere' }], [{ identifier: nobody }]];
    for (const [at, resultsInterpreter] of signers.entries()) {
      const id = await sent(
        region().strasbourg,
        aReport(region(), `performed-${at}`, { performer, resultsInterpreter, meta: V }),
      );
      expect(await seen(region().radiologist, `DiagnosticReport/${id}`)).to.equal(at === 0 ? 404 : 200);
    }
  });

  it('and does not write it', async () => {
    const said = { resultsInterpreter: [{ reference: strasbourg.radiologist.reference }], meta: V };
    const id = await sent(region().strasbourg, aReport(region(), 'unwritten', said));
    const standing = (await region().radiologist.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect((await region().radiologist.send('PUT', `DiagnosticReport/${id}`, standing)).status).to.equal(403);
  });
});
