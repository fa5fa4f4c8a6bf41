/** AuditEvents of every kind of passage, by everybody who can pass, and what they claim. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { buildAuditEvent } from '../../../profiles/audit/audit-event.ts';
import { resourceType } from '../../../profiles/audit/entities.ts';
import type { PassageFacts, TouchedEntity } from '../../../profiles/audit/facts.ts';
import { PASSAGE, type PassageKind } from '../../../profiles/audit/shapes.ts';

type User = PassageFacts['user'];

const PROFESSIONS = 'https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante';
const roles = [
  { organization: 'Organization/o1', institution: 'Hôpital', profession: { system: PROFESSIONS, code: '10' } },
  { organization: 'Organization/o2' },
];
const token = { tokenId: 'C187CC480FAC40A0' };
const USERS: Readonly<Record<string, User>> = {
  'a professional with a token': {
    reference: 'Practitioner/d1',
    display: 'Dr Anne Martin',
    purpose: 'TREAT',
    roles,
    ...token,
  },
  'a professional with an assertion': {
    reference: 'Practitioner/d1',
    display: 'Dr Anne Martin',
    purpose: 'BTG',
    roles,
    tokenId: '_a1b2',
    assertion: { issuer: 'https://idp.hopital.example', nameId: '00B9901234567' },
  },
  'a patient with a token': { reference: 'Patient/p1', display: 'patient', purpose: 'PATRQT', ...token },
  'an establishment with a token': { reference: 'Organization/o1', display: 'hospital', purpose: 'TREAT', ...token },
  'an establishment by its AE title': { reference: 'Organization/o1', display: 'SCANNER', purpose: 'TREAT' },
  'nobody known': undefined,
};

/** What an event of a kind names beside the patient, the right and the request. */
function touchedBy(kind: PassageKind): TouchedEntity {
  const { action, roles } = PASSAGE[kind];
  if (roles === 'authorize') return { detail: { change: 'withdraw' } };
  if (action === 'E') return { role: '24', query: 'DocumentReference?patient=Patient/p1' };
  return { what: { reference: 'DocumentReference/r1' }, role: kind === 'iti-68' ? '3' : '4' };
}

/** What a list shows: in words, as the patient may not see it, and with how many more there are. */
const EXAMS: readonly TouchedEntity[] = [
  { description: 'Scanner thoracique', detail: { item: 'ImagingStudy/s1', started: '2026-03-14' } },
  {},
  { detail: { item: 'ImagingStudy/s3', modality: 'CT', further: '13' } },
].map((told, at) => ({
  what: { reference: `ImagingStudy/s${at + 1}` },
  type: resourceType('ImagingStudy'),
  role: '3',
  ...told,
}));

/** The event of a kind by somebody, which tells of a patient or of none: a refusal where nobody is known. */
export function eventOf(kind: PassageKind, user: User, isOfPatient: boolean): AuditEvent {
  return buildAuditEvent({
    id: 'e1',
    kind,
    recorded: '2026-11-30T08:00:00.000Z',
    ...(user === undefined ? { outcome: '4', outcomeDesc: 'forbidden: no' } : { outcome: '0' }),
    requestId: '8f1c',
    server: 'https://passerelle.example/fhir',
    client: { id: 'app', address: '192.0.2.7' },
    ...(user === undefined ? {} : { user }),
    entities: [touchedBy(kind)],
    exams: isOfPatient ? EXAMS : [],
    ...(isOfPatient
      ? { patient: 'Patient/p1', identities: ['Patient/p2'], consent: 'Consent/c1', relation: 'declared' }
      : {}),
  });
}

/** Every kind by everybody. */
export const EVENTS: readonly { readonly name: string; readonly event: AuditEvent }[] = (
  Object.keys(PASSAGE) as PassageKind[]
).flatMap((kind) =>
  Object.entries(USERS).flatMap(([who, user]) => [
    { name: `${kind} of a patient by ${who}`, event: eventOf(kind, user, true) },
    { name: `${kind} of nobody by ${who}`, event: eventOf(kind, user, false) },
  ]),
);
