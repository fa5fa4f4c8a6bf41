/**
 * The region of the identity stories: it runs on each store, its people sign in at the portal, and what any reader is
 * told of patients can be compared.
 */
import type {
  AuditEvent,
  DiagnosticReport,
  DocumentReference,
  Identifier,
  ImagingStudy,
  Patient,
  Resource,
} from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy, type StudyOverrides } from '../../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { PATIENTS, type EstablishmentKey } from '../../../fixtures/people.ts';
import { reportTextOf } from '../../../fixtures/report-texts.ts';
import { buildReportBundle } from '../../../fixtures/reports.ts';
import { signInFully } from '../../../fixtures/sign-in.ts';
import { oidUri } from '../../../profiles/codes.ts';
import { eventually, fhirCaller, type FhirAnswer, type FhirCaller } from '../../support/clients/fhir-caller.ts';
import { sendStudy } from '../../support/clients/send-study.ts';
import { byStudyUid, establishmentCaller, personCaller } from '../../support/demonstration.ts';
import type { EditedRegion } from '../../support/region-file.ts';
import type { TestServer } from '../../support/server.ts';
import { onEachStore } from '../support/each-store.ts';
import { domainOf, feed, type Somebody } from './people.ts';

const PUBLISHED_WITHIN_S = 60;

/** What a region file of a story says otherwise: who signs in, and what establishments qualify. */
export type StoryRegion = {
  /** National numbers by login. */
  readonly persons?: Readonly<Record<string, Identifier>>;
  readonly qualifies?: Partial<Readonly<Record<EstablishmentKey, readonly string[]>>>;
};

/** Everybody who asks. */
export type Story = {
  readonly server: TestServer;
  readonly strasbourg: FhirCaller;
  readonly nancy: FhirCaller;
  readonly luxembourg: FhirCaller;
  readonly stranger: FhirCaller;
};

/** An exam of a Patient as an establishment knows her: by its number. */
export type StoryExam = {
  readonly key: string;
  readonly at: EstablishmentKey;
  readonly localId: string;
  readonly attributes?: StudyOverrides['attributes'];
};

/** Tells a story on SQLite and on MongoDB; `story` is for tests and their hooks. */
export function tellOnEachStore(title: string, said: StoryRegion, define: (story: () => Story) => void): void {
  describe('Who is who', () => {
    onEachStore(title, { region: (region) => change(region, said) }, (running) => {
      let story: Story;
      before(async () => void (story = await callersOf(running().server)));
      define(() => story);
    });
  });
}

/** Signs in everybody who asks. */
async function callersOf(server: TestServer): Promise<Story> {
  return {
    server,
    strasbourg: await establishmentCaller(server, 'strasbourg'),
    nancy: await establishmentCaller(server, 'nancy'),
    luxembourg: await establishmentCaller(server, 'luxembourg'),
    stranger: await personCaller(server, 'demo-stranger'),
  };
}

function change(region: EditedRegion, { persons = {}, qualifies = {} }: StoryRegion): void {
  const keys = Object.keys(qualifies) as EstablishmentKey[];
  const systems = keys.flatMap((key) => qualifies[key] ?? []);
  region.identifierDomains = region.identifierDomains.map((domain) => {
    const key = keys.find((one) => domain.patientIdSystem === domainOf(one));
    return key === undefined ? domain : { ...domain, qualifies: [...(qualifies[key] ?? [])] };
  });
  region.qualifiedIdentifiers = [...new Set([...region.qualifiedIdentifiers, ...systems])];
  for (const [login, { system = '', value = '' }] of Object.entries(persons))
    region.persons.push({ login, name: login, kind: 'patient', identifier: { system, value } });
}

/** Feeds somebody by a number of an establishment (ITI-104): what it is answered, which is 200 or 201. */
export function feedsOf(story: () => Story) {
  return async (at: EstablishmentKey, localId: string, one: Somebody, more?: Partial<Patient>): Promise<FhirAnswer> => {
    const answer = await feed(story()[at], at, localId, one, more);
    expect(answer.status, answer.text).to.be.oneOf([200, 201]);
    return answer;
  };
}

/** Publishes an exam of whoever bears a number of an establishment. */
export function examsOf(story: () => Story) {
  return async (name: string, at: EstablishmentKey, localId: string): Promise<DemoStudy> =>
    await publish(story(), { key: `${name}/${at}/${story().server.url}`, at, localId });
}

/** Sends an exam and its report, and waits until both are published. */
export async function publish(story: Story, { key, at, localId, attributes = {} }: StoryExam): Promise<DemoStudy> {
  const patient = { ...PATIENTS.gaetan, localId: { [at]: localId } };
  const study = aStudy({ key, establishment: at, patient, instances: 1, attributes });
  expect(await sendStudy(story.server, study), 'C-STORE').to.deep.equal([0]);
  const caller = story[at];
  const seen = await eventually(
    async () => (await caller.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}&status=available`))[0],
    PUBLISHED_WITHIN_S,
  );
  const [, entry] = (await buildReportBundle(study, reportTextOf('ct-thorax'))).entry ?? [];
  const report = { ...(entry?.resource as DiagnosticReport), subject: { reference: seen.subject.reference ?? '' } };
  const sent = await caller.send('POST', 'DiagnosticReport', report);
  expect(sent.status, sent.text).to.equal(201);
  const uid = `related:identifier=urn:dicom:uid|${oidUri(study.studyInstanceUID)}`;
  await eventually(
    async () => (await caller.find(`DocumentReference?${uid}&status=current`)).at(1),
    PUBLISHED_WITHIN_S,
  );
  await atRest(story);
  return study;
}

/** Waits until no job of an exam waits: what changes from then on is due to what is done then. */
async function atRest({ server }: Story): Promise<void> {
  await eventually(async () => {
    const { jobs } = (await (await fetch(`${server.url}/health/ready`)).json()) as {
      readonly jobs: Readonly<Record<string, Readonly<Record<'waiting' | 'running' | 'later', number>>>>;
    };
    const counts = ['refresh-study', 'update-study', 'close-study'].flatMap((kind) => jobs[kind] ?? []);
    return counts.every((of) => of.waiting + of.running + of.later === 0) ? true : undefined;
  }, PUBLISHED_WITHIN_S);
}

/** Who has signed in at the portal, and the Patient of the SMART launch context. */
export type Session = { readonly caller: FhirCaller; readonly launched: string };

/** Signs somebody in there. */
export async function signInAtPortal({ server }: Story, person: string): Promise<Session> {
  const token = await signInFully({ url: server.url, person });
  return { caller: fhirCaller(server.url, token.access_token), launched: String(token['patient']) };
}

/** What the portal shows: what it finds by the one Patient that it knows of. */
export type Portal = {
  readonly patient: Patient & { readonly id: string };
  /** Study Instance UIDs, sorted. */
  readonly exams: readonly string[];
  /** Ids, sorted. */
  readonly documents: readonly string[];
  readonly events: readonly AuditEvent[];
};

/** Opens the portal as somebody who signs in now. */
export async function openPortal(story: Story, person: string): Promise<Portal> {
  const session = await signInAtPortal(story, person);
  const portal = await portalOf(session);
  expect(portal.patient.id, 'the Patient of the launch context').to.equal(session.launched);
  return portal;
}

/** Looks at the portal again: she may be another Patient by now. */
export async function portalOf({ caller }: Pick<Session, 'caller'>): Promise<Portal> {
  const patient = await caller.findOne<Patient>('Patient');
  const ofHer = `patient=${patient.id}&_count=100`;
  const exams = await caller.find<ImagingStudy>(`ImagingStudy?${ofHer}`);
  expect(idsOf(exams), 'exams of other Patients').to.deep.equal(
    idsOf(await caller.find<ImagingStudy>('ImagingStudy?_count=100')),
  );
  return {
    patient,
    exams: exams.map(studyUidOf).toSorted(),
    documents: idsOf(await caller.find<DocumentReference>(`DocumentReference?${ofHer}`)),
    events: await caller.find<AuditEvent>(`AuditEvent?${ofHer}`),
  };
}

/** The Study Instance UIDs of studies, sorted: what a portal is to show. */
export function uidsOf(...studies: readonly DemoStudy[]): readonly string[] {
  return studies.map(({ studyInstanceUID }) => studyInstanceUID).toSorted();
}

/** What each reader is told: whole Patients without their versions, and what is of whom. */
export type Told = Readonly<Record<string, readonly unknown[]>>;

/** Asks as every establishment and a stranger, and as those who are named. Two answers of one state are equal. */
export async function toldToAll(story: Story, others: Readonly<Record<string, FhirCaller>> = {}): Promise<Told> {
  const { strasbourg, nancy, luxembourg, stranger } = story;
  await atRest(story);
  const told: Record<string, readonly unknown[]> = {};
  for (const [name, caller] of Object.entries({ strasbourg, nancy, luxembourg, stranger, ...others })) {
    const patients = await caller.find<Patient>('Patient?_count=200');
    told[`${name}: Patient`] = sorted(patients.map(({ meta: _meta, ...patient }) => patient));
    for (const type of ['ImagingStudy', 'DiagnosticReport', 'DocumentReference'] as const) {
      const items = await caller.find<ImagingStudy | DiagnosticReport | DocumentReference>(`${type}?_count=200`);
      told[`${name}: ${type}`] = sorted(
        items.map((item) => ({
          id: item.id,
          status: item.status,
          ...item.subject,
          ...(isManifest(item) ? MANIFEST : {}),
        })),
      );
    }
  }
  return told;
}

const MANIFEST = { isManifest: true };

function isManifest(item: Resource): boolean {
  return item.resourceType === 'DocumentReference' && item.content[0]?.attachment.contentType === 'application/dicom';
}

/** What each reader is told but for manifests, which a correction of her name makes anew. */
export function withoutManifests(told: Told): Told {
  const isOther = (value: unknown): boolean => !(typeof value === 'object' && value !== null && 'isManifest' in value);
  return Object.fromEntries(Object.entries(told).map(([what, values]) => [what, values.filter(isOther)]));
}

/** Expects that every reader is told the same as before. */
export function expectToldAsBefore(after: Told, before: Told): void {
  expect(Object.keys(after)).to.deep.equal(Object.keys(before));
  for (const [what, values] of Object.entries(before)) expect(after[what], what).to.deep.equal(values);
}

/** The Patients that a caller finds by an identifier. */
export async function foundBy(caller: FhirCaller, system: string, value = ''): Promise<readonly Patient[]> {
  return await caller.find<Patient>(`Patient?identifier=${system}|${value}`);
}

/** The one Patient that an establishment finds by its own number. */
export async function ownPatient(
  story: Story,
  at: EstablishmentKey,
  localId: string,
): Promise<Patient & { id: string }> {
  return await story[at].findOne<Patient>(`Patient?identifier=${domainOf(at)}|${localId}`);
}

/** The Study Instance UIDs that an establishment sees of its Patient, sorted. */
export async function examsAt(story: Story, at: EstablishmentKey, localId: string): Promise<readonly string[]> {
  const { id } = await ownPatient(story, at, localId);
  return (await story[at].find<ImagingStudy>(`ImagingStudy?patient=${id}&_count=100`)).map(studyUidOf).toSorted();
}

function studyUidOf({ identifier = [] }: ImagingStudy): string {
  return identifier.find(({ system }) => system === 'urn:dicom:uid')?.value?.replace('urn:oid:', '') ?? '';
}

function idsOf(resources: readonly Resource[]): readonly string[] {
  return resources.map(({ id = '' }) => id).toSorted();
}

function sorted(values: readonly { readonly id?: string | undefined }[]): readonly unknown[] {
  return values.toSorted(({ id: one = '' }, { id: other = '' }) => (one < other ? -1 : 1));
}
