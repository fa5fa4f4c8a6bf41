/**
 * Numbers of another's study where those of an order go: in the images of an establishment, in its reports and in what
 * these are based on. A number leads to what its own person has of it, and to nothing else.
 */
import { randomUUID } from 'node:crypto';
import type {
  AuditEvent,
  DiagnosticReport,
  DocumentReference,
  Identifier,
  ImagingStudy,
  Patient,
  ServiceRequest,
} from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { Dataset } from '../../fixtures/dicom/part10.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidUri } from '../../profiles/codes.ts';
import { get, type Call, type Sent } from '../flows/support/door.ts';
import { onEachStore, type Running } from '../flows/support/each-store.ts';
import { makeExam } from '../flows/support/exam.ts';
import { feed } from '../flows/support/feed.ts';
import { aReport, conditionOf, countOf, documentsOf, idOf, sent as posted } from '../flows/support/report-region.ts';
import { publish } from '../flows/support/world.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { eventually, expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { runCommand } from '../support/command.ts';
import { byStudyUid, establishmentCaller, personCaller } from '../support/demonstration.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
const BORROWER = { ...PATIENTS.gaetan, localId: { nancy: 'NC-NUMBERS', strasbourg: '8000012346' } };
const ANY = 'multipart/related; type="application/dicom"; transfer-syntax=*';
const MANIFESTS = `DocumentReference?format=${CODE_SYSTEM.dicomUids}|&_count=100`;

const issuedBy = (oid: string): Dataset => ({
  IssuerOfAccessionNumberSequence: [{ UniversalEntityID: oid, UniversalEntityIDType: 'ISO' }],
});
const BY_STRASBOURG = issuedBy(strasbourg.accessionDomain);

/** What may be borrowed of an exam: an accession number, and what else the image says. */
type Borrowed = { readonly number: (sent: Sent) => string; readonly attributes?: (sent: Sent) => Dataset };

const uidOf = ({ ids }: Sent): string => ids.studyInstanceUID;

const BORROWED: Readonly<Record<string, Borrowed>> = {
  'its Study Instance UID alone': { number: uidOf },
  'its Study Instance UID in capitals': { number: (sent) => `URN:OID:${uidOf(sent)}` },
  'its Study Instance UID between blanks': { number: (sent) => `  urn:oid:${uidOf(sent)} ` },
  'its Study Instance UID, of its issuer': { number: (s) => oidUri(uidOf(s)), attributes: () => BY_STRASBOURG },
  'its Series Instance UID': { number: ({ ids }) => oidUri(ids.seriesInstanceUID) },
  'a SOP Instance UID': { number: ({ ids }) => oidUri(ids.sopInstanceUIDs[0] ?? '') },
  'its accession number': { number: ({ exam }) => exam.study.accessionNumber },
  'its accession number, of its issuer': {
    number: ({ exam }) => exam.study.accessionNumber,
    attributes: () => BY_STRASBOURG,
  },
  'its accession number, in capitals and of its issuer': {
    number: ({ exam }) => exam.study.accessionNumber.toUpperCase(),
    attributes: () => BY_STRASBOURG,
  },
  'its accession number, as one request of several': {
    number: () => 'NC-OWN-1',
    attributes: ({ exam }) => ({
      RequestAttributesSequence: [{ AccessionNumber: exam.study.accessionNumber, ...BY_STRASBOURG }],
    }),
  },
  'the number of its report': { number: ({ ids }) => ids.reportNumber, attributes: () => BY_STRASBOURG },
  'the uniqueId of its manifest': { number: ({ ids }) => oidUri(ids.manifest.uniqueId) },
  'the uniqueId of its report': { number: ({ ids }) => oidUri(ids.reportDocument.uniqueId) },
  'the address of its ImagingStudy': { number: ({ ids }) => `ImagingStudy/${ids.imagingStudy}` },
  'the address of its manifest': { number: ({ ids }) => `DocumentReference/${ids.manifest.id}` },
};
const KEYS = Object.keys(BORROWED);

function borrowing(key: string, sent: Sent): DemoStudy {
  const { number, attributes = () => ({}) } = BORROWED[key] ?? expect.fail(key);
  const head = { establishment: 'nancy', modality: 'CR', instances: 1, patient: BORROWER } as const;
  const said = { accessionNumber: number(sent), attributes: attributes(sent) };
  return aStudy({ key: `hostile/numbers/${key}`, ...head, ...said });
}

/** The ids of the manifests that a caller sees. */
async function manifestsOf(caller: FhirCaller): Promise<readonly string[]> {
  return (await caller.find<DocumentReference>(MANIFESTS)).map(({ id = '' }) => id).toSorted();
}

/** The exam of Hélène in Strasbourg, who asks for it, and everything that her record lists. */
type World = Running & {
  readonly sent: Sent;
  readonly owner: FhirCaller;
  readonly patient: FhirCaller;
  readonly borrower: FhirCaller;
  /** `Patient/id` of the borrower's patient. */
  readonly subject: string;
};

/** What stands in a record, as its reader is told: the address and version of each item. */
async function recordOf(caller: FhirCaller, patient: string): Promise<readonly string[]> {
  const items: string[] = [];
  for (const type of ['ImagingStudy', 'DiagnosticReport', 'DocumentReference', 'ServiceRequest'])
    for (const { id, meta } of await caller.find(`${type}?patient=${patient}&_count=100`))
      items.push(`${type}/${id}/${meta?.versionId}`);
  return items.toSorted();
}

async function openWorld(running: Running): Promise<World> {
  const { server } = running;
  const owner = await establishmentCaller(server, 'strasbourg');
  const exam = await makeExam(2);
  const sent = { exam, ...(await publish(server, { url: server.url, token: owner.token }, exam)) };
  const borrower = await establishmentCaller(server, 'nancy');
  await feed(borrower, BORROWER, 'nancy');
  const [known] = await borrower.find<Patient>('Patient?identifier=NC-NUMBERS');
  const patient = await personCaller(server, 'demo-patient');
  return { ...running, sent, owner, patient, borrower, subject: `Patient/${known?.id}` };
}

onEachStore('Numbers of another’s study (PS3.3 table 10-9, FHIR R4 Reference.identifier)', {}, (running) => {
  let world: World;
  let record: readonly string[];
  const callOf = ({ token }: FhirCaller): Call => {
    return { url: world.server.url, token, requestId: `urn:uuid:${randomUUID()}`, ids: world.sent.ids };
  };
  /** Expects that the record is as it was, to its patient and its establishment. */
  const expectUntouched = async (): Promise<void> => {
    for (const caller of [world.patient, world.owner])
      expect(await recordOf(caller, world.sent.ids.patient)).to.deep.equal(record);
  };
  /** Sends an exam of the borrower's own, and waits until what was sent before it is derived. */
  const settled = async (key: string): Promise<void> => {
    const study = aStudy({ key: `hostile/settled/${key}`, establishment: 'nancy', instances: 1, patient: BORROWER });
    const before = (await manifestsOf(world.borrower)).length;
    expect(await sendStudy(world.server, study)).to.deep.equal([0]);
    await eventually(async () => ((await manifestsOf(world.borrower)).length > before ? true : undefined), 30);
  };

  before(async function open() {
    if (!hasProgram('storescu')) this.skip();
    world = await openWorld(running());
    record = await recordOf(world.owner, world.sent.ids.patient);
    for (const key of KEYS) expect(await sendStudy(world.server, borrowing(key, world.sent)), key).to.deep.equal([0]);
    await eventually(async () => {
      const manifests = await manifestsOf(world.borrower);
      return manifests.length === KEYS.length ? true : undefined;
    }, 60);
  });

  it('as order numbers of images: each exam is its own, and the record of the other is as it was', async () => {
    await expectUntouched();
    for (const key of KEYS) {
      const { studyInstanceUID } = borrowing(key, world.sent);
      const found = `ImagingStudy?identifier=urn:dicom:uid|${oidUri(studyInstanceUID)}`;
      expect((await world.borrower.findOne<ImagingStudy>(found)).subject.reference, key).to.equal(world.subject);
      for (const caller of [world.patient, world.owner]) expect(await countOf(caller, found), key).to.equal(0);
    }
  });

  it('open nothing of the other to the borrower, and her list of accesses names it nowhere', async () => {
    const { ids, exam } = world.sent;
    const uid = ids.studyInstanceUID;
    for (const path of [`/dicom-web/studies/${uid}`, `/dicom-web/studies/${uid}/series/${ids.seriesInstanceUID}`])
      expect((await get(callOf(world.borrower), path, ANY)).status, path).to.equal(404);
    for (const search of [
      `ImagingStudy?identifier=urn:dicom:uid|${oidUri(uid)}`,
      `DocumentReference?related:identifier=urn:dicom:uid|${oidUri(uid)}`,
      `DocumentReference?identifier=urn:ietf:rfc:3986|${oidUri(ids.manifest.uniqueId)}`,
      `DocumentReference?related=ImagingStudy/${ids.imagingStudy}`,
      `DiagnosticReport?identifier=${ids.reportNumber}`,
    ])
      expect(await countOf(world.borrower, search), search).to.equal(0);
    const qido = `/dicom-web/studies?AccessionNumber=${exam.study.accessionNumber}`;
    const listed = await get(callOf(world.borrower), qido, 'application/dicom+json');
    expect(listed.body.toString()).to.not.include(uid);
    const events = await world.patient.find<AuditEvent>('AuditEvent?_count=200');
    const agents = events.flatMap(({ agent }) => agent.map(({ who }) => who?.reference));
    expect(agents).to.include(strasbourg.organization).and.not.include(nancy.organization);
  });

  it('of a reserved system are 400, whatever its case, and nothing stands', async () => {
    const uid = oidUri(world.sent.ids.studyInstanceUID);
    for (const system of ['urn:dicom:uid', 'URN:DICOM:UID', 'urn:ietf:rfc:3986', 'Urn:Ietf:Rfc:3986']) {
      for (const member of ['basedOn', 'imagingStudy'] as const) {
        if (member === 'imagingStudy' && system === 'urn:dicom:uid') continue;
        const said = { [member]: [{ identifier: { system, value: uid } }] };
        const report = { ...aReport(NOBODY, `reserved-${system}`), ...said, subject: { reference: world.subject } };
        const answer = await world.borrower.send('POST', 'DiagnosticReport', report);
        expectOutcome(answer, 400, 'invalid');
        expect(answer.text).to.include(`DiagnosticReport.${member}`);
        expect(await countOf(world.borrower, `DiagnosticReport?${conditionOf(report)}`)).to.equal(0);
      }
    }
  });

  it('as identifiers of a report make it no other report and no document that stands', async () => {
    const { ids, exam } = world.sent;
    const [number = {}] = exam.report.identifier ?? [];
    const borrowed: readonly Identifier[] = [
      number,
      { system: 'urn:ietf:rfc:3986', value: oidUri(ids.manifest.uniqueId) },
      { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${ids.reportDocument.id}` },
      { system: IDENTIFIER_SYSTEM.dicomUid, value: oidUri(ids.studyInstanceUID) },
    ];
    for (const [at, one] of borrowed.entries()) {
      const report = {
        ...aReport(NOBODY, `identified-${at}`),
        identifier: [one],
        subject: { reference: world.subject },
      };
      const id = await posted(world.borrower, report);
      expect(id).to.not.equal(ids.diagnosticReport);
      const [document] = await documentsOf(world.borrower, id);
      expect([ids.reportDocument.id, ids.manifest.id]).to.not.include(document?.id);
      const unique = [ids.manifest.uniqueId, ids.reportDocument.uniqueId].map(oidUri);
      expect(unique).to.not.include(document?.masterIdentifier?.value);
    }
    await settled('identifiers');
    await expectUntouched();
    const manifest = await get(callOf(world.owner), `/fhir/Binary/${ids.manifest.binary}`, 'application/dicom');
    expect(manifest.status).to.equal(200);
  });

  it('as numbers of reports, orders and exams link and tell nothing, and release nothing', async () => {
    const hidden = aStudy({ key: 'hostile/numbers/hidden', patient: PATIENTS.helene, modality: 'MR', instances: 1 });
    expect(await sendStudy(world.server, hidden)).to.deep.equal([0]);
    const exam = await eventually(
      async () => (await world.owner.find<ImagingStudy>(`ImagingStudy?${byStudyUid(hidden)}`))[0],
    );
    const system = oidUri(strasbourg.accessionDomain);
    const order: ServiceRequest = {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: world.subject },
      identifier: [
        { system: IDENTIFIER_SYSTEM.dicomUid, value: oidUri(hidden.studyInstanceUID) },
        { system, value: hidden.accessionNumber },
      ],
    };
    const made = await world.borrower.send('POST', 'ServiceRequest', order);
    expect(made.status, made.text).to.equal(201);
    const numbers: readonly Identifier[] = [
      { system, value: hidden.accessionNumber },
      { value: hidden.accessionNumber },
      { system, value: oidUri(hidden.studyInstanceUID) },
      { value: `URN:OID:${hidden.studyInstanceUID}` },
      { value: ` ${hidden.studyInstanceUID} ` },
    ];
    const named: readonly Partial<DiagnosticReport>[] = [
      ...numbers.map((identifier) => ({ basedOn: [{ identifier }] })),
      ...numbers.map((identifier) => ({ imagingStudy: [{ identifier }] })),
      { basedOn: [{ reference: `ServiceRequest/${idOf(made)}` }] },
      { imagingStudy: [{ reference: `ImagingStudy/${exam.id}`, identifier: { system, value: 'NC-OWN-2' } }] },
    ];
    for (const [at, said] of named.entries()) {
      const { effectiveDateTime: _, ...report } = aReport(NOBODY, `numbers-${at}`);
      const id = await posted(world.borrower, { ...report, ...said, subject: { reference: world.subject } });
      const [document] = await documentsOf(world.borrower, id);
      expect(JSON.stringify(document)).to.not.include('"MR"').and.not.include(exam.id);
      expect([document?.context?.event, document?.context?.period]).to.deep.equal([undefined, undefined]);
    }
    await settled('reports');
    expect(await countOf(world.patient, `ImagingStudy?${byStudyUid(hidden)}`)).to.equal(0);
    for (const caller of [world.patient, world.owner])
      expect(await countOf(caller, `DiagnosticReport?imaging-study=ImagingStudy/${exam.id}`)).to.equal(0);
  });

  it('of two patients of one establishment lead each to its own: link, release and erasure', async () => {
    const accessionNumber = 'ST-SHARED-1';
    const [hers, his] = [PATIENTS.helene, BORROWER].map((patient, at) =>
      aStudy({ key: `hostile/shared/${at}`, patient, accessionNumber, instances: 1 }),
    ) as [DemoStudy, DemoStudy];
    const standing = async (study: DemoStudy): Promise<ImagingStudy & { readonly id: string }> => {
      expect(await sendStudy(world.server, study)).to.deep.equal([0]);
      const search = `ImagingStudy?${byStudyUid(study)}&status=available`;
      return await eventually(
        async () => (await world.owner.find<ImagingStudy & { readonly id: string }>(search))[0],
        30,
      );
    };
    const [one, other] = [await standing(hers), await standing(his)];
    const basedOn = [{ identifier: { system: oidUri(strasbourg.accessionDomain), value: accessionNumber } }];
    const subject = one.subject as { readonly reference: string };
    const id = await posted(world.owner, { ...aReport(NOBODY, 'shared', { basedOn }), subject });
    await eventually(async () =>
      (await countOf(world.patient, `ImagingStudy?${byStudyUid(hers)}`)) === 1 ? true : undefined,
    );
    const links = async (): Promise<readonly (string | undefined)[]> =>
      ((await world.owner.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>().imagingStudy ?? []).map(
        ({ reference }) => reference,
      );
    expect(await links()).to.deep.equal([`ImagingStudy/${one.id}`]);
    expect(await countOf(world.patient, `ImagingStudy?${byStudyUid(his)}`)).to.equal(0);
    const manifestsOfStudy = async (study: ImagingStudy): Promise<readonly (string | undefined)[]> =>
      await eventually(async () => {
        const found = await world.owner.find<DocumentReference>(`${MANIFESTS}&related=ImagingStudy/${study.id}`);
        return found.length === 0 ? undefined : found.map(({ subject: whose }) => whose?.reference);
      }, 30);
    for (const study of [one, other])
      expect(new Set(await manifestsOfStudy(study)), study.id).to.deep.equal(new Set([study.subject.reference]));
    const place = { dataDir: world.server.dataDir, store: world.store };
    const ended = await runCommand('erase', [his.studyInstanceUID, '--yes'], place);
    expect(ended.code, ended.stderr).to.equal(0);
    expect(await links()).to.deep.equal([`ImagingStudy/${one.id}`]);
    expect(new Set(await manifestsOfStudy(one))).to.deep.equal(new Set([one.subject.reference]));
    expect(await countOf(world.patient, `ImagingStudy?${byStudyUid(hers)}`)).to.equal(1);
  });

  it('in its own establishment lead no reader of both from one to the other', async () => {
    const { ids } = world.sent;
    const uid = oidUri(ids.studyInstanceUID);
    const issued = [{ UniversalEntityID: 'urn:dicom:uid', UniversalEntityIDType: 'URI' }];
    const attributes = { IssuerOfAccessionNumberSequence: issued };
    const his = aStudy({ key: 'hostile/both', patient: BORROWER, instances: 1, accessionNumber: uid, attributes });
    expect(await sendStudy(world.server, his)).to.deep.equal([0]);
    const available = `ImagingStudy?${byStudyUid(his)}&status=available`;
    await eventually(async () => ((await countOf(world.owner, available)) === 1 ? true : undefined), 30);
    await settled('both');
    const hers = `Patient/${ids.patient}`;
    for (const type of ['ImagingStudy?identifier', 'DocumentReference?related:identifier']) {
      const found = await world.owner.find<ImagingStudy | DocumentReference>(`${type}=urn:dicom:uid|${uid}`);
      expect(new Set(found.map(({ subject }) => subject?.reference)), type).to.deep.equal(new Set([hers]));
    }
    const path = `/dicom-web/studies/${ids.studyInstanceUID}/metadata`;
    const metadata = await get(callOf(world.owner), path, 'application/dicom+json');
    expect(metadata.body.toString()).to.include(ids.seriesInstanceUID).and.not.include(his.studyInstanceUID);
  });

  it('stay where they are when the study is renewed', async () => {
    const statusesOf = async (caller: FhirCaller): Promise<ReadonlyMap<string, string | undefined>> =>
      new Map((await caller.find<DocumentReference>(MANIFESTS)).map(({ id = '', status }) => [id, status]));
    const { ids } = world.sent;
    const borrowed = await statusesOf(world.borrower);
    const { studyInstanceUID } = ids;
    const further = aStudy({ key: 'hostile/renewed', studyInstanceUID, patient: PATIENTS.helene, instances: 1 });
    expect(await sendStudy(world.server, further)).to.deep.equal([0]);
    const renewed = async (): Promise<true | undefined> =>
      (await statusesOf(world.owner)).get(ids.manifest.id) === 'superseded' ? true : undefined;
    await eventually(renewed, 30);
    expect(await statusesOf(world.borrower)).to.deep.equal(borrowed);
    const current = (await world.patient.find<DocumentReference>(`${MANIFESTS}&status=current`)).filter(({ context }) =>
      context?.related?.some(({ reference }) => reference === `ImagingStudy/${ids.imagingStudy}`),
    );
    expect(current.map(({ subject }) => subject?.reference)).to.deep.equal([`Patient/${ids.patient}`]);
  });

  it('outlive the study whose they are, each in its own record', async () => {
    const before = await manifestsOf(world.borrower);
    const place = { dataDir: world.server.dataDir, store: world.store };
    const ended = await runCommand('erase', [world.sent.ids.studyInstanceUID, '--yes'], place);
    expect(ended.code, ended.stderr).to.equal(0);
    expect(await manifestsOf(world.borrower)).to.deep.equal(before);
    for (const key of KEYS)
      expect(await countOf(world.borrower, `ImagingStudy?${byStudyUid(borrowing(key, world.sent))}`), key).to.equal(1);
  });
});

/** The patient of a report is said beside it. */
const NOBODY = { patients: { helene: '', heleneNancy: '', gaetan: '' } };
