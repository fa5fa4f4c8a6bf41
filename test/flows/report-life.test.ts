/**
 * The life of a report by its status (FHIR R4 DiagnosticReport.status; MHD and XDS: DocumentEntry life cycle). Row C12
 * of smart-security.md.
 */
import type { AuditEvent, Bundle, Communication, DiagnosticReport } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { eventually, expectOutcome } from '../support/clients/fhir-caller.ts';
import {
  anExam,
  aPdf,
  aReport,
  bytesAt,
  conditionOf,
  countOf,
  describeReports,
  documentsOf,
  entriesOf,
  examByUid,
  idOf,
  imagesOf,
  iti43,
  put,
  seen,
  sent,
  uniqueIdOf,
  type ReportCallers,
} from './support/report-region.ts';

const EVERYBODY = ['strasbourg', 'radiologist', 'emergency', 'declared', 'patient'] as const;
const SERVICE = ['strasbourg', 'radiologist', 'emergency'] as const;

/** Who reads a path of the callers that have to do with Hélène. */
async function readersOf(region: ReportCallers, path: string): Promise<string[]> {
  const readers: string[] = [];
  for (const name of EVERYBODY) if ((await seen(region[name], path)) === 200) readers.push(name);
  return readers;
}

const INVISIBLE_PATIENT = { system: 'urn:oid:1.2.250.1.213.1.1.4.13', code: 'INVISIBLE_PATIENT' };

describeReports('Reports of one exam in one transaction', {}, (region) => {
  it('are none where what one makes of the other would be lost: a correction stands, or nothing is done', async () => {
    const study = anExam('together');
    await imagesOf(region(), study);
    const imagingStudy = [examByUid(study)];
    const [one, other] = ['together-1', 'together-2'].map((key) => aReport(region(), key, { imagingStudy }));
    if (one === undefined || other === undefined) throw new Error('There are two');
    const id = await sent(region().strasbourg, other);
    await sent(region().strasbourg, one);
    await eventually(async () => (await linked(id)) || undefined);
    const corrected = { ...other, conclusion: 'Corrigé' };
    const masked = { ...one, meta: { security: [INVISIBLE_PATIENT] } };
    const entry = [corrected, masked].map((resource) => ({
      resource,
      request: { method: 'PUT' as const, url: `DiagnosticReport?${conditionOf(resource)}` },
    }));
    const bundle: Bundle = { resourceType: 'Bundle', type: 'transaction', entry };
    expectOutcome(await region().strasbourg.send('POST', '', bundle), 400, 'invalid');
    for (const { resource } of entry) await put(region().strasbourg, resource);
    const { conclusion } = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect(conclusion).to.equal('Corrigé');
  });

  async function linked(id: string): Promise<boolean> {
    const { imagingStudy = [] } = (await region().patient.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    return imagingStudy[0]?.reference !== undefined;
  }
});

describeReports('A report that nobody has validated', {}, (region) => {
  for (const status of ['registered', 'partial', 'preliminary', 'unknown'] as const) {
    it(`${status}: its author, the imaging service and an emergency read it, and there is no document`, async () => {
      const report = aReport(region(), `early/${status}`, { status });
      const id = await sent(region().strasbourg, report);
      expect(await readersOf(region(), `DiagnosticReport/${id}`)).to.deep.equal(SERVICE);
      expect(await readersOf(region(), `DiagnosticReport/${id}/_history/1`)).to.deep.equal(SERVICE);
      const listed = await Promise.all(
        EVERYBODY.map(async (name) => await countOf(region()[name], `DiagnosticReport?${conditionOf(report)}`)),
      );
      expect(listed).to.deep.equal([1, 1, 1, 0, 0]);
      for (const name of EVERYBODY) expect(await documentsOf(region()[name], id), name).to.deep.equal([]);
      const { presentedForm } = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
      const binary = presentedForm?.[0]?.url?.split('/fhir/')[1] ?? '';
      expect(await readersOf(region(), binary)).to.deep.equal(SERVICE);
    });
  }

  it('needs no form yet; a validated one does', async () => {
    const { presentedForm: _, ...report } = aReport(region(), 'formless', { status: 'registered' });
    const id = await sent(region().strasbourg, report);
    expectOutcome(
      await region().strasbourg.send('PUT', `DiagnosticReport?${conditionOf(report)}`, { ...report, status: 'final' }),
      400,
      'required',
    );
    await put(region().strasbourg, aReport(region(), 'formless', { status: 'preliminary' }));
    await put(region().strasbourg, aReport(region(), 'formless'));
    expect(await documentsOf(region().patient, id)).to.have.length(1);
  });

  it('final: a new version of the same resource, its document is current, and nobody waits any more', async () => {
    const early = aReport(region(), 'validated', { status: 'preliminary', text: 'provisoire' });
    const id = await sent(region().strasbourg, early);
    const { presentedForm: before } = (
      await region().strasbourg.get(`DiagnosticReport/${id}`)
    ).json<DiagnosticReport>();
    expect(idOf(await put(region().strasbourg, aReport(region(), 'validated', { text: 'définitif' })))).to.equal(id);
    expect(await readersOf(region(), `DiagnosticReport/${id}`)).to.deep.equal(EVERYBODY);
    const [document, ...others] = await documentsOf(region().patient, id);
    expect(others).to.deep.equal([]);
    expect([document?.status, document?.docStatus, document?.relatesTo]).to.deep.equal([
      'current',
      undefined,
      undefined,
    ]);
    expect(await bytesAt(region().patient, document?.content[0]?.attachment.url)).to.equal(
      aPdf('définitif').toString(),
    );
    // What was provisional stays with those who read it then.
    expect(await readersOf(region(), `DiagnosticReport/${id}/_history/1`)).to.deep.equal(SERVICE);
    expect(await bytesAt(region().patient, before?.[0]?.url)).to.equal(404);
    expect(await bytesAt(region().declared, before?.[0]?.url)).to.equal(404);
    expect(await bytesAt(region().radiologist, before?.[0]?.url)).to.equal(aPdf('provisoire').toString());
    const history = (await region().patient.get(`DiagnosticReport/${id}/_history`)).json<Bundle>();
    expect(history.entry?.map(({ resource }) => resource?.meta?.versionId)).to.deep.equal(['2']);
    const ofType = (await region().patient.get('DiagnosticReport/_history?_count=200')).text;
    expect(ofType).to.not.include('provisoire');
  });

  it('final with the same bytes: they are read by everybody from then on', async () => {
    const id = await sent(region().strasbourg, aReport(region(), 'same-bytes', { status: 'preliminary' }));
    const patch = [{ op: 'replace', path: '/status', value: 'final' }];
    const headers = { 'content-type': 'application/json-patch+json' };
    expect((await region().strasbourg.send('PATCH', `DiagnosticReport/${id}`, patch, headers)).status).to.equal(200);
    const [document] = await documentsOf(region().patient, id);
    expect(await bytesAt(region().patient, document?.content[0]?.attachment.url)).to.equal(
      aPdf('same-bytes').toString(),
    );
    const event = await region().patient.find<AuditEvent>('AuditEvent?subtype=patch');
    expect(event.map(({ entity }) => entity?.map(({ what }) => what?.reference)).flat()).to.include(
      `DiagnosticReport/${id}`,
    );
  });

  it('is never read by the patient or whom she declared when it ends before it was validated', async () => {
    for (const status of ['cancelled', 'entered-in-error'] as const) {
      const id = await sent(region().strasbourg, aReport(region(), `never/${status}`, { status: 'preliminary' }));
      await put(region().strasbourg, aReport(region(), `never/${status}`, { status }));
      expect(await readersOf(region(), `DiagnosticReport/${id}`)).to.deep.equal(SERVICE);
    }
    const notices = await region().patient.find<Communication>('Communication');
    expect(JSON.stringify(notices)).to.not.include('erreur');
  });
});

describeReports('A report that was published', {}, (region) => {
  for (const status of ['amended', 'corrected'] as const) {
    it(`${status}: another document replaces the former, each with its own bytes`, async () => {
      const id = await sent(region().strasbourg, aReport(region(), `published/${status}`, { text: 'avant' }));
      await put(region().strasbourg, aReport(region(), `published/${status}`, { status, text: 'après' }));
      for (const name of EVERYBODY) {
        const [former, current, ...others] = await documentsOf(region()[name], id);
        expect(others).to.deep.equal([]);
        expect([former?.status, current?.status], name).to.deep.equal(['superseded', 'current']);
        expect(current?.relatesTo).to.deep.equal([
          { code: 'replaces', target: { reference: `DocumentReference/${former?.id}` } },
        ]);
        expect(uniqueIdOf(current ?? expect.fail())).to.not.equal(uniqueIdOf(former ?? expect.fail()));
        expect(await bytesAt(region()[name], former?.content[0]?.attachment.url)).to.equal(aPdf('avant').toString());
        expect(await bytesAt(region()[name], current?.content[0]?.attachment.url)).to.equal(aPdf('après').toString());
      }
    });
  }

  it('amended with the bytes that stand, sent again or not: a further document all the same', async () => {
    const sentAgain = await sent(region().strasbourg, aReport(region(), 'bytes-again'));
    await put(region().strasbourg, aReport(region(), 'bytes-again', { status: 'amended' }));
    const patched = await sent(region().strasbourg, aReport(region(), 'bytes-kept'));
    const patch = [{ op: 'replace', path: '/status', value: 'corrected' }];
    const headers = { 'content-type': 'application/json-patch+json' };
    expect((await region().strasbourg.send('PATCH', `DiagnosticReport/${patched}`, patch, headers)).status).to.equal(
      200,
    );
    for (const [id, text] of [
      [sentAgain, 'bytes-again'],
      [patched, 'bytes-kept'],
    ] as const) {
      const documents = await documentsOf(region().patient, id);
      expect(documents.map((one) => one.status)).to.deep.equal(['superseded', 'current']);
      const urls = documents.map(({ content }) => content[0]?.attachment.url);
      expect(new Set(urls).size).to.equal(2);
      for (const url of urls) expect(await bytesAt(region().patient, url)).to.equal(aPdf(text).toString());
    }
  });

  it('appended: the addition is a document of its own, and both are current', async () => {
    const id = await sent(region().strasbourg, aReport(region(), 'appended', { text: 'premier' }));
    await put(region().strasbourg, aReport(region(), 'appended', { status: 'appended', text: 'complément' }));
    const [first, addition, ...others] = await documentsOf(region().patient, id);
    expect(others).to.deep.equal([]);
    expect([first?.status, addition?.status]).to.deep.equal(['current', 'current']);
    expect(addition?.relatesTo).to.deep.equal([
      { code: 'appends', target: { reference: `DocumentReference/${first?.id}` } },
    ]);
    const { presentedForm = [] } = (await region().patient.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    const texts = await Promise.all(presentedForm.map(async ({ url }) => await bytesAt(region().patient, url)));
    expect(texts).to.deep.equal([aPdf('premier').toString(), aPdf('complément').toString()]);
    await put(region().strasbourg, aReport(region(), 'appended', { status: 'appended', text: 'complément' }));
    expect(await documentsOf(region().patient, id)).to.have.length(2);
    await put(region().strasbourg, aReport(region(), 'appended', { status: 'amended', text: 'tout' }));
    const documents = await documentsOf(region().patient, id);
    expect(documents.map(({ status }) => status)).to.deep.equal(['superseded', 'superseded', 'current']);
    expect(documents[2]?.relatesTo?.map(({ code }) => code)).to.deep.equal(['replaces', 'replaces']);
  });

  it('ITI-18 finds the current documents as Approved, the superseded ones as Deprecated, and none before', async () => {
    const key = 'registry';
    const id = await sent(region().strasbourg, aReport(region(), key, { status: 'preliminary', text: 'un' }));
    const found = async () => {
      const all = await entriesOf(region(), region().declared);
      const ids = (await documentsOf(region().declared, id)).map((document) => `urn:uuid:${document.id}`);
      return ids.map((uuid) => all.get(uuid));
    };
    expect(await found()).to.deep.equal([]);
    await put(region().strasbourg, aReport(region(), key, { text: 'deux' }));
    expect(await found()).to.deep.equal(['Approved']);
    await put(region().strasbourg, aReport(region(), key, { status: 'amended', text: 'trois' }));
    expect(await found()).to.deep.equal(['Deprecated', 'Approved']);
    await put(region().strasbourg, aReport(region(), key, { status: 'cancelled', text: 'trois' }));
    expect(await found()).to.deep.equal(['Deprecated', 'Deprecated']);
  });

  it('cancelled: no document is current, and whoever saw it is told so', async () => {
    const id = await sent(region().strasbourg, aReport(region(), 'cancelled'));
    await put(region().strasbourg, aReport(region(), 'cancelled', { status: 'cancelled' }));
    expect(await readersOf(region(), `DiagnosticReport/${id}`)).to.deep.equal(EVERYBODY);
    const report = (await region().patient.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect(report.status).to.equal('cancelled');
    const documents = await documentsOf(region().patient, id);
    expect(documents.map(({ status }) => status)).to.deep.equal(['superseded']);
  });

  it('a label that rises reaches the former documents too', async () => {
    const id = await sent(region().strasbourg, aReport(region(), 'labelled', { text: 'avant' }));
    const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }];
    await put(
      region().strasbourg,
      aReport(region(), 'labelled', { status: 'amended', text: 'après', meta: { security } }),
    );
    expect(await documentsOf(region().declared, id)).to.deep.equal([]);
    expect(await documentsOf(region().patient, id)).to.have.length(2);
  });

  it('entered in error: its readers are told no more, its establishment keeps it, its documents are gone', async () => {
    const report = aReport(region(), 'error', { text: 'secret de la première version' });
    const id = await sent(region().strasbourg, report);
    await put(region().strasbourg, aReport(region(), 'error', { status: 'amended', text: 'secret de la seconde' }));
    const documents = await documentsOf(region().patient, id);
    const urls = documents.map(({ content }) => content[0]?.attachment.url);
    expect(await iti43(region(), region().declared, uniqueIdOf(documents[1] ?? expect.fail()))).to.deep.equal([
      'Success',
    ]);
    await put(
      region().strasbourg,
      aReport(region(), 'error', { status: 'entered-in-error', text: 'secret de la seconde' }),
    );
    for (const name of ['radiologist', 'emergency', 'declared', 'patient'] as const) {
      const caller = region()[name];
      const told = (await caller.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
      expect(Object.keys(told).toSorted(), name).to.deep.equal([
        'code',
        'effectiveDateTime',
        'id',
        'identifier',
        'issued',
        'meta',
        'resourceType',
        'status',
        'subject',
      ]);
      expect([told.status, told.code.coding, told.code.text]).to.deep.equal(['entered-in-error', undefined, undefined]);
      for (const path of [
        `DiagnosticReport/${id}/_history/1`,
        `DiagnosticReport/${id}/_history`,
        `DiagnosticReport?${conditionOf(report)}`,
        'DiagnosticReport/_history?_count=200',
      ]) {
        const answer = await caller.get(path);
        expect(answer.status, path).to.equal(200);
        expect(answer.text, `${name} ${path}`).to.not.include('secret');
      }
      expect(await countOf(caller, `DiagnosticReport?${conditionOf(report)}&code=18748-4`)).to.equal(0);
      for (const url of urls) expect(await bytesAt(caller, url), name).to.equal(404);
    }
    for (const name of EVERYBODY) {
      expect(await documentsOf(region()[name], id), name).to.deep.equal([]);
      for (const document of documents) {
        expect(await seen(region()[name], `DocumentReference/${document.id}`)).to.equal(404);
        expect(await seen(region()[name], `DocumentReference/${document.id}/_history/1`)).to.equal(404);
        expect(await iti43(region(), region()[name], uniqueIdOf(document))).to.deep.equal([
          'Failure',
          'XDSDocumentUniqueIdError',
        ]);
      }
    }
    const kept = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect(kept.conclusion).to.include('secret de la seconde');
    expect(await bytesAt(region().strasbourg, urls[0])).to.include('secret de la première version');
    const notices = await region().patient.find<Communication>('Communication');
    const told = notices.filter(({ payload }) => JSON.stringify(payload).includes('erreur'));
    expect(told).to.have.length(1);
    expect(JSON.stringify(told)).to.not.include('secret').and.not.include(id);
    for (const name of ['radiologist', 'declared', 'stranger'] as const)
      expect(JSON.stringify(await region()[name].find<Communication>('Communication'))).to.not.include('erreur');
  });

  it('an error that says no more than that: its establishment reads on what was said before', async () => {
    const report = aReport(region(), 'bare-error', { text: 'retenu' });
    const id = await sent(region().strasbourg, report);
    const { presentedForm: _form, conclusion: _conclusion, ...bare } = report;
    await put(region().strasbourg, { ...bare, status: 'entered-in-error' });
    const former = `DiagnosticReport/${id}/_history/1`;
    const kept = (await region().strasbourg.get(former)).json<DiagnosticReport>();
    expect(kept.conclusion).to.include('retenu');
    expect(await bytesAt(region().strasbourg, kept.presentedForm?.[0]?.url)).to.include('retenu');
    for (const name of ['radiologist', 'patient'] as const) {
      expect((await region()[name].get(former)).text).to.not.include('retenu');
      expect(await bytesAt(region()[name], kept.presentedForm?.[0]?.url)).to.equal(404);
    }
    // What ended does not come back.
    for (const status of ['final', 'amended', 'cancelled'] as const)
      expectOutcome(
        await region().strasbourg.send('PUT', `DiagnosticReport?${conditionOf(report)}`, { ...report, status }),
        409,
      );
  });
});
