/**
 * The Consents that the server writes itself: an emergency, a presence, a withdrawal, and its end.
 * @see IHE PCF 1.1, 3:5.3 (policies that refer to a base policy by its identifier)
 */
import type { Consent, Practitioner, Reference } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IHE_PROFILE, PCF_POLICY_PREFIX } from '../codes.ts';
import { PAST_BLOCK, type BreakGlassSetting } from './emergency.ts';
import { SUPPORT } from './giving/support-category.ts';

/** A Consent of ours; it has its id before it is stored. */
export type PrivacyConsent = Consent & { readonly id: string };

/** What whoever a provision lets see is to it. */
export const IRCP = { coding: [{ system: CODE_SYSTEM.participationType, code: 'IRCP' }] };

/** A policy of PCF: what it is called behind its prefix. */
type Policy = 'break-glass-only' | 'deny' | 'basic-normal';

/**
 * An emergency, or a presence. `patient` and `practitioner` are references; times are epoch milliseconds, `to`
 * exclusive.
 */
export type OpeningFacts = {
  readonly id: string;
  readonly patient: string;
  readonly practitioner: string;
  readonly from: number;
  readonly to: number;
};

/**
 * Builds the Consent that opens a record, or one exam alone (`ImagingStudy/id`), to one professional for the time of an
 * emergency. `beyond` is what it does more than every one: confidential items are a level of PCF Advanced.
 */
export function buildEmergencyConsent({
  id,
  patient,
  practitioner,
  from,
  to,
  exam,
  beyond,
}: OpeningFacts & {
  readonly exam?: string | undefined;
  readonly beyond?: BreakGlassSetting | undefined;
}): PrivacyConsent {
  const period = { start: new Date(from).toISOString(), end: new Date(to).toISOString() };
  const facts = { id, patient, dateTime: from, policy: 'break-glass-only', title: 'Accès en urgence' } as const;
  const isConfidential = beyond === 'reachesConfidential';
  return {
    ...(beyond === 'passesBlocks' ? privacyFrame({ ...facts, title: PAST_BLOCK_TITLE }, PAST_BLOCK) : frame(facts)),
    ...(isConfidential ? { meta: { profile: [IHE_PROFILE.consentAdvanced] } } : {}),
    performer: [{ reference: practitioner }],
    provision: {
      type: 'permit',
      period,
      actor: [{ role: IRCP, reference: { reference: practitioner } }],
      purpose: [{ system: CODE_SYSTEM.actReason, code: 'BTG' }],
      ...(isConfidential ? { securityLabel: [{ system: CODE_SYSTEM.confidentiality, code: 'R' }] } : {}),
      ...(exam === undefined ? {} : { data: [{ meaning: 'instance' as const, reference: { reference: exam } }] }),
    },
  };
}

const PAST_BLOCK_TITLE = 'Accès en urgence malgré un blocage';

/** Builds the Consent that opens a record to one professional who redeemed a code of the patient. */
export function buildPresenceConsent({ id, patient, practitioner, from, to }: OpeningFacts): PrivacyConsent {
  return {
    ...privacyFrame({ id, patient, dateTime: from, policy: 'basic-normal', title: 'Code de présence' }, 'presence'),
    performer: [{ reference: patient }],
    provision: {
      type: 'permit',
      period: { start: new Date(from).toISOString(), end: new Date(to).toISOString() },
      actor: [{ role: IRCP, reference: { reference: practitioner } }],
      purpose: [{ system: CODE_SYSTEM.actReason, code: 'TREAT' }],
    },
  };
}

/**
 * Somebody whom the images of an exam name. `patient` and `organization`, whose images they are, are references; `now`
 * is in epoch milliseconds.
 */
export type NamedFacts = {
  readonly id: string;
  readonly patient: string;
  readonly organization: string;
  readonly actor: Reference<Practitioner>;
  readonly now: number;
};

const NAMED_TITLE = 'Correspondant nommé dans un examen';

/** Whether the images of an exam said what a Consent says, and nobody else. */
export function isNamedConsent({ sourceAttachment }: Consent): boolean {
  return sourceAttachment?.title === NAMED_TITLE;
}

/**
 * Builds the Consent of a correspondent whom the patient declared at an exam, as its images say. It is proposed where
 * the directory does not know who is meant (an actor without reference).
 */
export function buildNamedConsent({ id, patient, organization, actor, now }: NamedFacts): PrivacyConsent {
  return {
    ...frame({ id, patient, dateTime: now, policy: 'basic-normal', title: NAMED_TITLE }),
    status: actor.reference === undefined ? 'proposed' : 'active',
    performer: [{ reference: patient }],
    organization: [{ reference: organization }],
    provision: {
      type: 'permit',
      actor: [{ role: IRCP, reference: actor }],
      purpose: [{ system: CODE_SYSTEM.actReason, code: 'TREAT' }],
    },
  };
}

/** A change of mind: `withdraw` shares nothing any more, `reconsent` shares again. `organization` wrote it down. */
export type ConsentChange = {
  readonly id: string;
  readonly patient: string;
  readonly change: 'withdraw' | 'reconsent';
  readonly organization?: string;
  /** `RelatedPerson/id` who says it for her. */
  readonly performer?: string;
  readonly now: number;
};

/** Builds the Consent that tells of a withdrawal, or of its end. */
export function buildConsentChange({
  id,
  patient,
  change,
  organization,
  performer = patient,
  now,
}: ConsentChange): PrivacyConsent {
  const { policy, title } = CHANGE[change];
  return {
    ...frame({ id, patient, dateTime: now, policy, title }),
    performer: [{ reference: performer }],
    ...(organization === undefined ? {} : { organization: [{ reference: organization }] }),
    provision: { type: change === 'withdraw' ? 'deny' : 'permit' },
  };
}

const CHANGE = {
  withdraw: { policy: 'deny', title: 'Retrait du consentement au partage' },
  reconsent: { policy: 'basic-normal', title: 'Consentement au partage' },
} as const satisfies Record<ConsentChange['change'], { policy: Policy; title: string }>;

/** Purpose BTG is none of the Basic profile. */
const PROFILE: Readonly<Record<Policy, string>> = {
  'break-glass-only': IHE_PROFILE.consentIntermediate,
  deny: IHE_PROFILE.consentBasic,
  'basic-normal': IHE_PROFILE.consentBasic,
};

type Frame = {
  readonly id: string;
  readonly patient: string;
  readonly dateTime: number;
  readonly policy: Policy;
  /** What was said, for there is no paper. */
  readonly title: string;
};

/** A Consent of ours before its provision. */
type PrivacyFrame = Omit<PrivacyConsent, 'provision'>;

/** What every Consent of ours has that an operation gives for a time: its category says what it is. */
export function privacyFrame(
  facts: Frame,
  code: 'presence' | 'share' | typeof PAST_BLOCK | typeof SUPPORT,
): PrivacyFrame {
  const { category = [], ...rest } = frame(facts);
  return { ...rest, category: [...category, { coding: [{ system: CODE_SYSTEM.temporaryAccess, code }] }] };
}

/** Where nobody else wrote it down, the server did: it has no reference, which names who speaks. */
function frame({ id, patient, dateTime, policy, title }: Frame): PrivacyConsent {
  return {
    resourceType: 'Consent',
    id,
    meta: { profile: [PROFILE[policy]] },
    status: 'active',
    scope: { coding: [{ system: CODE_SYSTEM.consentScope, code: 'patient-privacy' }] },
    category: [{ coding: [{ system: CODE_SYSTEM.loinc, code: '59284-0', display: 'Consent Document' }] }],
    patient: { reference: patient },
    dateTime: new Date(dateTime).toISOString(),
    organization: [{ display: 'Passerelle' }],
    sourceAttachment: { title },
    policy: [{ uri: `${PCF_POLICY_PREFIX}${policy}` }],
  };
}
