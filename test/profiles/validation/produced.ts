/** What each function makes that builds a Task, a Communication or a Consent, and what changes one makes of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent, Communication, Consent, Provenance, Task } from '@medplum/fhirtypes';
import { IHE_PROFILE } from '../../../profiles/codes.ts';
import {
  buildSubjectNotice,
  buildSubjectRequest,
  decidedRequest,
  REQUEST_VERDICTS,
} from '../../../profiles/consent/data-subject-request.ts';
import { buildExportTask, cancelledExport, progressedExport } from '../../../profiles/consent/record-export.ts';
import * as emergency from '../../../profiles/consent/emergency.ts';
import {
  buildConsentChange,
  buildEmergencyConsent,
  buildNamedConsent,
  buildPresenceConsent,
} from '../../../profiles/consent/privacy-consent.ts';
import { buildShareConsent } from '../../../profiles/consent/giving/share.ts';
import { buildReconsentRequest, buildRequestNotice } from '../../../profiles/consent/reconsent/request.ts';
import {
  begunPurge,
  buildPurgeNotice,
  buildPurgeTask,
  confirmedPurge,
  endedPurge,
  stoppedPurge,
} from '../../../profiles/identity/joined-purge.ts';
import { buildUnknownTask, decidedUnknown } from '../../../profiles/consent/unknown-correspondent.ts';
import { buildRecipientTask } from '../../../profiles/consent/erasure-recipient.ts';
import {
  begunErasure,
  endedErasure,
  buildErasureNotice,
  buildErasureTask,
  cancelledErasure,
} from '../../../profiles/consent/erasure-request.ts';
import { buildErrorNotice } from '../../../profiles/documents/error-notice.ts';
import { buildOpenedTask } from '../../../profiles/identity/opened-task.ts';
import { buildReviewTask, endedReviewTask } from '../../../profiles/identity/review-task.ts';
import { buildBlockNotice } from '../../../profiles/notices/block.ts';
import * as news from '../../../profiles/notices/news.ts';
import { buildShareNotice } from '../../../profiles/notices/share.ts';
import { buildNotice, forLetter, mailed } from '../../../profiles/notices/notice.ts';
import { buildKeptAsideTask, endedTask } from '../../../profiles/imaging/kept-aside-task.ts';
import { OF_SUPPORT } from './produced-of-support.ts';
import { ON_PAPER } from './produced-on-paper.ts';

const NOW = Date.UTC(2026, 10, 30, 8);
const PROFILES = join(import.meta.dirname, '..', '..', '..', 'profiles');
const patient = 'Patient/p1';
const practitioner = { reference: 'Practitioner/d1', display: 'Dr Anne Martin' };
const declared = { id: 'x1', practitioner: practitioner.reference, now: NOW };
const text = { fr: 'Bonjour', de: 'Guten Tag', en: 'Hello' };
const told = { id: 'x1', patient, now: NOW };
const named = { id: 'x1', patient, organization: 'Organization/o1', now: NOW };
const change = { id: 'x1', patient, now: NOW };
const given = { id: 'x1', patient, from: NOW, to: NOW + 3_600_000 };
const opened = { ...given, practitioner: practitioner.reference };

/** Something that was opened: what the Task of officers contains. */
const passage: AuditEvent = {
  resourceType: 'AuditEvent',
  id: 'e1',
  type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
  action: 'R',
  recorded: new Date(NOW).toISOString(),
  outcome: '0',
  agent: [{ type: { coding: [{ code: 'IRCP' }] }, who: practitioner, requestor: true }],
  source: { observer: { display: 'Passerelle' } },
  entity: [{ what: { reference: 'ImagingStudy/s1' } }],
};

const review = emergency.buildReviewTask({
  ...declared,
  patient,
  consent: 'Consent/c1',
  beyond: 'passesBlocks',
  reason: 'ETREAT',
  justification: 'Patient inconscient aux urgences',
});

const erasure = buildErasureTask({ id: 'x1', patient, requester: 'Organization/o1', now: NOW, days: 30 });
const timeZone = 'Europe/Paris';
const request = buildSubjectRequest({
  id: 'x1',
  right: 'restriction',
  patient,
  requester: patient,
  organization: 'Organization/o1',
  detail: 'Le côté est faux',
  now: NOW,
  timeZone,
});
const decision = { comment: 'Corrigé par le service', officer: practitioner.reference, now: NOW, timeZone };
const decisions = REQUEST_VERDICTS.map((verdict) => {
  const standing = verdict === 'lifted' ? decidedRequest(request, { ...decision, verdict: 'granted' }) : request;
  return { verdict, task: decidedRequest(standing, { ...decision, verdict }) };
});
const unknown = buildUnknownTask({
  ...told,
  consent: 'Consent/c1',
  requester: 'Organization/o1',
  actors: [{ role: {}, reference: { identifier: { system: 'urn:oid:2.25.1', value: '1' } } }],
});
const exported = buildExportTask('x1', patient, NOW);
const identityReview = buildReviewTask('x1', { one: 'p1', other: 'p2', rule: 'duplicate' }, NOW);

const purge = buildPurgeTask('x1', { identity: 'p1', others: ['p2'] }, NOW);
const confirmed = confirmedPurge(purge, { comment: 'Carte vitale', officer: 'Practitioner/d1', now: NOW });

const aside = buildKeptAsideTask('x1', {
  studyInstanceUID: '1.2.3',
  source: 'Organization/o1',
  reason: 'another-patient',
  patient,
  sopInstanceUIDs: ['1.2.3.4', '1.2.3.5'],
  since: NOW,
  aeTitle: 'SCANNER',
  named: { system: 'urn:oid:1.2.250.1.213.1.4.99', value: '4711' },
  standing: { system: 'urn:oid:1.2.250.1.213.1.4.99', value: '4712' },
});

/** What one function makes, of which sort, and the profiles that it says it satisfies. */
export type Produced = {
  readonly builder: string;
  readonly of?: string;
  readonly resource: Task | Communication | Consent | Provenance;
  readonly profiles?: readonly string[];
};

/** Everything that the sources can make. */
export const PRODUCED: readonly Produced[] = [
  { builder: 'buildReviewTask', of: 'an emergency', resource: review },
  {
    builder: 'buildReviewTask',
    of: 'an emergency that opened nothing',
    resource: emergency.buildReviewTask({ ...declared, reason: 'ETREAT', justification: 'Patient inconscient' }),
  },
  {
    builder: 'decidedReview',
    resource: emergency.decidedReview(review, {
      verdict: 'unjustified',
      comment: 'Aucun soin ce jour',
      officer: 'Practitioner/o1',
      now: NOW,
    }),
  },
  { builder: 'buildAlertTask', resource: emergency.buildAlertTask({ ...declared, count: 11 }) },
  {
    builder: 'buildAmbiguousTask',
    resource: emergency.buildAmbiguousTask({ ...declared, patients: [patient, 'Patient/p2'] }),
  },
  {
    builder: 'buildEmergencyNotice',
    of: 'an open record',
    resource: emergency.buildEmergencyNotice({ ...told, consent: 'Consent/c1', outcome: 'record', practitioner }),
  },
  {
    builder: 'buildEmergencyNotice',
    of: 'a closed record',
    resource: emergency.buildEmergencyNotice({ ...told, outcome: 'closed', practitioner }),
  },
  {
    builder: 'buildVerdictNotice',
    resource: emergency.buildVerdictNotice({ ...told, verdict: 'justified', task: review }),
  },
  {
    builder: 'buildReconsentRequest',
    resource: buildReconsentRequest({ ...told, organization: 'Organization/o1', isDone: false }),
  },
  { builder: 'buildPurgeTask', resource: purge },
  { builder: 'confirmedPurge', resource: confirmed },
  { builder: 'begunPurge', resource: begunPurge(confirmed, NOW) },
  { builder: 'endedPurge', resource: endedPurge(confirmed, { ImagingStudy: 1, instances: 2 }, NOW) },
  ...[{}, { instances: 2 }].map((erased) => ({
    builder: 'stoppedPurge',
    of: JSON.stringify(erased),
    resource: stoppedPurge(confirmed, erased, NOW),
  })),
  ...[true, false].map((isPart) => ({
    builder: 'buildPurgeNotice',
    of: String(isPart),
    resource: buildPurgeNotice({ ...told, task: 'Task/x1', isPart }),
  })),
  ...ON_PAPER,
  ...OF_SUPPORT,
  { builder: 'buildUnknownTask', resource: unknown },
  ...[{ professional: practitioner.reference }, {}].map((one) => ({
    builder: 'decidedUnknown',
    of: one.professional === undefined ? 'that nobody is meant' : 'who is meant',
    resource: decidedUnknown(unknown, {
      ...one,
      comment: 'Inconnue au cabinet',
      officer: practitioner.reference,
      now: NOW,
    }),
  })),
  { builder: 'buildRequestNotice', resource: buildRequestNotice({ ...told, task: 'Task/t1' }) },
  { builder: 'buildErasureTask', resource: erasure },
  { builder: 'begunErasure', resource: begunErasure(erasure, NOW) },
  { builder: 'cancelledErasure', resource: cancelledErasure(erasure, NOW) },
  { builder: 'endedErasure', resource: endedErasure(erasure, NOW, 'e30.e30.e30') },
  {
    builder: 'buildRecipientTask',
    resource: buildRecipientTask({
      id: 'x2',
      organization: 'Organization/o1',
      request: 'Task/x1',
      numbers: [{ system: 'urn:oid:1.2.3', value: '4711' }],
      now: NOW,
    }),
  },
  {
    builder: 'buildErasureNotice',
    of: 'a request',
    resource: buildErasureNotice({ ...told, task: erasure, timeZone: 'Europe/Paris' }),
  },
  {
    builder: 'buildErasureNotice',
    of: 'its end',
    resource: buildErasureNotice({ ...told, task: cancelledErasure(erasure, NOW), timeZone: 'Europe/Paris' }),
  },
  { builder: 'buildSubjectRequest', resource: request },
  ...decisions.map(({ verdict, task }) => ({ builder: 'decidedRequest', of: verdict, resource: task })),
  ...[{ verdict: 'a request', task: request }, ...decisions].map(({ verdict, task }) => ({
    builder: 'buildSubjectNotice',
    of: verdict,
    resource: buildSubjectNotice({ ...told, task, timeZone }),
  })),
  { builder: 'buildExportTask', resource: exported },
  {
    builder: 'progressedExport',
    resource: progressedExport(exported, { sent: 2, last: 'ImagingStudy/s1' }, false, NOW),
  },
  { builder: 'cancelledExport', resource: cancelledExport(exported, NOW) },
  { builder: 'buildErrorNotice', resource: buildErrorNotice(told) },
  { builder: 'buildNotice', resource: buildNotice({ ...told, kind: 'report-error', text }) },
  { builder: 'buildDocumentNotice', resource: news.buildDocumentNotice(told) },
  {
    builder: 'buildServiceNotice',
    resource: news.buildServiceNotice({ ...told, services: [{ reference: 'Organization/o1', display: 'Radiologie' }] }),
  },
  {
    builder: 'buildStayNotice',
    resource: news.buildStayNotice({ ...told, providers: [{ reference: 'Organization/o1', display: 'Clinique' }] }),
  },
  {
    builder: 'buildCorrespondentNotice',
    resource: news.buildCorrespondentNotice({ ...told, professionals: [practitioner], consent: 'Consent/c1' }),
  },
  {
    builder: 'buildPresenceNotice',
    resource: news.buildPresenceNotice({
      ...told,
      professionals: [practitioner],
      consent: 'Consent/c1',
      until: Date.UTC(2026, 11, 15, 9, 30),
      timeZone: 'Europe/Paris',
    }),
  },
  {
    builder: 'buildBlockNotice',
    resource: buildBlockNotice({ ...told, change: 'begun', barred: [practitioner], consent: 'Consent/c1' }),
  },
  {
    builder: 'buildRepresentativeNotice',
    resource: news.buildRepresentativeNotice({
      ...told,
      representative: { reference: 'RelatedPerson/r1', display: 'Odile Valbrémont' },
    }),
  },
  { builder: 'buildMajorityNotice', resource: news.buildMajorityNotice(told) },
  {
    builder: 'buildSharingNotice',
    resource: news.buildSharingNotice({ ...told, change: 'withdrawal', consent: 'Consent/c1' }),
  },
  {
    builder: 'buildShareNotice',
    resource: buildShareNotice({ ...told, change: 'given', consent: 'Consent/c1', recipient: 'ami@example.org' }),
  },
  { builder: 'mailed', resource: mailed(buildErrorNotice(told), 'de') },
  {
    builder: 'forLetter',
    resource: forLetter(buildErrorNotice(told), {
      language: 'en',
      reason: 'refused',
      own: { system: 'urn:oid:1.2.250.1.213.1.4.99', value: '4711' },
    }),
  },
  { builder: 'buildReviewTask', of: 'identities', resource: identityReview },
  { builder: 'endedReviewTask', resource: endedReviewTask(identityReview, NOW) },
  { builder: 'buildKeptAsideTask', resource: aside },
  { builder: 'endedTask', resource: endedTask(aside, 'cancelled', NOW) },
  {
    builder: 'buildOpenedTask',
    resource: buildOpenedTask({
      id: 'x1',
      patients: [patient, 'Patient/p2'],
      since: NOW - 1,
      until: NOW,
      passages: [passage],
    }),
  },
  {
    builder: 'buildEmergencyConsent',
    of: 'one exam',
    resource: buildEmergencyConsent({ ...opened, exam: 'ImagingStudy/s1' }),
    profiles: [IHE_PROFILE.consentIntermediate],
  },
  {
    builder: 'buildEmergencyConsent',
    of: 'confidential items, too',
    resource: buildEmergencyConsent({ ...opened, beyond: 'reachesConfidential' }),
    profiles: [IHE_PROFILE.consentAdvanced],
  },
  {
    builder: 'buildEmergencyConsent',
    of: 'a record past a block',
    resource: buildEmergencyConsent({ ...opened, beyond: 'passesBlocks' }),
    profiles: [IHE_PROFILE.consentIntermediate],
  },
  {
    builder: 'buildEmergencyConsent',
    of: 'a record',
    resource: buildEmergencyConsent(opened),
    profiles: [IHE_PROFILE.consentIntermediate],
  },
  {
    builder: 'buildShareConsent',
    resource: buildShareConsent({
      ...given,
      item: 'ImagingStudy/s1',
      email: 'ami@example.org',
      reason: 'Deuxième avis',
      uses: 3,
      download: true,
    }),
    profiles: [IHE_PROFILE.consentIntermediate],
  },
  {
    builder: 'buildPresenceConsent',
    resource: buildPresenceConsent(opened),
    profiles: [IHE_PROFILE.consentBasic],
  },
  {
    builder: 'buildNamedConsent',
    of: 'somebody who is known',
    resource: buildNamedConsent({ ...named, actor: practitioner }),
    profiles: [IHE_PROFILE.consentBasic],
  },
  {
    builder: 'buildNamedConsent',
    of: 'somebody who is not known',
    resource: buildNamedConsent({ ...named, actor: { type: 'Practitioner', display: 'Martin Anne' } }),
    profiles: [IHE_PROFILE.consentBasic],
  },
  {
    builder: 'buildConsentChange',
    of: 'a withdrawal of hers',
    resource: buildConsentChange({ ...change, change: 'withdraw' }),
    profiles: [IHE_PROFILE.consentBasic],
  },
  {
    builder: 'buildConsentChange',
    of: 'its end, which an establishment recorded',
    resource: buildConsentChange({ ...change, change: 'reconsent', organization: 'Organization/o1' }),
    profiles: [IHE_PROFILE.consentBasic],
  },
];

const BUILDS = /^(?<name>\w+)\((?:(?!\n\}\n).)*?\): (?:Task|Communication|\w*Consent|Provenance)\b[^=;\n]* \{$/ms;

/** Names of the functions in `profiles/` that return one of these resources, in order, each once. */
export function buildersInSources(): readonly string[] {
  const files = readdirSync(PROFILES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const functions = files.flatMap((name) => readFileSync(join(PROFILES, name), 'utf8').split(/^export function /m));
  return namesIn(functions.flatMap((text) => BUILDS.exec(text)?.groups?.['name'] ?? []));
}

/** The names among builders, in order, each once. */
export function namesIn(builders: readonly string[]): readonly string[] {
  return [...new Set(builders)].toSorted();
}
