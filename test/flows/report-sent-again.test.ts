/** A transaction that is sent again, as by a sender who has not heard the answer (FHIR R4 http.html#transaction). */
import type {
  AuditEvent,
  Bundle,
  BundleEntry,
  DiagnosticReport,
  Observation,
  Resource,
  ServiceRequest,
} from '@medplum/fhirtypes';
import { expect } from 'chai';
import { expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { aLocalId, anINS, feed, idIn, somebody } from './identity/people.ts';
import {
  aForm,
  aPdf,
  aReport,
  bytesAt,
  conditionOf,
  countOf,
  describeReports,
  documentsOf,
  seen,
  type ReportSaid,
} from './support/report-region.ts';
import { openTrail } from './support/trail.ts';

type Entry = BundleEntry & { readonly resource: Resource };

const urlOf = (name: string): string => `urn:uuid:00000000-0000-4000-8000-${name.padStart(12, '0')}`;
const to = (name: string) => ({ reference: urlOf(name) });

function transactionOf(...entry: readonly Entry[]): Bundle {
  return { resourceType: 'Bundle', type: 'transaction', entry: [...entry] };
}

/** An entry that makes a resource under a name of the transaction: hexadecimal digits. */
function made(name: string, resource: Resource): Entry {
  return { fullUrl: urlOf(name), resource, request: { method: 'POST', url: resource.resourceType } };
}

/** An entry that puts a report by its identifier. */
function putting(name: string, report: DiagnosticReport): Entry {
  const url = `DiagnosticReport?${conditionOf(report)}`;
  return { fullUrl: urlOf(name), resource: report, request: { method: 'PUT', url } };
}

/** The same transaction under other names. */
function renamed(transaction: Bundle): Bundle {
  return JSON.parse(JSON.stringify(transaction).replaceAll('4000-8000', '4000-9000')) as Bundle;
}

function reversed({ entry = [], ...bundle }: Bundle): Bundle {
  return { ...bundle, entry: entry.toReversed() };
}

/** What each entry was answered, by its resource's address: the status, and `Type/id/_history/version`. */
function answersOf(answer: FhirAnswer): readonly (readonly [status: string, location: string])[] {
  expect(answer.status, answer.text).to.equal(200);
  const { entry = [] } = answer.json<Bundle>();
  const said = entry.map(
    ({ response }) => [response?.status?.slice(0, 3) ?? '', response?.location?.split('/fhir/').at(-1) ?? ''] as const,
  );
  return said.toSorted(([, one], [, other]) => (one < other ? -1 : 1));
}

/** The ids of the resources of a type that a transaction made or met, in the order of its entries. */
function idsOf(answer: FhirAnswer, type: string): readonly string[] {
  const locations = (answer.json<Bundle>().entry ?? []).map(({ response }) => response?.location?.split('/') ?? []);
  return locations.filter((parts) => parts.at(-4) === type).map((parts) => parts.at(-3) ?? '');
}

describeReports('A transaction with a report that is sent again', {}, (region) => {
  const send = async (transaction: Bundle, headers = {}): Promise<FhirAnswer> =>
    await region().strasbourg.send('POST', '', transaction, headers);
  const finding = (key: string, text: string, said: Partial<Observation> = {}): Observation => ({
    resourceType: 'Observation',
    status: 'final',
    code: { text: `${key}: ${text}` },
    subject: { reference: `Patient/${region().patients.helene}` },
    ...said,
  });
  /** A report with one finding. */
  const withFinding = (key: string, said: ReportSaid = {}): Bundle =>
    transactionOf(made('a', finding(key, 'Nodule')), made('c', aReport(region(), key, { result: [to('a')], ...said })));
  const findingsOf = async (caller: FhirCaller, key: string): Promise<number> => {
    const found = await caller.find<Observation>(`Observation?patient=${region().patients.helene}&_count=100`);
    return found.filter(({ code }) => code.text?.startsWith(`${key}: `)).length;
  };
  /** Sends a transaction, and then others that mean the same: each is answered by what stands. */
  const expectMet = async (first: Bundle, ...again: readonly Bundle[]): Promise<FhirAnswer> => {
    const answer = await send(first);
    const locations = answersOf(answer).map(([, location]) => location);
    for (const one of again)
      expect(answersOf(await send(one))).to.deep.equal(locations.map((location) => ['200', location]));
    return answer;
  };

  it('in another order and under other names doubles nothing', async () => {
    const key = 'orders';
    const transaction = transactionOf(
      made('a', finding(key, 'Nodule')),
      made('b', finding(key, 'Épanchement')),
      made('c', aReport(region(), key, { result: [to('a'), to('b')] })),
    );
    const answer = await expectMet(
      transaction,
      reversed(transaction),
      renamed(transaction),
      reversed(renamed(transaction)),
    );
    expect(await findingsOf(region().patient, key)).to.equal(2);
    expect(await documentsOf(region().patient, idsOf(answer, 'DiagnosticReport')[0] ?? '')).to.have.length(1);
  });

  it('in another order tells findings that say the same apart, by references to them and of theirs', async () => {
    const key = 'alike';
    const group = (member: string) => finding(key, 'Groupe', { hasMember: [to(member)] });
    const transaction = transactionOf(
      made('a', finding(key, 'Nodule')),
      made('b', finding(key, 'Nodule')),
      made('d', group('1d')),
      made('e', group('1e')),
      made('1d', finding(key, 'Droite')),
      made('1e', finding(key, 'Gauche')),
      made('c', aReport(region(), key, { result: ['a', 'b', 'd', 'e'].map(to) })),
    );
    await expectMet(transaction, reversed(transaction), renamed(reversed(transaction)));
    expect(await findingsOf(region().strasbourg, key)).to.equal(6);
  });

  it('with a finding that refers to something else is another report: 409, and nothing is made', async () => {
    const key = 'refers';
    const order: ServiceRequest = {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: `Patient/${region().patients.helene}` },
      code: { text: `${key}: scanner` },
    };
    const ordered = (basedOn: Observation['basedOn']): Bundle =>
      transactionOf(
        made('f', order),
        made('a', finding(key, 'Nodule', basedOn === undefined ? {} : { basedOn })),
        made('c', aReport(region(), key, { basedOn: [to('f')], result: [to('a')] })),
      );
    await expectMet(ordered([to('f')]), renamed(ordered([to('f')])));
    expectOutcome(await send(ordered([{ reference: 'ServiceRequest/another' }])), 409, 'conflict');
    expect(await findingsOf(region().strasbourg, key)).to.equal(1);
  });

  it('by PUT, by PUT after POST and by POST after PUT doubles nothing', async () => {
    const key = 'puts';
    const [a, c] = withFinding(key).entry as [Entry, Entry];
    const byPut = transactionOf(a, putting('c', c.resource as DiagnosticReport));
    const answer = await expectMet(byPut, byPut, transactionOf(a, c), renamed(byPut));
    expect(await findingsOf(region().patient, key)).to.equal(1);
    expect(await documentsOf(region().patient, idsOf(answer, 'DiagnosticReport')[0] ?? '')).to.have.length(1);
  });

  it('as a correction is one version and one document more, however often it comes', async () => {
    const key = 'corrected';
    const first = withFinding(key);
    const [id = ''] = idsOf(await expectMet(first), 'DiagnosticReport');
    const said: ReportSaid = { status: 'amended', text: 'corrigé', result: [to('a'), to('b')] };
    const correction = transactionOf(
      made('a', finding(key, 'Nodule')),
      made('b', finding(key, 'Épanchement')),
      putting('c', aReport(region(), key, said)),
    );
    for (const again of [correction, correction, reversed(renamed(correction))]) answersOf(await send(again));
    const standing = (await region().patient.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect([standing.meta?.versionId, standing.status]).to.deep.equal(['2', 'amended']);
    expect(await findingsOf(region().patient, key)).to.equal(2);
    const documents = await documentsOf(region().patient, id);
    expect(documents.map(({ status }) => status)).to.have.members(['superseded', 'current']);
    // What is sent late is behind the report, and brings nothing back.
    expectOutcome(await send(first), 409, 'conflict');
    expect(await findingsOf(region().patient, key)).to.equal(2);
  });

  it('several times at the same moment, by POST and by PUT, is one report with one finding', async () => {
    // Each is looked up, so that all are worked out before the first of them stands.
    const performer = Array.from({ length: 20 }, (_, at) => ({
      identifier: { system: 'urn:oid:2.25.77', value: `${at}` },
    }));
    for (let round = 0; round < 3; round += 1) {
      const key = `moment-${round}`;
      const [a, c] = withFinding(key, { performer }).entry as [Entry, Entry];
      const byPost = transactionOf(a, c);
      const byPut = transactionOf(a, putting('c', c.resource as DiagnosticReport));
      const all = [byPost, byPut, renamed(byPost), reversed(byPost), renamed(byPut)];
      const answers = await Promise.all(all.map(async (one) => await send(one)));
      const statuses = answers.flatMap((answer) => answersOf(answer).map(([status]) => status));
      expect(statuses.filter((status) => status === '201')).to.have.length(2);
      const [id = '', ...others] = new Set(answers.flatMap((answer) => idsOf(answer, 'DiagnosticReport')));
      expect(others).to.deep.equal([]);
      expect(await findingsOf(region().patient, key)).to.equal(1);
      expect(await documentsOf(region().patient, id)).to.have.length(1);
    }
  });

  it('with one byte of the PDF changed is 409 and changes nothing; with the size of another, 422', async () => {
    const key = 'byte';
    const [id = ''] = idsOf(await expectMet(withFinding(key)), 'DiagnosticReport');
    const [form, other] = [aForm(key), aForm('bytf')];
    expect(other.data.length).to.equal(form.data.length);
    expectOutcome(await send(withFinding(key, { presentedForm: [other] })), 409, 'conflict');
    expectOutcome(await send(withFinding(key, { presentedForm: [{ ...form, size: 7 }] })), 422, 'business-rule');
    expect(await findingsOf(region().patient, key)).to.equal(1);
    const [document, ...others] = await documentsOf(region().patient, id);
    expect(others).to.deep.equal([]);
    expect(await bytesAt(region().patient, document?.content[0]?.attachment.url)).to.equal(aPdf(key).toString());
  });

  it('with If-None-Exist is met by what stands, and what came with it is not made twice', async () => {
    const key = 'none-exist';
    const [a, c] = withFinding(key).entry as [Entry, Entry];
    const request = {
      method: 'POST',
      url: 'DiagnosticReport',
      ifNoneExist: conditionOf(c.resource as DiagnosticReport),
    };
    const conditional = transactionOf(a, { ...c, request } as Entry);
    await expectMet(conditional, conditional, renamed(conditional), transactionOf(a, c));
    expect(await findingsOf(region().patient, key)).to.equal(1);
  });

  it('while the record is withdrawn is met without a word of it, and recorded', async () => {
    const key = 'withdrawn';
    const first = await send(withFinding(key));
    const [id = ''] = idsOf(first, 'DiagnosticReport');
    const ofHelene = {
      resourceType: 'Parameters',
      parameter: [{ name: 'patient', valueReference: { reference: `Patient/${region().patients.helene}` } }],
    };
    expect((await region().patient.send('POST', 'Patient/$withdraw', ofHelene)).status).to.equal(201);
    const trail = await openTrail(region().store, region().server.dataDir);
    try {
      const requestId = 'sent-again-while-withdrawn';
      const again = await send(withFinding(key), { 'x-request-id': requestId, prefer: 'return=representation' });
      expect(answersOf(again).map(([status]) => status)).to.deep.equal(['200', '200']);
      expect(again.text).to.not.include('Nodule').and.not.include('Conclusion');
      expect(await seen(region().strasbourg, `DiagnosticReport/${id}`)).to.equal(404);
      const events = await trail.eventsOf(requestId);
      const told = events.map(({ event }) => `${event.subtype?.[0]?.code} ${event.outcome}`);
      // What stands is asked for as well, and refused.
      expect(told.toSorted()).to.deep.equal(['transaction 0', 'vread 4', 'vread 4']);
    } finally {
      await trail.close();
      expect((await region().patient.send('POST', 'Patient/$reconsent', ofHelene)).status).to.equal(201);
    }
    expect(await findingsOf(region().patient, key)).to.equal(1);
  });

  it('after the report was an error is 409, and nothing comes back', async () => {
    const key = 'error';
    const [id = ''] = idsOf(await expectMet(withFinding(key)), 'DiagnosticReport');
    const standing = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    const ended = transactionOf(putting('c', { ...standing, status: 'entered-in-error' }));
    for (let time = 0; time < 2; time += 1) answersOf(await send(ended));
    expectOutcome(await send(withFinding(key)), 409, 'conflict');
    expect(await findingsOf(region().strasbourg, key)).to.equal(1);
    for (const one of ['patient', 'declared', 'strasbourg'] as const)
      expect(await documentsOf(region()[one], id), one).to.deep.equal([]);
    const { meta } = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect(meta?.versionId).to.equal('2');
  });

  it('after the patient was joined with another, under her former id, is met by what stands', async () => {
    const key = 'joined';
    const [number, one] = [aLocalId(), somebody({ numbers: [anINS()] })];
    expect((await feed(region().nancy, 'nancy', aLocalId(), one)).status).to.equal(201);
    const { numbers: _, ...unknown } = one;
    const former = idIn(await feed(region().strasbourg, 'strasbourg', number, unknown));
    const subject = { reference: `Patient/${former}` };
    const transaction = transactionOf(
      made('a', finding(key, 'Nodule', { subject })),
      made('c', aReport(region(), key, { subject, result: [to('a')] })),
    );
    const [id = ''] = idsOf(await expectMet(transaction), 'DiagnosticReport');
    await feed(region().strasbourg, 'strasbourg', number, one);
    const path = `DiagnosticReport/${id}`;
    const standing = (await region().strasbourg.get(path)).json<DiagnosticReport>();
    expect(standing.subject?.reference).to.not.equal(subject.reference);
    const answers = answersOf(await send(transaction));
    expect(answers.map(([status]) => status)).to.deep.equal(['200', '200']);
    expect((await region().strasbourg.get(path)).json()).to.deep.equal(standing);
    expect(await countOf(region().strasbourg, `Observation?patient=${former}`)).to.equal(1);
    expect(await seen(region().nancy, path)).to.equal(404);
  });

  it('is told to the patient each time, as what her establishment did', async () => {
    const key = 'told';
    const [id = ''] = idsOf(await expectMet(withFinding(key), withFinding(key)), 'DiagnosticReport');
    const events = await region().patient.find<AuditEvent>('AuditEvent?subtype=transaction&_count=100');
    const about = events.filter(({ entity = [] }) =>
      entity.some(({ what }) => what?.reference?.startsWith(`DiagnosticReport/${id}`) === true),
    );
    expect(about.map(({ outcome }) => outcome)).to.deep.equal(['0', '0']);
  });
});
