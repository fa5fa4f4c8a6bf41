/**
 * The Consent by which a patient says whether her record is shared at all: a permit or a deny that names nobody and
 * narrows nothing. What of it would not be enforced is refused.
 * @see IHE PCF 1.1, Consent Basic
 */
import type { Consent, ConsentProvision } from '@medplum/fhirtypes';
import { CODE_SYSTEM, PCF_POLICY_PREFIX } from '../codes.ts';
import { periodRange } from '../search/date-range.ts';
import { checkFrame, checkPurposes, support } from './declaration.ts';

/** What such a Consent does, as the operations are called that say the same. */
export type SharingChoice = 'withdraw' | 'reconsent';

/** What names somebody, or narrows or nests a provision. */
const NARROWING = [
  'actor',
  'action',
  'securityLabel',
  'class',
  'code',
  'dataPeriod',
  'data',
  'provision',
  'modifierExtension',
] as const satisfies readonly (keyof ConsentProvision)[];

/** Whether a Consent, of whatever status, is one of sharing: those that name somebody, or some data, are not. */
export function isSharingChoice({ provision }: Consent): boolean {
  return provision !== undefined && NARROWING.every((element) => provision[element] === undefined);
}

/**
 * Reads one that was sent: active, of scope patient-privacy, under no policy of PCF that says otherwise. A permit is
 * for treatment or without purpose; a deny that says purposes names treatment among them, as nothing is shared for
 * others. It holds from now on, or since a start that is past, without end. `now` is in epoch milliseconds.
 * @throws {Fault} not-supported - any other shape; `expression` is the element
 * @throws {Fault} forbidden - a permit for a purpose that exams are not shared for
 */
export function readSharingChoice(consent: Consent, now: number): SharingChoice {
  const { provision = {}, policy = [], policyRule } = consent;
  checkFrame(consent);
  support(policyRule === undefined, 'Consent.policyRule', 'is not supported here');
  const { type } = provision;
  support(type === 'permit' || type === 'deny', 'Consent.provision.type', 'must be permit or deny');
  const { choice, policies } = type === 'deny' ? DENY : PERMIT;
  support(
    policy.every(({ uri = '' }) => !uri.startsWith(PCF_POLICY_PREFIX) || policies.includes(uri)),
    'Consent.policy',
    'is another one than the provision says',
  );
  if (choice === 'reconsent') checkPurposes(provision.purpose ?? []);
  else checkDenied(provision);
  checkPeriod(provision, now);
  return choice;
}

/** A choice, and the policies of PCF that go with it. */
type Said = { readonly choice: SharingChoice; readonly policies: readonly string[] };

const DENY: Said = { choice: 'withdraw', policies: [`${PCF_POLICY_PREFIX}deny`] };
const PERMIT: Said = { choice: 'reconsent', policies: [`${PCF_POLICY_PREFIX}basic-normal`] };

function checkDenied({ purpose = [] }: ConsentProvision): void {
  const isOfTreatment = purpose.some(({ system, code }) => system === CODE_SYSTEM.actReason && code === 'TREAT');
  support(purpose.length === 0 || isOfTreatment, 'Consent.provision.purpose', 'must have TREAT of v3-ActReason');
}

function checkPeriod({ period }: ConsentProvision, now: number): void {
  const range = periodRange(period?.start, period?.end);
  const isNow = period?.end === undefined && range !== undefined && range.lo <= now;
  support(isNow, 'Consent.provision.period', 'must have begun, and has no end');
}
