/**
 * The steps of a write of a Consent: one of sharing, and one of information, take other steps than one that names
 * somebody.
 */
import type { Consent } from '@medplum/fhirtypes';
import { isInformation } from '../../../profiles/consent/information.ts';
import { isSharingChoice } from '../../../profiles/consent/sharing-choice.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { INFORMATION_HOOK } from '../ground/information-hook.ts';
import { CONSENT_HOOK } from '../write/consent-parts.ts';
import type { ActParts, Placed, Work, Written } from '../write/work.ts';
import { SHARING_HOOK } from './sharing-hook.ts';

/** Picks them by what stands, or by what is sent where nothing does. */
export const RIGHTS_HOOK = {
  asked: async (work: Work, written: Written) => await hookOf(written).asked(work, written),
  parts: async (work: Work, written: Written): Promise<ActParts> => await hookOf(written).parts(work, written),
  remove: async (work: Work, placed: Placed & { readonly standing: InternalRow }): Promise<ActParts> =>
    await hookFor(openedResource<Consent>(placed.standing)).remove(work, placed),
};

type ConsentHook = typeof CONSENT_HOOK | typeof SHARING_HOOK | typeof INFORMATION_HOOK;

function hookOf({ placed: { standing }, resource }: Written): ConsentHook {
  return hookFor(standing === undefined ? (resource as Consent) : openedResource<Consent>(standing));
}

function hookFor(consent: Consent): ConsentHook {
  if (isInformation(consent)) return INFORMATION_HOOK;
  return isSharingChoice(consent) ? SHARING_HOOK : CONSENT_HOOK;
}
