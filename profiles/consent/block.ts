/**
 * The Consent by which a patient blocks somebody: a deny that names whom it is against. It hides her record from them,
 * whatever else would show it, until she ends it. What of it would not be enforced is refused.
 * @see IHE PCF 1.1, Consent Basic; access.md R-50
 */
import type { Consent } from '@medplum/fhirtypes';
import { CODE_SYSTEM, PCF_POLICY_PREFIX } from '../codes.ts';
import { actorsOf } from './actors.ts';
import { checkActors, checkFrame, periodOf, support, UNREAD_ELEMENTS, type Declaration } from './declaration.ts';
import { spanOf } from './time-span.ts';

/** Whom a block is against, and when: as those of a {@link Declaration}. */
export type Block = Declaration;

/** The policies of PCF that go with a block: all is denied, or all but what the provision says is as usual. */
const POLICIES: readonly string[] = ['deny', 'basic-normal'].map((policy) => `${PCF_POLICY_PREFIX}${policy}`);

/** Whether a Consent, of whatever status, is against somebody: it denies, and names actors. */
export function isBlock({ provision }: Consent): boolean {
  return provision?.type === 'deny' && (provision.actor ?? []).length > 0;
}

/**
 * Reads one that was sent: active, of scope patient-privacy, its one provision a deny that names by reference, as
 * recipients (IRCP), whom it is against. It is for every purpose: one that says some has treatment among them. Periods
 * and `zone` as of a declaration.
 * @throws {Fault} not-supported - any other shape; `expression` is the element
 */
export function readBlock(consent: Consent, zone?: string): Block {
  const { provision = {}, policy = [], policyRule } = consent;
  checkFrame(consent);
  support(provision.type === 'deny', 'Consent.provision.type', 'must be deny');
  support(policyRule === undefined, 'Consent.policyRule', 'must be absent: what is denied is access, not filing');
  const isOfBlocks = policy.every(({ uri = '' }) => !uri.startsWith(PCF_POLICY_PREFIX) || POLICIES.includes(uri));
  support(isOfBlocks, 'Consent.policy', 'must be Policy-deny or Policy-basic-normal');
  const { purpose = [] } = provision;
  const isOfTreatment = purpose.some(({ system, code }) => system === CODE_SYSTEM.actReason && code === 'TREAT');
  support(purpose.length === 0 || isOfTreatment, 'Consent.provision.purpose', 'must have TREAT of v3-ActReason');
  for (const element of UNREAD_ELEMENTS)
    support(provision[element] === undefined, `Consent.provision.${element}`, 'is not supported here');
  checkActors(provision);
  return { actors: actorsOf(provision), ...periodOf(provision, zone) };
}

/** Reads whom a stored Consent blocks; undefined of one that has ended, or blocks nobody. `zone` as of the row. */
export function blockOf(consent: object, zone?: string): Block | undefined {
  const { status, provision } = consent as Consent;
  if (status !== 'active' || provision === undefined || !isBlock(consent as Consent)) return undefined;
  const span = spanOf(provision.period, zone);
  const actors = actorsOf(provision);
  return span === undefined || actors.length === 0 ? undefined : { actors, ...span };
}
