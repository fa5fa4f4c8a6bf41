/**
 * Whether the record of a person is shared, told from her Consents alone: each withdrawal stands until whoever may has
 * ended it, and the record is shared again when none is left. Emergencies and declarations say nothing of it.
 */
import type { Consent } from '@medplum/fhirtypes';
import { EXTENSION } from '../codes.ts';
import { permitOf } from './declaration.ts';
import { shareOf } from './giving/share.ts';
import { isSharingChoice } from './sharing-choice.ts';

/** What the Consents of a person say. */
export type Sharing<C extends Consent = Consent> = {
  /** Withdrawals and oppositions that stand. */
  readonly denials: readonly C[];
  /** Her consent to share again, which is in force or waits for the end of another withdrawal. */
  readonly permits: readonly C[];
  /** Emergencies that have not ended: a withdrawal ends them, so that sharing again revives none. */
  readonly emergencies: readonly C[];
  /** What tickets of support gave, and has not ended: as emergencies. */
  readonly tickets: readonly C[];
  /** Shares of single items that have not ended: a withdrawal ends them, too. */
  readonly shares: readonly C[];
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
    emergencies: consents.filter((consent) => permitOf(consent)?.kind === 'break-glass'),
    tickets: consents.filter((consent) => permitOf(consent)?.kind === 'support'),
    shares: consents.filter((consent) => shareOf(consent) !== undefined),
  };
}

function isOfOne({ patient: one }: Consent, { patient: other }: Consent): boolean {
  return one?.reference === other?.reference;
}

/**
 * Who speaks in such a Consent: the establishment (`Organization/id`) that recorded it, or the patient (undefined). One
 * of ours without the mark names in `organization` who recorded it; in one that was sent that is whoever keeps it.
 */
export function recordedBy({ extension = [], organization = [] }: Consent): string | undefined {
  const said = extension.find(({ url }) => url === EXTENSION.recordedBy)?.valueReference?.reference;
  if (said === undefined) return organization[0]?.reference;
  return said.startsWith('Patient/') ? undefined : said;
}

/** A Consent that was sent, with the mark of who recorded it: `Organization/id`, or `Patient/id` for herself. */
export function markedRecorded<C extends Consent>(consent: C, recorder: string): C {
  const others = (consent.extension ?? []).filter(({ url }) => url !== EXTENSION.recordedBy);
  const mark = { url: EXTENSION.recordedBy, valueReference: { reference: recorder } };
  return { ...consent, extension: [...others, mark] };
}

function isDenial(consent: Consent): boolean {
  return consent.status === 'active' && consent.provision?.type === 'deny' && isSharingChoice(consent);
}

function isPermit(consent: Consent): boolean {
  const isOpen = consent.status === 'active' || consent.status === 'proposed';
  return isOpen && consent.provision?.type === 'permit' && isSharingChoice(consent);
}

function momentOf({ dateTime = '' }: Consent): number {
  return Date.parse(dateTime) || 0;
}
