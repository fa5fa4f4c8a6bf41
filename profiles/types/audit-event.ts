/** A passage at a door. */
import type { FhirType } from './fhir-type.ts';
import { codeToken, date, own, patient, reference, string, token } from './search-parameter.ts';

const AGENTS = ['Practitioner', 'PractitionerRole', 'Organization', 'Patient', 'Device', 'RelatedPerson'] as const;

/** AuditEvent. @see https://hl7.org/fhir/R4/auditevent.html and IHE BALP */
export const AuditEvent = {
  class: 'own',
  subject: 'entity.what',
  label: 'normal',
  release: 'at-once',
  writers: 'server',
  interactions: ['read', 'search-type'],
  parameters: [
    date('date', 'AuditEvent-date'),
    patient('AuditEvent-patient', 'AuditEvent.agent.who | AuditEvent.entity.what', { needsType: true }),
    reference('agent', 'AuditEvent-agent', AGENTS, { takesNot: true }),
    string('agent-name', 'AuditEvent-agent-name', { isRead: true }),
    token('agent-role', 'AuditEvent-agent-role'),
    own('AuditEvent', 'purpose', 'token', 'AuditEvent.purposeOfEvent'),
    reference('entity', 'AuditEvent-entity', 'any'),
    token('type', 'AuditEvent-type'),
    token('subtype', 'AuditEvent-subtype'),
    codeToken('action', 'AuditEvent-action', 'audit-event-action'),
    codeToken('outcome', 'AuditEvent-outcome', 'audit-event-outcome'),
    token('entity-type', 'AuditEvent-entity-type'),
    token('entity-role', 'AuditEvent-entity-role', { isRead: true }),
    string('address', 'AuditEvent-address', { isRead: true }),
    reference('source', 'AuditEvent-source', AGENTS, { isRead: true }),
    token('site', 'AuditEvent-site', { isRead: true }),
  ],
  sort: { by: 'date', elements: ['recorded'] },
  standsApart: true,
  words: 'l’historique des accès',
  // It forgets what of the study it named, in a trail of its own.
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
