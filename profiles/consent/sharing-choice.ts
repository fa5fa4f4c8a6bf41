/**
 * The Consent by which a patient says whether her record is shared at all: a permit or a deny that names nobody and
 * narrows nothing. What of it would not be enforced is refused.
 * @see IHE PCF 1.1, Consent Basic
 */
import type { Consent, ConsentProvision } from '@medplum/fhirtypes';
import { CODE_SYSTEM, PCF_POLICY_PREFIX } from '../codes.ts';
import { checkFrame, checkPurposes, hasCode, support, UNREAD_ELEMENTS } from './declaration.ts';
import { isInformation } from './information.ts';
import { spanOf } from './time-span.ts';

/**
 * What such a Consent does: `withdraw` and `reconsent` as the operations of these names, `oppose` keeps further exams
 * away besides.
 */
export type SharingChoice = 'withdraw' | 'oppose' | 'reconsent';

/** What names somebody, or narrows or nests a provision. */
const NARROWING = ['actor', ...UNREAD_ELEMENTS] as const;

/**
 * Whether a Consent, of whatever status, is one of sharing: those that name somebody, or some data, are not, and one
 * that tells that she was informed is none.
 */
export function isSharingChoice(consent: Consent): boolean {
  const { provision } = consent;
  if (isInformation(consent)) return false;
  return provision !== undefined && NARROWING.every((element) => provision[element] === undefined);
}

/**
 * Reads one that was sent: active, of scope patient-privacy, under no policy that says otherwise. A deny whose
 * policyRule is OPTOUT is an opposition. A permit is for treatment or without purpose; a deny that says purposes names
 * treatment among them, as nothing is shared for others. It holds from now on, or since a start that is past, without
 * end. `now` is in epoch milliseconds.
 * @throws {Fault} not-supported - any other shape; `expression` is the element
 * @throws {Fault} forbidden - a permit for a purpose that exams are not shared for
 */
export function readSharingChoice(consent: Consent, now: number, zone?: string): SharingChoice {
  const { provision = {}, policy = [], policyRule } = consent;
  checkFrame(consent);
  const { type } = provision;
  support(type === 'permit' || type === 'deny', 'Consent.provision.type', 'must be permit or deny');
  const { policies, rule } = type === 'deny' ? DENY : PERMIT;
  const isOfRule = policyRule === undefined || hasCode(policyRule, CODE_SYSTEM.actCode, rule);
  support(isOfRule, 'Consent.policyRule', `must be ${rule} of v3-ActCode, or absent`);
  support(
    policy.every(({ uri = '' }) => !uri.startsWith(PCF_POLICY_PREFIX) || policies.includes(uri)),
    'Consent.policy',
    'is another one than the provision says',
  );
  if (type === 'permit') checkPurposes(provision.purpose ?? []);
  else checkDenied(provision);
  checkPeriod(provision, now, zone);
  return choiceOf(consent);
}

/** What a Consent of sharing that was read, and is stored, does. */
export function choiceOf({ provision, policyRule }: Consent): SharingChoice {
  if (provision?.type !== 'deny') return 'reconsent';
  return hasCode(policyRule, CODE_SYSTEM.actCode, DENY.rule) ? 'oppose' : 'withdraw';
}

/** The policies of PCF, and the rule of v3-ActCode, that go with a type of provision. */
type Policies = { readonly policies: readonly string[]; readonly rule: string };

const DENY: Policies = { policies: [`${PCF_POLICY_PREFIX}deny`], rule: 'OPTOUT' };
const PERMIT: Policies = { policies: [`${PCF_POLICY_PREFIX}basic-normal`], rule: 'OPTIN' };

function checkDenied({ purpose = [] }: ConsentProvision): void {
  const isOfTreatment = purpose.some(({ system, code }) => system === CODE_SYSTEM.actReason && code === 'TREAT');
  support(purpose.length === 0 || isOfTreatment, 'Consent.provision.purpose', 'must have TREAT of v3-ActReason');
}

function checkPeriod({ period }: ConsentProvision, now: number, zone: string | undefined): void {
  const span = spanOf(period, zone);
  const isNow = period?.end === undefined && span !== undefined && span.from <= now;
  support(isNow, 'Consent.provision.period', 'must have begun, and has no end');
}
