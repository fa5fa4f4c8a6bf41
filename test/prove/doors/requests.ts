/** The requests that two servers are asked, door by door. */
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { readReply, type Reply } from '../../flows/support/door.ts';
import { DOORS } from '../../flows/support/doors/doors.ts';
import type { ExamIds } from '../../flows/support/exam.ts';
import { PERSON_KEYS, type PersonKey } from '../../flows/support/people.ts';
import { callOf, type World } from '../../flows/support/world.ts';

/** One request: what it is called in the report, and how it is sent. */
export type ComparedRequest = { readonly name: string; readonly ask: (world: World) => Promise<Reply> };

type Plain = {
  readonly as: PersonKey | 'nobody';
  readonly method?: string;
  readonly path: (ids: ExamIds) => string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: (ids: ExamIds) => unknown;
};

/** Every request, in the order in which they are sent: reads before what changes something. */
export function comparedRequests(): readonly ComparedRequest[] {
  // The former commit has no pages to sign in on.
  const doors = DOORS.filter(({ isPage }) => isPage !== true);
  const shown = doors.flatMap((door) =>
    PERSON_KEYS.map((key) => ({
      name: `${door.name} as ${key}`,
      ask: async (world: World) => await door.ask(callOf(world, key)),
    })),
  );
  const unknown = doors.map((door) => ({
    name: `${door.name} of an unknown exam`,
    ask: async (world: World) => await door.ask({ ...callOf(world, 'author'), ids: world.unknown }),
  }));
  return [...shown, ...unknown, ...PLAIN.map(toRequest)];
}

function toRequest({ as, method = 'GET', path, headers = {}, body }: Plain): ComparedRequest {
  return {
    name: `${method} ${path(NAMES)} as ${as}`,
    ask: async (world) => {
      const { url, requestId, token } = callOf(world, as === 'nobody' ? 'author' : as);
      const authorization: Record<string, string> = as === 'nobody' ? {} : { Authorization: `Bearer ${token}` };
      const sent = body?.(world.ids);
      const type: Record<string, string> = sent === undefined ? {} : { 'Content-Type': MEDIA_TYPE.fhirJson };
      return await readReply(
        await fetch(url + path(world.ids), {
          method,
          headers: { Accept: '*/*', 'X-Request-Id': requestId, ...authorization, ...type, ...headers },
          ...(sent === undefined ? {} : { body: typeof sent === 'string' ? sent : JSON.stringify(sent) }),
        }),
      );
    },
  };
}

const document = (name: string) => ({ id: `{${name}}`, binary: `{${name} bytes}`, uniqueId: `{${name} uniqueId}` });

/** Ids that stand for those of an exam in the names of requests. */
const NAMES: ExamIds = {
  patient: '{patient}',
  patientNumber: '{number}',
  imagingStudy: '{study}',
  diagnosticReport: '{report}',
  reportNumber: '{report number}',
  studyInstanceUID: '{study UID}',
  seriesInstanceUID: '{series UID}',
  sopInstanceUIDs: ['{instance UID}'],
  manifest: document('manifest'),
  reportDocument: document('document'),
};

const at = (path: string) => (): string => path;

const consentOf = ({ patient }: ExamIds, practitioner: string): object => ({
  resourceType: 'Consent',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: { reference: `Patient/${patient}` },
  dateTime: '2026-01-20T10:00:00+01:00',
  policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-basic-normal' }],
  provision: {
    type: 'permit',
    actor: [
      {
        role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
        reference: { reference: practitioner },
      },
    ],
  },
});

const PLAIN: readonly Plain[] = [
  { as: 'nobody', path: at('/health/live') },
  { as: 'nobody', path: at('/health/ready') },
  { as: 'nobody', path: at('/fhir/metadata') },
  { as: 'nobody', path: at('/fhir/.well-known/smart-configuration') },
  { as: 'nobody', path: at('/fhir/Patient') },
  { as: 'nobody', path: at('/dicom-web/studies') },
  { as: 'nobody', path: at('/nothing') },
  { as: 'nobody', method: 'POST', path: at('/fhir/Consent'), body: () => ({}) },
  { as: 'nobody', method: 'POST', path: at('/xds/registry'), body: at('<a/>') },
  { as: 'author', path: at('/fhir/Organization?_sort=-_lastUpdated') },
  { as: 'author', path: at('/fhir/Organization?name=stras') },
  { as: 'author', path: at('/fhir/Practitioner/demo-declared') },
  { as: 'author', path: at('/fhir/PractitionerRole?practitioner=Practitioner/demo-declared&_include=*') },
  { as: 'author', path: at('/fhir/PractitionerRole?practitioner=Practitioner/demo-declared') },
  { as: 'author', path: at('/fhir/Endpoint') },
  { as: 'author', path: ({ patient }) => `/fhir/Patient/${patient}` },
  { as: 'author', path: ({ patient }) => `/fhir/Patient/${patient}/_history/1` },
  { as: 'stranger', path: ({ patient }) => `/fhir/Patient/${patient}/_history/1` },
  {
    as: 'author',
    path: ({ patient }) => `/fhir/ImagingStudy?patient=Patient/${patient}&_include=ImagingStudy:patient`,
  },
  { as: 'author', path: at('/fhir/ImagingStudy?started=ge2020-01-01&modality=CT&_count=1') },
  { as: 'author', path: at('/fhir/ImagingStudy?_summary=count') },
  { as: 'author', path: at('/fhir/ImagingStudy?nonsense=1') },
  { as: 'author', path: at('/fhir/ImagingStudy?_count=x') },
  { as: 'author', path: at('/fhir/DiagnosticReport?status=final') },
  { as: 'author', path: at('/fhir/DiagnosticReport?code:text=x') },
  { as: 'author', path: at('/fhir/DocumentReference?status=current&_count=1') },
  { as: 'author', path: at('/fhir/Nonsense') },
  { as: 'author', path: at('/fhir/Task') },
  { as: 'author', path: at('/fhir/AuditEvent?_count=1') },
  { as: 'author', path: at('/fhir/Patient'), headers: { Accept: 'application/fhir+xml' } },
  { as: 'author', method: 'DELETE', path: ({ imagingStudy }) => `/fhir/ImagingStudy/${imagingStudy}` },
  { as: 'author', method: 'PUT', path: at('/fhir/Organization/demo-strasbourg'), body: () => ({}) },
  { as: 'author', method: 'POST', path: at('/fhir/ImagingStudy'), body: () => ({ resourceType: 'ImagingStudy' }) },
  { as: 'author', method: 'POST', path: at('/fhir/Patient'), body: () => ({ resourceType: 'Patient' }) },
  { as: 'author', method: 'POST', path: at('/fhir/Patient'), body: at('{') },
  { as: 'author', method: 'POST', path: at('/fhir'), body: () => ({ resourceType: 'Bundle', type: 'batch' }) },
  { as: 'author', method: 'POST', path: at('/fhir/Consent'), body: (ids) => consentOf(ids, 'Practitioner/nobody') },
  { as: 'stranger', method: 'POST', path: at('/fhir/Consent'), body: (ids) => consentOf(ids, 'Practitioner/x') },
  { as: 'declared', method: 'POST', path: at('/fhir/Patient'), body: () => ({ resourceType: 'Patient' }) },
  { as: 'patient', path: at('/fhir/AuditEvent?_summary=count&subtype=nothing') },
  { as: 'patient', path: at('/fhir/Consent') },
  { as: 'patient', path: at('/fhir/Communication') },
  { as: 'patient', path: at('/fhir/ImagingStudy') },
  { as: 'patient', method: 'POST', path: at('/fhir/Patient/$break-glass'), body: () => ({}) },
  { as: 'stranger', method: 'POST', path: at('/fhir/Patient/$withdraw') },
  { as: 'stranger', method: 'POST', path: at('/fhir/Patient/$nonsense') },
  { as: 'author', path: at('/dicom-web/studies?limit=1&fuzzymatching=true') },
  { as: 'author', path: at('/dicom-web/studies?StudyDate=20200101-20301231&ModalitiesInStudy=CT') },
  { as: 'author', path: at('/dicom-web/series?Modality=CT') },
  { as: 'author', path: at('/dicom-web/studies/1.2.3/metadata') },
  { as: 'author', path: at('/dicom-web/studies?nonsense=1') },
  { as: 'author', method: 'POST', path: at('/dicom-web/studies'), body: at('x') },
  { as: 'author', method: 'POST', path: at('/xds/registry'), body: at('<a/>') },
  // Writes that change something come last.
  {
    as: 'author',
    method: 'POST',
    path: at('/fhir/Consent'),
    body: (ids) => consentOf(ids, 'Practitioner/demo-stranger'),
  },
  { as: 'stranger', path: at('/fhir/ImagingStudy') },
  { as: 'patient', method: 'POST', path: at('/fhir/Patient/$withdraw') },
  { as: 'stranger', path: at('/fhir/ImagingStudy') },
  { as: 'declared', path: at('/fhir/Patient') },
  { as: 'patient', method: 'POST', path: at('/fhir/Patient/$reconsent') },
  { as: 'declared', path: at('/fhir/ImagingStudy') },
];
