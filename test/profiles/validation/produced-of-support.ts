/** What is made of a ticket of support, beside {@link PRODUCED} of produced.ts. */
import { IHE_PROFILE } from '../../../profiles/codes.ts';
import {
  buildSupportConsent,
  buildSupportNotice,
  buildSupportTask,
  decidedSupport,
  endedSupport,
} from '../../../profiles/consent/giving/support.ts';

const now = Date.UTC(2026, 10, 30, 8);
const told = { id: 'x1', patient: 'Patient/p1', now };
const asked = { practitioner: 'Practitioner/d1', ticket: 'INC-4711', reason: 'Affichage', until: now + 3_600_000 };
const record = buildSupportTask({ ...told, ...asked });
const exam = buildSupportTask({ ...told, ...asked, item: 'ImagingStudy/s1' });
const decision = { comment: 'Ticket vérifié', officer: 'Practitioner/d2', now };
const notice = {
  ...told,
  consent: 'Consent/c1',
  practitioner: { reference: 'Practitioner/d1', display: 'Lucien Marchecoul' },
  timeZone: 'Europe/Paris',
};
const profiles = [IHE_PROFILE.consentIntermediate];

/** Each with the function that makes it. */
export const OF_SUPPORT = [
  { builder: 'buildSupportTask', resource: record },
  { builder: 'buildSupportTask', of: 'an exam', resource: exam },
  {
    builder: 'decidedSupport',
    of: 'confirmed',
    resource: decidedSupport(record, { ...decision, verdict: 'confirmed', consent: 'Consent/c1' }),
  },
  { builder: 'decidedSupport', of: 'refused', resource: decidedSupport(record, { ...decision, verdict: 'refused' }) },
  { builder: 'decidedSupport', of: 'ended', resource: decidedSupport(record, { ...decision, verdict: 'ended' }) },
  { builder: 'endedSupport', resource: endedSupport(record, now) },
  {
    builder: 'buildSupportConsent',
    resource: buildSupportConsent(record, { ...told, officer: 'Practitioner/d2' }),
    profiles,
  },
  {
    builder: 'buildSupportConsent',
    of: 'an exam',
    resource: buildSupportConsent(exam, { ...told, officer: 'Practitioner/d2' }),
    profiles,
  },
  { builder: 'buildSupportNotice', resource: buildSupportNotice({ ...notice, task: record }) },
  { builder: 'buildSupportNotice', of: 'an exam', resource: buildSupportNotice({ ...notice, task: exam }) },
] as const;
