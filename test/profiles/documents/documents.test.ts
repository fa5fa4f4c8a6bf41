import type { WithId } from '@medplum/core';
import type { DiagnosticReport, DocumentReference, ImagingStudy, Organization, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { toPatient } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import { buildReportBundle } from '../../../fixtures/reports.ts';
import { DOCUMENT_ENTRY_CLASSIFICATION as SCHEME, NAMESPACE } from '../../../ihe/codes.ts';
import { formatDocumentEntry } from '../../../ihe/ebxml/document-entry.ts';
import { withXml } from '../../../ihe/xml/parse.ts';
import { attributeOf, childrenNamed, selectElements } from '../../../ihe/xml/select.ts';
import { oidUri } from '../../../profiles/codes.ts';
import { buildImagingStudy } from '../../../profiles/imaging/imaging-study-from-dicom.ts';
import { buildManifestDocument } from '../../../profiles/documents/manifest-document.ts';
import { buildReportDocument } from '../../../profiles/documents/report-document.ts';
import type { ReportDocumentInput } from '../../../profiles/documents/report-document.ts';
import { viewerLinks, withViewers } from '../../../profiles/imaging/viewer-endpoint.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import type { LoadedDefinitions } from '../../../server/runtime/definitions.ts';
import { seriesOf } from '../../support/imaging.ts';
import { faultOf } from '../../support/thrown-fault.ts';

const { strasbourg } = ESTABLISHMENTS;
const SOURCE = aStudy({ key: 'documents', modality: 'MR', instances: 1 });
const ID = '5b1d8a4e-0c5c-4a52-9f51-1d8a7c1b2f10';
const SHA1 = Buffer.alloc(20, 0xab).toString('base64');
const ORGANIZATION: Organization = {
  resourceType: 'Organization',
  id: 'demo-strasbourg',
  name: strasbourg.name,
  identifier: [{ system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1679999901' }],
};
const PATIENT: Patient = { ...toPatient(PATIENTS.helene, strasbourg), id: 'helene' };
const STUDY: WithId<ImagingStudy> = buildImagingStudy({
  id: 'study-1',
  studyInstanceUID: SOURCE.studyInstanceUID,
  patient: 'Patient/helene',
  endpoint: 'Endpoint/wado',
  viewer: 'https://images.example/voir/study-1',
  organization: strasbourg.organization,
  accessionSystem: oidUri(strasbourg.accessionDomain),
  timeZone: 'Europe/Paris',
  series: seriesOf(SOURCE),
});

function aManifest(organization = ORGANIZATION) {
  return buildManifestDocument({
    id: ID,
    patient: PATIENT,
    study: STUDY,
    manifest: {
      sopInstanceUID: '2.25.41',
      binary: 'Binary/b',
      url: 'https://fhir.example/Binary/b',
      size: 2048,
      sha1Base64: SHA1,
    },
    organization,
    created: '2026-01-15T10:00:00.000Z',
  });
}

async function reportInput(changes: Partial<ReportDocumentInput> = {}): Promise<ReportDocumentInput> {
  const text = {
    title: 'IRM de contrôle',
    indication: 'Contrôle.',
    technique: 'IRM.',
    results: ['Rien.'],
    conclusion: 'Rien.',
  };
  const { entry = [] } = await buildReportBundle(SOURCE, text);
  const report = {
    ...(entry[1]?.resource as DiagnosticReport),
    id: 'report-1',
    subject: { reference: 'Patient/helene' },
  };
  return {
    id: ID,
    uniqueId: '2.25.42',
    patient: PATIENT,
    report,
    attachment: {
      binary: 'Binary/c',
      url: 'https://fhir.example/Binary/c',
      contentType: 'application/pdf',
      size: 999,
      sha1Base64: SHA1,
    },
    organization: ORGANIZATION,
    studies: [STUDY],
    manifests: ['DocumentReference/manifest-1'],
    ...changes,
  };
}

type Entry = {
  readonly slots: Readonly<Record<string, readonly string[]>>;
  readonly codes: Readonly<Record<string, string>>;
  readonly identifiers: readonly string[];
};

/** Reads the DocumentEntry of a document back, as a consumer of XDS does. */
function entryOf(document: DocumentReference): Entry {
  const entry = formatDocumentEntry({
    document,
    patient: PATIENT,
    patientId: 'R-1^^^&2.25.10&ISO',
    repositoryUniqueId: '2.25.2',
    resolve: ({ reference }) => (reference === 'Organization/demo-strasbourg' ? ORGANIZATION : undefined),
  });
  return withXml(Buffer.from(`<rim:L xmlns:rim="${NAMESPACE.rim}">${entry}</rim:L>`), (xml) => {
    const [object] = selectElements(xml, '/*/rim:ExtrinsicObject');
    if (object === undefined) throw new Error('No entry');
    const values = (element: typeof object) => selectElements(element, './/rim:Value').map(({ content }) => content);
    return {
      slots: Object.fromEntries(
        childrenNamed(object, 'rim', 'Slot').map((slot) => [attributeOf(slot, 'name'), values(slot)]),
      ),
      codes: Object.fromEntries(
        childrenNamed(object, 'rim', 'Classification').map((code) => [
          attributeOf(code, 'classificationScheme'),
          [attributeOf(code, 'nodeRepresentation') ?? '', ...values(code)].join(' '),
        ]),
      ),
      identifiers: childrenNamed(object, 'rim', 'ExternalIdentifier').map((one) => attributeOf(one, 'value') ?? ''),
    };
  });
}

/** The addresses of the Endpoints within a document that it refers to. */
function viewersIn({ contained = [], context }: DocumentReference): (string | undefined)[] {
  const references = (context?.related ?? []).map(({ reference }) => reference);
  return contained.flatMap((one) =>
    one.resourceType === 'Endpoint' && references.includes(`#${one.id}`) ? [one.address] : [],
  );
}

/** ITI TF-3 table 4.3.2.1-3: what the answer to a query must hold, beside attributes of the object itself. */
const REQUIRED_SLOTS = [
  'creationTime',
  'hash',
  'size',
  'languageCode',
  'repositoryUniqueId',
  'sourcePatientId',
  'serviceStartTime',
];
const REQUIRED_CODES = [
  'classCode',
  'confidentialityCode',
  'formatCode',
  'healthcareFacilityTypeCode',
  'practiceSettingCode',
  'typeCode',
  'author',
] as const;

function expectComplete({ slots, codes, identifiers }: Entry): void {
  for (const name of REQUIRED_SLOTS) expect(slots[name], name).to.have.length(1);
  for (const name of REQUIRED_CODES) expect(codes[SCHEME[name]], name).to.be.a('string').and.not.equal('');
  expect(identifiers).to.have.length(2);
}

const [STUDY_CXI, ACCESSION_CXI] = [
  `${SOURCE.studyInstanceUID}^^^^urn:ihe:iti:xds:2016:studyInstanceUID`,
  `${SOURCE.accessionNumber}^^^&${strasbourg.accessionDomain}&ISO^urn:ihe:iti:xds:2013:accession`,
];

describe('Documents of the server (IHE MHD, XDS-I.b)', () => {
  let loaded: LoadedDefinitions;

  before(async () => {
    loaded = await loadDefinitions();
  });

  it('manifest: is valid, and found by format, study, accession number and modality', () => {
    const document = aManifest();
    expect(loaded.validate(document)).to.equal(document);
    expect(document.masterIdentifier?.value).to.equal('urn:oid:2.25.41');
    expect(document.identifier?.map(({ value }) => value)).to.deep.equal([`urn:uuid:${ID}`, 'urn:oid:2.25.41']);
    expect(document.type?.coding?.map(({ code }) => code)).to.deep.equal(['18748-4', 'IMG-KOS']);
    expect(document.subject?.reference).to.equal('Patient/helene');
    const { tokens, references } = loaded.indexer(document);
    const found = tokens.map(({ param, system, value }) => `${param}=${system}|${value}`);
    expect(found).to.include.members([
      'format=urn:oid:1.2.840.10008.2.6.1|1.2.840.10008.5.1.4.1.1.88.59',
      `related:identifier=urn:dicom:uid|urn:oid:${SOURCE.studyInstanceUID}`,
      `related:identifier=urn:oid:${strasbourg.accessionDomain}|${SOURCE.accessionNumber}`,
      'event=http://dicom.nema.org/resources/ontology/DCM|MR',
    ]);
    expect(references).to.deep.include({ param: 'related', target: 'ImagingStudy/study-1' });
  });

  it('manifest: fills every attribute that a DocumentEntry needs', () => {
    const entry = entryOf(aManifest());
    expectComplete(entry);
    expect(entry.identifiers).to.include('2.25.41');
    expect(entry.slots['hash']).to.deep.equal(['ab'.repeat(20)]);
    expect(entry.slots['creationTime']).to.deep.equal(['20260115100000']);
    expect(entry.slots['serviceStartTime']).to.deep.equal(['20260115083000']);
    expect(entry.slots['sourcePatientId']).to.deep.equal([`8000012345^^^&${strasbourg.patientIdDomain}&ISO`]);
    expect(entry.slots['urn:ihe:iti:xds:2013:referenceIdList']).to.deep.equal([STUDY_CXI, ACCESSION_CXI]);
    expect(entry.codes[SCHEME.typeCode]).to.equal('18748-4 2.16.840.1.113883.6.1');
    expect(entry.codes[SCHEME.classCode]).to.equal('31 1.2.250.1.213.1.1.4.1');
    expect(entry.codes[SCHEME.formatCode]).to.equal('1.2.840.10008.5.1.4.1.1.88.59 1.2.840.10008.2.6.1');
    expect(entry.codes[SCHEME.eventCodeList]).to.equal('MR 1.2.840.10008.2.16.4');
    expect(entry.codes[SCHEME.confidentialityCode]).to.equal('N 2.16.840.1.113883.5.25');
    expect(entry.codes[SCHEME.author]).to.include('1679999901');
  });

  it('takes the label of what it documents, and the setting of a French establishment', async () => {
    const label = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] };
    const input = await reportInput();
    const document = buildReportDocument({ ...input, report: { ...input.report, meta: label } });
    expect(document.meta).to.deep.equal(label);
    expect(document.securityLabel?.[0]?.coding?.[0]?.code).to.equal('R');
    const practice = { ...ORGANIZATION, type: [{ coding: [{ system: 'urn:oid:1.2.250.1.71.4.2.4', code: 'SA08' }] }] };
    const entry = entryOf(aManifest(practice));
    expect(entry.codes[SCHEME.healthcareFacilityTypeCode]).to.equal('SA08 1.2.250.1.71.4.2.4');
    expect(entry.codes[SCHEME.practiceSettingCode]).to.equal('AMBULATOIRE 1.2.250.1.213.1.1.4.9');
    expect(entryOf(aManifest()).codes[SCHEME.practiceSettingCode]).to.equal('394914008 2.16.840.1.113883.6.96');
  });

  it('report: is valid, names its authors, studies, report and manifests', async () => {
    const document = buildReportDocument(await reportInput());
    expect(loaded.validate(document)).to.equal(document);
    expect(document.author?.map(({ reference }) => reference)).to.deep.equal([
      strasbourg.radiologist.reference,
      'Organization/demo-strasbourg',
    ]);
    const institutions = [strasbourg.service];
    const { author } = buildReportDocument({ ...(await reportInput()), institutions });
    expect(author?.map(({ reference }) => reference)).to.include.members([
      strasbourg.service,
      'Organization/demo-strasbourg',
    ]);
    expect(document.custodian?.reference).to.equal('Organization/demo-strasbourg');
    expect(document.context?.related?.map(({ reference, type }) => reference ?? type)).to.deep.equal([
      'ImagingStudy/study-1',
      'ServiceRequest',
      'DiagnosticReport/report-1',
      'DocumentReference/manifest-1',
      '#viewer',
    ]);
    expect(document.content[0]?.attachment.title).to.equal('IRM de contrôle');
  });

  it('report: fills every attribute that a DocumentEntry needs', async () => {
    const entry = entryOf(buildReportDocument(await reportInput()));
    expectComplete(entry);
    expect(entry.codes[SCHEME.classCode]).to.equal('10 1.2.250.1.213.1.1.4.1');
    expect(entry.codes[SCHEME.formatCode]).to.equal('urn:ihe:iti:xds-sd:pdf:2008 1.3.6.1.4.1.19376.1.2.3');
    expect(entry.slots['creationTime']).to.deep.equal(['20260115170000']);
    expect(entry.slots['urn:ihe:iti:xds:2013:referenceIdList']).to.deep.equal([STUDY_CXI, ACCESSION_CXI]);
  });

  it('report: relates a study that is not stored by what the report says of it', async () => {
    const document = buildReportDocument(await reportInput({ studies: [], manifests: [] }));
    loaded.validate(document);
    expect(entryOf(document).slots['urn:ihe:iti:xds:2013:referenceIdList']).to.deep.equal([STUDY_CXI, ACCESSION_CXI]);
    expect(document.context?.related?.[0]).to.not.have.property('reference');
    expect(document.context).to.not.have.property('event');
  });

  it('leads to the viewer of each of its studies by an Endpoint within it, beside its one content', async () => {
    const other = { ...STUDY, contained: [...viewerLinks(['https://images.example/voir/study-2']).contained] };
    const report = buildReportDocument(await reportInput({ studies: [STUDY, other, STUDY] }));
    loaded.validate(report);
    expect(viewersIn(report)).to.deep.equal([
      'https://images.example/voir/study-1',
      'https://images.example/voir/study-2',
    ]);
    const manifest = aManifest();
    expect(viewersIn(manifest)).to.deep.equal(['https://images.example/voir/study-1']);
    for (const document of [report, manifest]) expect(document.content).to.have.length(1);
    const related = loaded.indexer(manifest).references.filter(({ param }) => param === 'related');
    expect(related.map(({ target }) => target)).to.deep.equal(['ImagingStudy/study-1']);
  });

  it('gets the viewer that it lacks, or that has moved, and else stays as it is', () => {
    const [before, now] = ['https://images.example/voir/study-1', 'https://images.example.org/voir/study-1'];
    const manifest = aManifest();
    expect(withViewers(manifest, [before])).to.deep.equal(manifest);
    const without = withViewers(manifest, []);
    expect(JSON.stringify(without)).to.not.include('viewer');
    loaded.validate(without);
    expect(withViewers(without, [before])).to.deep.equal(manifest);
    expect(viewersIn(withViewers(manifest, [now]))).to.deep.equal([now]);
  });

  it('report: the establishment is an author, with or without others; a care team cannot be one', async () => {
    const input = await reportInput();
    const report = { ...input.report, resultsInterpreter: [], performer: [{ reference: 'CareTeam/1' }] };
    const document = buildReportDocument({ ...input, report });
    expect(document.author).to.deep.equal([{ reference: 'Organization/demo-strasbourg', display: strasbourg.name }]);
  });

  it('report: lasts from its earliest study to its latest when it gives no time of its own', async () => {
    const { effectiveDateTime: _effective, ...report } = (await reportInput()).report;
    const earlier = { ...STUDY, id: 'study-0', started: '2026-01-15T09:00:00+01:00' };
    const document = buildReportDocument(await reportInput({ report, studies: [STUDY, earlier] }));
    expect(document.context?.period).to.deep.equal({
      start: '2026-01-15T09:00:00+01:00',
      end: '2026-01-15T09:30:00+01:00',
    });
    const { started: _started, ...unsaid } = STUDY;
    const undated = buildReportDocument(await reportInput({ report, studies: [earlier, unsaid] }));
    expect(undated.context?.period, 'one does not say when').to.deep.equal({ start: earlier.started });
    const effectivePeriod = { start: '2022-12-30', end: '2023-01-02' };
    const lasting = buildReportDocument(await reportInput({ report: { ...report, effectivePeriod } }));
    expect(lasting.context?.period, 'as the report').to.deep.equal(effectivePeriod);
  });

  it('report: needs a time at which it was made', async () => {
    const input = await reportInput();
    const { issued: _issued, ...report } = input.report;
    const fault = faultOf(() => buildReportDocument({ ...input, report }));
    expect([fault.kind, fault.expression]).to.deep.equal(['required', 'DiagnosticReport.issued']);
    const dated = buildReportDocument({
      ...input,
      report,
      attachment: { ...input.attachment, creation: '2026-01-16' },
    });
    loaded.validate(dated);
    expect(dated.content[0]?.attachment.creation).to.equal('2026-01-16');
    expect(dated).to.not.have.property('date');
  });
});
