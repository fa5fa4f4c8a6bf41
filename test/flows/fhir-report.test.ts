/** Reports at the FHIR door: who is named, what they carry, and the exam that they are of. */
import type { DiagnosticReport } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { eventually, expectOutcome, type FhirAnswer } from '../support/clients/fhir-caller.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { count, strasbourg } from './support/fhir-write.ts';

describe('A DiagnosticReport at the FHIR door', () => {
  let region: Demonstration;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  const idOf = (answer: FhirAnswer): string => (answer.headers.get('location') ?? '').split('/').at(-3) ?? '';
  const aReport = async (key: string): Promise<DiagnosticReport> => {
    const study = aStudy({ key: `report/${key}`, patient: PATIENTS.gaetan });
    const report = (await buildReportBundle(study, reportTextOf('mr-head'))).entry?.[1]?.resource as DiagnosticReport;
    return { ...report, subject: { reference: `Patient/${region.patients.gaetan}` } };
  };

  it('keeps its performers beside the establishment that sent it', async () => {
    const report = { ...(await aReport('performers')), performer: [{ display: 'Dr Ondine Valbremont' }] };
    const created = await region.strasbourg.send('POST', 'DiagnosticReport', report);
    const { performer = [] } = (
      await region.strasbourg.get(`DiagnosticReport/${idOf(created)}`)
    ).json<DiagnosticReport>();
    expect(performer).to.deep.equal([...report.performer, { reference: strasbourg.organization }]);
    const { performer: _performer, ...nobody } = await aReport('nobody');
    const named = await region.strasbourg.send('POST', 'DiagnosticReport', nobody);
    expect(
      (await region.strasbourg.get(`DiagnosticReport/${idOf(named)}`)).json<DiagnosticReport>().performer,
    ).to.deep.equal([{ reference: strasbourg.organization }]);
    const identified = { ...(await aReport('performed')), performer: [{ reference: strasbourg.organization }] };
    const other = await region.strasbourg.send('POST', 'DiagnosticReport', identified);
    expect(
      (await region.strasbourg.get(`DiagnosticReport/${idOf(other)}`)).json<DiagnosticReport>().performer,
    ).to.deep.equal(identified.performer);
  });

  it('has no identifier of another one', async () => {
    const [one, other] = [await aReport('mine'), await aReport('yours')];
    const ids = [];
    for (const report of [one, other]) ids.push(idOf(await region.strasbourg.send('POST', 'DiagnosticReport', report)));
    const path = `DiagnosticReport/${ids[0]}`;
    const standing = (await region.strasbourg.get(path)).json<DiagnosticReport>();
    const identifier = [...(standing.identifier ?? []), ...(other.identifier ?? [])];
    expectOutcome(await region.strasbourg.send('PUT', path, { ...standing, identifier }), 409, 'conflict');
    expect((await region.strasbourg.get(path)).json()).to.deep.equal(standing);
  });

  it('gets an address of the server for its bytes', async () => {
    const report = await aReport('address');
    const [form = {}] = report.presentedForm ?? [];
    const sent = { ...report, presentedForm: [{ ...form, url: 'http://elsewhere.example/report.pdf' }] };
    const created = await region.strasbourg.send('POST', 'DiagnosticReport', sent);
    const stored = (await region.strasbourg.get(`DiagnosticReport/${idOf(created)}`)).json<DiagnosticReport>();
    const binary = stored.presentedForm?.[0]?.url?.split('/fhir/')[1] ?? '';
    const bytes = await region.strasbourg.get(binary, { accept: 'application/fhir+json' });
    expect(bytes.json<{ data: string }>().data).to.equal(form.data);
  });

  /** Whether no job of an exam waits: what changes from then on is due to what is done then. */
  const isAtRest = async (): Promise<true | undefined> => {
    const { jobs } = (await (await fetch(`${region.server.url}/health/ready`)).json()) as {
      readonly jobs: Readonly<Record<string, Readonly<Record<'waiting' | 'running' | 'later', number>>>>;
    };
    const counts = ['refresh-study', 'update-study', 'close-study'].map((kind) => jobs[kind]);
    return counts.every((of) => of !== undefined && of.waiting + of.running + of.later === 0) ? true : undefined;
  };

  it('moves from one exam to another: the first is released by it no more', async function moves() {
    this.timeout(60_000);
    await eventually(isAtRest, 30);
    const path = `DiagnosticReport?patient=${region.patients.helene}&_sort=-issued`;
    const reports = await region.strasbourg.find<DiagnosticReport & { id: string }>(path);
    const [report] = reports.filter(({ status }) => status === 'final');
    if (report === undefined) throw new Error('There is no report');
    const uid = report.imagingStudy?.[0]?.identifier?.value ?? '';
    const seen = async (total: number): Promise<true | undefined> =>
      (await count(region.patient, `ImagingStudy?identifier=${uid}`)) === total ? true : undefined;
    expect(await seen(1)).to.equal(true);
    const other = [{ identifier: { system: 'urn:dicom:uid', value: 'urn:oid:2.25.1' } }];
    const moved = await region.strasbourg.send('PUT', `DiagnosticReport/${report.id}`, {
      ...report,
      imagingStudy: other,
    });
    expect(moved.status, moved.text).to.equal(200);
    await eventually(async () => await seen(0));
    expect((await region.strasbourg.send('PUT', `DiagnosticReport/${report.id}`, report)).status).to.equal(200);
    await eventually(async () => await seen(1));
  });

  it('has one form, with its bytes', async () => {
    const report = await aReport('forms');
    const [form = {}] = report.presentedForm ?? [];
    const send = async (presentedForm: readonly object[]): Promise<FhirAnswer> =>
      await region.strasbourg.send('POST', 'DiagnosticReport', { ...report, presentedForm });
    expectOutcome(await send([form, form]), 501, 'not-supported');
    for (const none of [[{ contentType: 'application/pdf' }], []]) expectOutcome(await send(none), 400);
  });
});
