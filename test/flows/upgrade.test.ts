/** Data that earlier servers wrote (fixtures/upgrade), opened by this one: the same people see the same things. */
import { createHash } from 'node:crypto';
import type { AuditEvent, Consent, DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
import type { ImagingStudy, Parameters, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { patientIdentifier } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import type { ExpectedStudy, PatientKey } from '../../fixtures/upgrade/expected.ts';
import { CODE_SYSTEM, DICOM_UID } from '../../profiles/codes.ts';
import type { DicomJson } from '../../profiles/dicom/json/json.ts';
import { runCommand } from '../support/command.ts';
import { establishmentCaller, personCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { whyNoMongoPeer } from '../support/peers/mongodb-peer.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { partsOf, readReply, type Reply } from './support/door.ts';
import { dataSetDigest } from './support/exam.ts';
import { ERAS, openEra, type UpgradedServer } from './support/eras/open-era.ts';

const EVERY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*';

/** The format of manifests. */
const KOS = `${CODE_SYSTEM.dicomUids}|${DICOM_UID.keyObjectSelection}`;

/** The logins of the patients. */
const LOGINS: Readonly<Partial<Record<PatientKey, string>>> = { helene: 'demo-patient', josee: 'demo-patient-lu' };

/** The checks, on one era as one store keeps it. */
function upgradeChecks(era: string, kind: 'sqlite' | 'mongodb', killed = false): void {
  let opened: UpgradedServer;
  before(async function open() {
    this.timeout(60_000);
    opened = await openEra(era, kind, killed);
  });
  after(async () => await opened?.close());

  const establishment = async ({ establishment: key }: ExpectedStudy): Promise<FhirCaller> =>
    await establishmentCaller(opened.server, key);
  const patient = async (key: PatientKey): Promise<FhirCaller> => await personCaller(opened.server, LOGINS[key] ?? '');
  const studiesOf = (key: PatientKey): readonly ExpectedStudy[] =>
    opened.expected.studies.filter((study) => study.patient === key);
  const idsOf = (studies: readonly ExpectedStudy[]): readonly string[] =>
    studies.map(({ imagingStudy }) => imagingStudy);
  const dicomWeb = async ({ token }: FhirCaller, path: string, accept = EVERY_SYNTAX): Promise<Reply> => {
    const headers = { Authorization: `Bearer ${token}`, Accept: accept };
    return await readReply(await fetch(`${opened.server.url}/dicom-web/studies/${path}`, { headers }));
  };
  const pdfOf = async ({ token }: FhirCaller, { report }: ExpectedStudy): Promise<string> => {
    const headers = { Authorization: `Bearer ${token}`, Accept: 'application/pdf' };
    const answer = await readReply(await fetch(`${opened.server.url}/fhir/Binary/${report.binary}`, { headers }));
    return answer.status === 200 ? createHash('sha256').update(answer.body).digest('hex') : String(answer.status);
  };
  const studyIds = async (caller: FhirCaller): Promise<readonly (string | undefined)[]> =>
    (await caller.find<ImagingStudy>('ImagingStudy')).map(({ id }) => id);

  it('the establishment that sent a study lists it and gets its bytes, unless the patient withdrew', async () => {
    for (const study of opened.expected.studies) {
      const author = await establishment(study);
      const reply = await dicomWeb(author, study.studyInstanceUID);
      if (study.patient === opened.expected.withdrawn) {
        expect([await studyIds(author), reply.status]).to.deep.equal([[], 404]);
        continue;
      }
      expect(await studyIds(author)).to.deep.equal([study.imagingStudy]);
      const digests = partsOf(reply).map(({ content }) => dataSetDigest(content));
      expect(digests).to.have.members(Object.values(study.dataSets));
      const metadata = await dicomWeb(author, `${study.studyInstanceUID}/metadata`, 'application/dicom+json');
      const matches = JSON.parse(metadata.body.toString()) as readonly DicomJson[];
      expect(matches.map((one) => one['00080018']?.Value?.[0])).to.have.members(Object.keys(study.dataSets));
    }
  });

  it('a patient reads her final reports, sees their exams and manifests, and nothing of the others', async () => {
    for (const key of ['helene', 'josee'] as const) {
      const caller = await patient(key);
      const final = studiesOf(key).filter(({ report }) => report.status === 'final');
      expect(await studyIds(caller)).to.have.members(idsOf(final));
      const reports = await caller.find<DiagnosticReport>('DiagnosticReport');
      expect(reports.map(({ id }) => id)).to.have.members(final.map(({ report }) => report.diagnosticReport));
      const documents = await caller.find<DocumentReference>('DocumentReference?status=current');
      const expectedDocuments = final.flatMap(({ manifest, report }) => [manifest, report.document]);
      expect(documents.map(({ id }) => id)).to.have.members(expectedDocuments);
      for (const study of studiesOf(key)) {
        expect(await pdfOf(caller, study)).to.equal(final.includes(study) ? study.report.pdf : '404');
        expect((await dicomWeb(caller, study.studyInstanceUID)).status).to.equal(final.includes(study) ? 200 : 404);
      }
    }
  });

  it('a declared correspondent sees the record of who came back, and nothing of who withdrew', async () => {
    const declared = await personCaller(opened.server, 'demo-declared');
    const { reconsented, withdrawn } = opened.expected;
    expect(await studyIds(declared)).to.have.members(idsOf(studiesOf(reconsented)));
    // A report that nobody has validated is for those who write it.
    for (const study of studiesOf(reconsented))
      expect(await pdfOf(declared, study)).to.equal(study.report.status === 'final' ? study.report.pdf : '404');
    for (const study of studiesOf(withdrawn)) {
      expect(await pdfOf(declared, study)).to.equal('404');
      expect((await dicomWeb(declared, study.studyInstanceUID)).status).to.equal(404);
    }
  });

  it('who was known at two establishments is one Patient with the numbers and the exams of both', async () => {
    const studies = studiesOf('helene');
    const local = studies.map(({ establishment: at }) => patientIdentifier(PATIENTS.helene, ESTABLISHMENTS[at]));
    const readers = [await patient('helene'), await personCaller(opened.server, 'demo-declared')];
    for (const reader of readers) {
      const seen = await reader.findOne<Patient>('Patient');
      const numbers = (seen.identifier ?? []).map(({ system, value }) => ({ system, value }));
      expect(numbers).to.have.deep.members([PATIENTS.helene.national, ...local]);
      for (const { system, value } of local) {
        const exams = await reader.find<ImagingStudy>(`ImagingStudy?patient.identifier=${system}|${value}`);
        expect(exams.map(({ id }) => id)).to.have.members(await studyIds(reader));
        expect(exams.map(({ subject }) => subject.reference)).to.include(`Patient/${seen.id}`);
      }
    }
  });

  it('a declaration is told to its patient', async () => {
    for (const [key, id] of Object.entries(opened.expected.declarations)) {
      const { status, text } = await (await patient(key as PatientKey)).get(`Consent/${id}`);
      expect(status, text).to.equal(200);
    }
  });

  it('an emergency lasts as long as it was said, and the patient is told so', async () => {
    const { consent, from, until } = opened.expected.emergency;
    const told = (await (await patient('helene')).get(`Consent/${consent}`)).json<Consent>();
    expect(told.provision?.period).to.deep.equal({ start: from, end: until });
    const stranger = await personCaller(opened.server, 'demo-stranger');
    const seen = await studyIds(stranger);
    const isNow = Date.parse(from) <= Date.now() && Date.now() < Date.parse(until);
    expect(seen).to.have.members(isNow ? idsOf(studiesOf('helene')) : []);
  });

  it('the access list of a patient tells what passed before, and goes on', async () => {
    const caller = await patient('helene');
    const before = await caller.find<AuditEvent>(`AuditEvent?date=lt${opened.expected.emergency.from}&_count=100`);
    expect(before.length).to.be.greaterThan(0);
    // Earlier servers did not index what for: that is said, unless no event of theirs is asked for.
    const told = async (date: string): Promise<boolean> =>
      JSON.stringify((await caller.get(`AuditEvent?purpose=PATRQT&_count=1&date=${date}`)).json()).includes(
        '"incomplete"',
      );
    expect([await told('ge2020'), await told(`ge${new Date().toISOString()}`)]).to.deep.equal([true, false]);
    const history = (await caller.get('Patient/$access-history?start=2020&_count=500')).json<Parameters>();
    const accesses = (history.parameter ?? []).filter(({ name }) => name === 'access');
    const whens = accesses.flatMap(({ part = [] }) => part.flatMap(({ valueInstant = [] }) => valueInstant));
    expect(whens.filter((when) => when < opened.expected.emergency.from)).to.not.be.empty;
    const [latest] = await caller.find<AuditEvent>('AuditEvent?_count=1');
    expect(Date.parse(latest?.recorded ?? '')).to.be.greaterThan(Date.parse(opened.expected.emergency.from));
  });

  it('a further instance joins the study that stands', async () => {
    const [study] = studiesOf('helene');
    if (study === undefined) throw new Error('The era has no study');
    const { establishment: at, studyInstanceUID } = study;
    const head = { key: 'upgrade/further', studyInstanceUID, establishment: at, patient: PATIENTS.helene };
    const further = aStudy({ ...head, instances: 1 });
    expect(await sendStudy(opened.server, further)).to.deep.equal([0]);
    const author = await establishment(study);
    const count = Object.keys(study.dataSets).length + 1;
    await eventually(async () => {
      const { numberOfInstances } = (await author.get(`ImagingStudy/${study.imagingStudy}`)).json<ImagingStudy>();
      return numberOfInstances === count ? true : undefined;
    }, 30);
    expect(partsOf(await dicomWeb(author, studyInstanceUID)).length).to.equal(count);
    const renewed = await eventually(async () => {
      const search = `DocumentReference?related=ImagingStudy/${study.imagingStudy}&format=${KOS}&status=current`;
      const manifests = await author.find<DocumentReference>(search);
      return manifests.some(({ id }) => id === study.manifest) ? undefined : manifests;
    }, 30);
    expect(renewed.length).to.equal(1);
    const replaced = renewed[0]?.relatesTo?.map(({ target }) => target.reference);
    expect(replaced).to.deep.equal([`DocumentReference/${study.manifest}`]);
    // What is derived anew leads to the viewer, which earlier servers did not have.
    const report = (await author.get(`DocumentReference/${study.report.document}`)).json<DocumentReference>();
    for (const document of [report, ...renewed])
      expect(JSON.stringify(document.contained)).to.include(`/voir/${study.imagingStudy}"`);
  });

  it('npm run audit:verify says that the chain is whole and holds what was its last record', async () => {
    const place = { dataDir: opened.server.dataDir, store: opened.store };
    const { code, stdout, stderr } = await runCommand('audit:verify', ['--head', opened.expected.head], place);
    expect([code, stdout.replace(/:.*\n/s, ''), stderr]).to.deep.equal([0, 'whole', '']);
  });
}

const reason = whyNoMongoPeer();
const onMongoDB = reason === undefined ? describe : describe.skip;
const MONGODB = `MongoDB${reason === undefined ? '' : `: skipped, ${reason}`}`;

for (const era of ERAS) {
  describe(`Data of ${era} on SQLite`, function sqlite() {
    this.timeout(60_000);
    upgradeChecks(era, 'sqlite');
  });

  onMongoDB(`Data of ${era} on ${MONGODB}`, function mongodb() {
    this.timeout(60_000);
    upgradeChecks(era, 'mongodb');
  });
}

describe('Data of an earlier server whose successors were killed at each step, on SQLite', function sqlite() {
  this.timeout(60_000);
  upgradeChecks('images-to-look-at', 'sqlite', true);
});

onMongoDB(`Data of an earlier server whose successors were killed at each step, on ${MONGODB}`, function mongodb() {
  this.timeout(60_000);
  upgradeChecks('images-to-look-at', 'mongodb', true);
});
