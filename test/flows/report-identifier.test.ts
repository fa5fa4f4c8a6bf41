/** One identifier of a source is one report: what is sent again, in another version, or of an earlier one. */
import type { Bundle, DiagnosticReport } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import {
  aForm,
  aReport,
  conditionOf,
  countOf,
  describeReports,
  documentsOf,
  idOf,
  put,
  seen,
  sent,
} from './support/report-region.ts';

describeReports('One identifier of a source is one report', {}, (region) => {
  const posted = async (caller: FhirCaller, report: DiagnosticReport) =>
    await caller.send('POST', 'DiagnosticReport', report);

  it('the same content by POST again is answered 200 with what stands, and nothing is new', async () => {
    const report = aReport(region(), 'again');
    const id = await sent(region().strasbourg, report);
    const again = await posted(region().strasbourg, report);
    expect([again.status, idOf(again)]).to.deep.equal([200, id]);
    expect(again.headers.get('etag')).to.equal('W/"1"');
    expect(await documentsOf(region().strasbourg, id)).to.have.length(1);
  });

  it('the same three times at once is one report: one is 201, the others 200', async () => {
    const report = aReport(region(), 'at-once');
    const answers = await Promise.all([1, 2, 3].map(async () => await posted(region().strasbourg, report)));
    expect(answers.map(({ status }) => status).toSorted()).to.deep.equal([200, 200, 201]);
    expect(new Set(answers.map(idOf)).size).to.equal(1);
    expect(await documentsOf(region().strasbourg, idOf(answers[0] ?? expect.fail()))).to.have.length(1);
  });

  it('a transaction that is sent twice doubles nothing: each entry is 200 with what stands', async () => {
    const report = aReport(region(), 'retried');
    const transaction: Bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: ['retried', 'retried-2'].map((key) => ({
        fullUrl: `urn:uuid:00000000-0000-4000-8000-00000000000${key.length % 10}`,
        resource: aReport(region(), key),
        request: { method: 'POST', url: 'DiagnosticReport' },
      })),
    };
    const answers = [];
    for (let time = 0; time < 2; time += 1) answers.push(await region().strasbourg.send('POST', '', transaction));
    const results = answers.map((answer) => answer.json<Bundle>().entry?.map(({ response }) => response));
    expect(results.map((one) => one?.map((response) => response?.status?.slice(0, 3)))).to.deep.equal([
      ['201', '201'],
      ['200', '200'],
    ]);
    expect(results[1]?.map((one) => one?.location)).to.deep.equal(results[0]?.map((one) => one?.location));
    expect(await countOf(region().strasbourg, `DiagnosticReport?${conditionOf(report)}`)).to.equal(1);
  });

  it('nor does one that brings what the report refers to', async () => {
    const order = {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: `Patient/${region().patients.helene}` },
      code: { text: 'Scanner thoracique' },
    } as const;
    const said = ['Nodule', 'Épanchement'].map((text) => ({
      resourceType: 'Observation' as const,
      status: 'final' as const,
      code: { text },
      subject: order.subject,
      basedOn: [{ reference: 'urn:uuid:00000000-0000-4000-8000-0000000000a0' }],
    }));
    const report = aReport(region(), 'brings', {
      basedOn: [{ reference: 'urn:uuid:00000000-0000-4000-8000-0000000000a0' }],
      result: said.map((_, at) => ({ reference: `urn:uuid:00000000-0000-4000-8000-0000000000b${at}` })),
    });
    const transaction: Bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [order, ...said, report].map((resource, at) => ({
        fullUrl: `urn:uuid:00000000-0000-4000-8000-0000000000${['a0', 'b0', 'b1', 'c0'][at]}`,
        resource,
        request: { method: 'POST', url: resource.resourceType },
      })),
    };
    const results = [];
    for (let time = 0; time < 3; time += 1) {
      const answer = await region().strasbourg.send('POST', '', transaction);
      expect(answer.status, answer.text).to.equal(200);
      results.push(
        answer.json<Bundle>().entry?.map(({ response }) => [response?.status?.slice(0, 3), response?.location]),
      );
    }
    const [first = [], ...again] = results;
    expect(first.map((one) => one[0])).to.deep.equal(['201', '201', '201', '201']);
    for (const one of again) expect(one).to.deep.equal(first.map(([, location]) => ['200', location]));
    for (const type of ['ServiceRequest', 'Observation']) {
      const found = await countOf(region().strasbourg, `${type}?patient=${region().patients.helene}`);
      expect(found, type).to.equal(type === 'Observation' ? 2 : 1);
    }
    // What says something else is another.
    const other = { ...order, code: { text: 'IRM' } };
    const changed = {
      ...transaction,
      entry: [{ ...transaction.entry?.[0], resource: other }, ...(transaction.entry ?? []).slice(1)],
    };
    expectOutcome(await region().strasbourg.send('POST', '', changed), 409, 'conflict');
  });

  it('another content by POST is 409, says how a new version is sent, and changes nothing', async () => {
    const report = aReport(region(), 'other-content');
    const id = await sent(region().strasbourg, report);
    for (const other of [
      { ...report, conclusion: 'Autre conclusion' },
      { ...report, status: 'amended' as const },
      { ...report, presentedForm: [aForm('autre document')] },
    ]) {
      const said = expectOutcome(await posted(region().strasbourg, other), 409, 'conflict');
      expect(said).to.include(`PUT DiagnosticReport/${id}`).and.include('PUT DiagnosticReport?identifier=');
    }
    const standing = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect([standing.meta?.versionId, standing.conclusion]).to.deep.equal(['1', report.conclusion]);
  });

  it('PUT by id, PUT by condition and PATCH make its versions; If-None-Exist finds it', async () => {
    const report = aReport(region(), 'versions');
    const id = await sent(region().strasbourg, report);
    const standing = async () => (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    const second = { ...(await standing()), conclusion: 'Deux' };
    expect((await region().strasbourg.send('PUT', `DiagnosticReport/${id}`, second)).status).to.equal(200);
    expect(idOf(await put(region().strasbourg, { ...report, conclusion: 'Trois' }))).to.equal(id);
    const patch = [{ op: 'replace', path: '/conclusion', value: 'Quatre' }];
    const headers = { 'content-type': 'application/json-patch+json' };
    expect((await region().strasbourg.send('PATCH', `DiagnosticReport/${id}`, patch, headers)).status).to.equal(200);
    expect(await standing()).to.deep.include({ conclusion: 'Quatre' });
    const found = await region().strasbourg.send('POST', 'DiagnosticReport', report, {
      'if-none-exist': conditionOf(report),
    });
    expect([found.status, idOf(found), found.headers.get('etag')]).to.deep.equal([200, id, 'W/"4"']);
  });

  it('another establishment’s report of the same number is another report, and neither is told of', async () => {
    const mine = aReport(region(), 'numbers');
    const theirs = {
      ...mine,
      subject: { reference: `Patient/${region().patients.heleneNancy}` },
      status: 'preliminary' as const,
    };
    const [id, other] = [await sent(region().strasbourg, mine), await sent(region().nancy, theirs)];
    expect(other).to.not.equal(id);
    expect(idOf(await put(region().nancy, { ...theirs, conclusion: 'Autre' }))).to.equal(other);
    expect(await seen(region().nancy, `DiagnosticReport/${id}`)).to.equal(404);
  });

  it('is found by its source while the record is withdrawn: a new version arrives', async () => {
    const report = aReport(region(), 'withdrawn');
    const id = await sent(region().strasbourg, report);
    const ofHelene = {
      resourceType: 'Parameters',
      parameter: [{ name: 'patient', valueReference: { reference: `Patient/${region().patients.helene}` } }],
    };
    expect((await region().patient.send('POST', 'Patient/$withdraw', ofHelene)).status).to.equal(201);
    try {
      expect(await seen(region().strasbourg, `DiagnosticReport/${id}`)).to.equal(404);
      expect(idOf(await put(region().strasbourg, { ...report, conclusion: 'Pendant' }))).to.equal(id);
    } finally {
      expect((await region().patient.send('POST', 'Patient/$reconsent', ofHelene)).status).to.equal(201);
    }
    const { conclusion } = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect(conclusion).to.equal('Pendant');
  });

  it('a message that goes back is 409 and changes nothing', async () => {
    const report = aReport(region(), 'back', { status: 'amended' });
    const id = await sent(region().strasbourg, report);
    for (const back of [
      { ...report, status: 'registered' as const },
      { ...report, status: 'preliminary' as const },
      { ...report, status: 'unknown' as const },
      { ...report, status: 'final' as const },
      { ...report, issued: '2026-01-15T17:59:59+01:00', conclusion: 'Ancien' },
    ]) {
      expectOutcome(await region().strasbourg.send('PUT', `DiagnosticReport/${id}`, { ...back, id }), 409, 'conflict');
      expectOutcome(await region().strasbourg.send('PUT', `DiagnosticReport?${conditionOf(report)}`, back), 409);
    }
    const patch = [{ op: 'replace', path: '/status', value: 'partial' }];
    const headers = { 'content-type': 'application/json-patch+json' };
    expectOutcome(await region().strasbourg.send('PATCH', `DiagnosticReport/${id}`, patch, headers), 409, 'conflict');
    await put(region().strasbourg, { ...report, status: 'cancelled' });
    expectOutcome(await region().strasbourg.send('PUT', `DiagnosticReport/${id}`, { ...report, id }), 409, 'conflict');
    const standing = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect([standing.status, standing.meta?.versionId]).to.deep.equal(['cancelled', '2']);
  });
});
