/** Reports and the exams that they name (FHIR R4 DiagnosticReport.imagingStudy): linked by literal references. */
import type { Bundle, DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { oidUri } from '../../profiles/codes.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import {
  anExam,
  aReport,
  countOf,
  describeReports,
  documentsOf,
  examByUid,
  idOf,
  imagesOf,
  put,
  seen,
  sent,
  type ReportSaid,
} from './support/report-region.ts';

type Found = DiagnosticReport & { readonly id: string };

/** The accession number of a study as its establishment gives it. */
function numberOf({ establishment, accessionNumber }: DemoStudy) {
  return { system: oidUri(establishment.accessionDomain), value: accessionNumber };
}

/** The literal references of a report. */
function linksOf({ imagingStudy = [] }: DiagnosticReport): string[] {
  return imagingStudy.flatMap(({ reference }) => reference ?? []).toSorted();
}

/** An exam as some name it: scheme and namespace of a URN are the same in capitals (RFC 8141). */
function inCapitals({ identifier, ...exam }: ReturnType<typeof examByUid>) {
  return { ...exam, identifier: { ...identifier, value: (identifier?.value ?? '').toUpperCase() } };
}

/** An exam that is named by the dotted UID. */
function bare({ identifier, ...exam }: ReturnType<typeof examByUid>) {
  return { ...exam, identifier: { ...identifier, value: (identifier?.value ?? '').replace('urn:oid:', '') } };
}

async function reportOf(caller: FhirCaller, id: string): Promise<DiagnosticReport> {
  return (await caller.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
}

describeReports('A report and the exams that it names', {}, (region) => {
  /** Waits until a report is linked to exams, and gives it. */
  const linkedTo = async (id: string, ...studies: readonly { readonly id: string }[]): Promise<DiagnosticReport> => {
    const expected = studies.map((study) => `ImagingStudy/${study.id}`).toSorted();
    return await eventually(async () => {
      const report = await reportOf(region().strasbourg, id);
      return JSON.stringify(linksOf(report)) === JSON.stringify(expected) ? report : undefined;
    });
  };
  const expectFound = async (id: string, study: ImagingStudy & { readonly id: string }): Promise<void> => {
    for (const name of ['strasbourg', 'patient', 'declared', 'radiologist'] as const) {
      const path = `DiagnosticReport?imaging-study=ImagingStudy/${study.id}`;
      await eventually(async () =>
        (await region()[name].find<Found>(path)).some((report) => report.id === id) ? true : undefined,
      );
      // The patient sees the exam a moment later than the report.
      await eventually(async () =>
        (await seen(region()[name], `ImagingStudy/${study.id}`)) === 200 ? true : undefined,
      );
      const { entry = [] } = (
        await region()[name].get(`DiagnosticReport?_id=${id}&_include=DiagnosticReport:imaging-study`)
      ).json<Bundle>();
      const included = entry.filter(({ search }) => search?.mode === 'include').map(({ resource }) => resource?.id);
      expect(included, name).to.include(study.id);
      const back = `ImagingStudy?_id=${study.id}&_revinclude=DiagnosticReport:imaging-study`;
      const answer = (await region()[name].get(back)).json<Bundle>();
      expect(
        (answer.entry ?? []).map(({ resource }) => resource?.id),
        name,
      ).to.include(id);
    }
  };

  /** What a sender writes to name an exam, once it knows what it needs. */
  const names: readonly [name: string, of: (study: DemoStudy, id: string) => ReportSaid, afterImages?: true][] = [
    ['its Study Instance UID', (study) => ({ imagingStudy: [examByUid(study)] })],
    ['its Study Instance UID in capitals', (study) => ({ imagingStudy: [inCapitals(examByUid(study))] })],
    ['its Study Instance UID alone', (study) => ({ imagingStudy: [bare(examByUid(study))] })],
    ['ImagingStudy/id', (_, id) => ({ imagingStudy: [{ reference: `ImagingStudy/${id}` }] }), true],
    ['the accession number of the order', (study) => ({ basedOn: [{ identifier: numberOf(study) }] })],
    ['the accession number of the exam', (study) => ({ imagingStudy: [{ identifier: numberOf(study) }] })],
    [
      'a number alone, which is of its sender',
      ({ accessionNumber: value }) => ({ imagingStudy: [{ identifier: { value } }] }),
    ],
    [
      'a typed accession number',
      (study) => ({
        basedOn: [
          {
            type: 'ServiceRequest',
            identifier: {
              type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'ACSN' }] },
              ...numberOf(study),
            },
          },
        ],
      }),
    ],
  ];
  for (const [name, of, afterImages] of names) {
    it(`that are named by ${name}: images first`, async () => {
      const study = anExam(`images-first/${name}`);
      const exam = await imagesOf(region(), study);
      const id = await sent(region().strasbourg, aReport(region(), `images-first/${name}`, of(study, exam.id)));
      await linkedTo(id, exam);
      await expectFound(id, exam);
      const [document] = await documentsOf(region().patient, id);
      expect(document?.context?.related?.map(({ reference }) => reference)).to.include(`ImagingStudy/${exam.id}`);
    });
    if (afterImages) continue;
    it(`that are named by ${name}: report first`, async () => {
      const study = anExam(`report-first/${name}`);
      const id = await sent(region().strasbourg, aReport(region(), `report-first/${name}`, of(study, '')));
      expect(linksOf(await reportOf(region().strasbourg, id))).to.deep.equal([]);
      const exam = await imagesOf(region(), study);
      await linkedTo(id, exam);
      await expectFound(id, exam);
    });
  }

  it('by absolute address, and with a version, as well', async () => {
    const exam = await imagesOf(region(), anExam('absolute'));
    for (const [at, form] of [
      `${region().server.url}/fhir/ImagingStudy/${exam.id}`,
      `ImagingStudy/${exam.id}/_history/1`,
    ].entries()) {
      const report = aReport(region(), `absolute-${at}`, { imagingStudy: [{ reference: form }] });
      await linkedTo(await sent(region().strasbourg, report), exam);
    }
  });

  it('several exams of one report, and several reports of one exam', async () => {
    const [one, two] = [anExam('several-1'), anExam('several-2')];
    const [first, second] = [await imagesOf(region(), one), await imagesOf(region(), two)];
    const both = aReport(region(), 'several', {
      imagingStudy: [examByUid(one), { reference: `ImagingStudy/${second.id}` }],
    });
    const other = aReport(region(), 'several-other', { imagingStudy: [examByUid(one)] });
    const ids = [await sent(region().strasbourg, both), await sent(region().strasbourg, other)];
    await linkedTo(ids[0] ?? '', first, second);
    await linkedTo(ids[1] ?? '', first);
    const found = await region().patient.find<Found>(`DiagnosticReport?imaging-study=ImagingStudy/${first.id}`);
    expect(found.map(({ id }) => id)).to.have.members(ids);
    expect(await countOf(region().patient, `DiagnosticReport?imaging-study=ImagingStudy/${second.id}`)).to.equal(1);
  });

  it('every exam of a number, those that come later too; a UID beside a number counts alone', async () => {
    const accessionNumber = 'ORDER-77';
    const [one, two] = [anExam('order-1', { accessionNumber }), anExam('order-2', { accessionNumber })];
    const first = await imagesOf(region(), one);
    const basedOn = [{ identifier: numberOf(one) }];
    const all = await sent(region().strasbourg, aReport(region(), 'order', { basedOn }));
    const only = await sent(
      region().strasbourg,
      aReport(region(), 'order-only', { basedOn, imagingStudy: [examByUid(one)] }),
    );
    await linkedTo(all, first);
    const second = await imagesOf(region(), two);
    await linkedTo(all, first, second);
    await linkedTo(only, first);
  });

  it('is the same report when it is sent again, linked meanwhile, and when it is put as it was read', async () => {
    const study = anExam('linked-again');
    const report = aReport(region(), 'linked-again', { basedOn: [{ identifier: numberOf(study) }] });
    const id = await sent(region().strasbourg, report);
    const exam = await imagesOf(region(), study);
    const standing = await linkedTo(id, exam);
    const again = await region().strasbourg.send('POST', 'DiagnosticReport', report);
    expect([again.status, idOf(again)]).to.deep.equal([200, id]);
    const put = await region().strasbourg.send('PUT', `DiagnosticReport/${id}`, standing);
    expect([put.status, put.headers.get('etag')]).to.deep.equal([200, `W/"${standing.meta?.versionId}"`]);
  });

  it('never an exam of another person: nothing is linked, and nothing of it told', async () => {
    const study = anExam('other-person', {
      patient: PATIENTS.gaetan,
      modality: 'MR',
      description: 'Secret exam',
      started: '2024-05-06T07:08:09',
    });
    const exam = await imagesOf(region(), study);
    for (const [at, imagingStudy] of [
      [examByUid(study)],
      [{ reference: `ImagingStudy/${exam.id}` }],
      [{ identifier: numberOf(study) }],
    ].entries()) {
      const { effectiveDateTime: _, ...report } = aReport(region(), `other-person-${at}`, { imagingStudy });
      const id = await sent(region().strasbourg, report);
      const standing = await reportOf(region().strasbourg, id);
      expect(standing.imagingStudy).to.deep.equal(imagingStudy);
      const [document] = await documentsOf(region().strasbourg, id);
      const said = JSON.stringify(document);
      expect(said).to.not.include(exam.id).and.not.include('"MR"').and.not.include('2024-05-06');
      expect([document?.context?.event, document?.context?.period]).to.deep.equal([undefined, undefined]);
      if (at > 0) expect(said).to.not.include(study.studyInstanceUID);
      if (at !== 2) expect(said).to.not.include(study.accessionNumber);
    }
  });

  it('of a report that moves to another exam the former is let go', async () => {
    const [one, two] = [anExam('moves-1'), anExam('moves-2')];
    const [first, second] = [await imagesOf(region(), one), await imagesOf(region(), two)];
    const report = aReport(region(), 'moves', { imagingStudy: [examByUid(one)] });
    const id = await sent(region().strasbourg, report);
    await linkedTo(id, first);
    await put(region().strasbourg, { ...report, imagingStudy: [examByUid(two)] });
    await linkedTo(id, second);
    expect(await countOf(region().strasbourg, `DiagnosticReport?imaging-study=ImagingStudy/${first.id}`)).to.equal(0);
  });
});
