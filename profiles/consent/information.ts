/**
 * The Consent by which an establishment records that it informed a patient that her exams are shared: who did, when,
 * and whether orally or in writing.
 * @see FHIR R4 Consent; code npp (notice of privacy practices) of consentcategorycodes
 */
import type { Consent } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import { parseDateRange } from '../search/date-range.ts';
import { checkFrame, checkPurposes, hasCode, support, UNREAD_ELEMENTS } from './declaration.ts';
import { offsetsIn } from './time-span.ts';

/** Whether a Consent, of whatever status, tells of an information. */
export function isInformation({ category = [] }: Consent): boolean {
  return category.some((concept) => hasCode(concept, CODE_SYSTEM.consentCategory, 'npp'));
}

/** What such a Consent tells. */
export type Information = { readonly how: 'oral' | 'written' };

/**
 * Reads one that was sent: active, of scope patient-privacy, a permit that names nobody and narrows nothing. It says
 * when she was informed (`dateTime`, not in the future), by whom (`performer`: professionals and organizations, 1..*),
 * and how: in writing where a paper is at hand (`sourceReference`, or a `sourceAttachment` with its data or address),
 * orally where the attachment has a title alone, which says what was told. `now` is in epoch milliseconds.
 * @throws {Fault} not-supported - any other shape; `expression` is the element
 * @throws {Fault} forbidden - a permit for a purpose that exams are not shared for
 */
export function readInformation(consent: Consent, now: number, zone?: string): Information {
  const { provision = {}, performer = [], dateTime = '', sourceAttachment, sourceReference } = consent;
  checkFrame(consent);
  support(provision.type === 'permit', 'Consent.provision.type', 'must be permit');
  for (const element of ['actor', 'period', ...UNREAD_ELEMENTS] as const)
    support(provision[element] === undefined, `Consent.provision.${element}`, 'is not part of an information');
  checkPurposes(provision.purpose ?? []);
  const told = parseDateRange(dateTime, offsetsIn(zone))?.lo;
  support(told !== undefined && told <= now, 'Consent.dateTime', 'must say when she was informed');
  const isInformer = performer.every(({ reference = '' }) => INFORMERS.some((type) => reference.startsWith(type)));
  support(performer.length > 0 && isInformer, 'Consent.performer', 'must say who informed her');
  const isPaper =
    sourceReference !== undefined || sourceAttachment?.url !== undefined || sourceAttachment?.data !== undefined;
  support(
    isPaper || sourceAttachment?.title !== undefined,
    'Consent.source[x]',
    'must be the paper, or say what was told',
  );
  return { how: isPaper ? 'written' : 'oral' };
}

const INFORMERS = ['Organization/', 'Practitioner/', 'PractitionerRole/'] as const;
