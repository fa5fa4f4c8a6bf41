/**
 * Whether the record of a person is shared, told from her Consents alone: each withdrawal stands until whoever may has
 * ended it, and the record is shared again when none is left. Emergencies and declarations say nothing of it.
 */
import type { Consent } from '@medplum/fhirtypes';
import { PCF_POLICY_PREFIX } from '../codes.ts';
import { permitOf } from './declaration.ts';

/** What the Consents of a person say. */
export type Sharing<C extends Consent = Consent> = {
  /** Withdrawals that stand. */
  readonly denials: readonly C[];
  /** Her consent to share again, which is in force or waits for the end of another withdrawal. */
  readonly permits: readonly C[];
  /** Emergencies that have not ended: a withdrawal ends them, so that sharing again revives none. */
  readonly emergencies: readonly C[];
};

/**
 * Reads the Consents of one person, as they were filed. What earlier servers left of withdrawals that a later consent
 * ended is none; a consent under another identity ended nothing, for the two may have been joined since.
 */
export function sharingOf<C extends Consent>(consents: readonly C[]): Sharing<C> {
  const permits = consents.filter((consent) => isPermit(consent));
  const inForce = permits.filter(({ status }) => status === 'active');
  const isEnded = (denial: C): boolean =>
    inForce.some((permit) => isOfOne(permit, denial) && momentOf(permit) > momentOf(denial));
  return {
    denials: consents.filter((consent) => isDenial(consent) && !isEnded(consent)),
    permits,
    emergencies: consents.filter((consent) => permitOf(consent)?.isEmergency === true),
  };
}

function isOfOne({ patient: one }: Consent, { patient: other }: Consent): boolean {
  return one?.reference === other?.reference;
}

/** Who speaks in a withdrawal: the establishment (`Organization/id`) that recorded it, or the patient (undefined). */
export function recordedBy({ organization = [] }: Consent): string | undefined {
  return organization[0]?.reference;
}

function isDenial({ status, provision, policy }: Consent): boolean {
  return status === 'active' && provision?.type === 'deny' && hasPolicy(policy, 'deny');
}

function isPermit({ status, provision, policy }: Consent): boolean {
  const isOpen = status === 'active' || status === 'proposed';
  const isForAll = provision?.type === 'permit' && provision.actor === undefined;
  return isOpen && isForAll && hasPolicy(policy, 'basic-normal');
}

function hasPolicy(policies: Consent['policy'], name: string): boolean {
  return (policies ?? []).some(({ uri }) => uri === `${PCF_POLICY_PREFIX}${name}`);
}

function momentOf({ dateTime = '' }: Consent): number {
  return Date.parse(dateTime) || 0;
}
