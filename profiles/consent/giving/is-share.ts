/** Which Consents are shares; apart from what they say, as the table of types reads it. */
import type { Consent } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../codes.ts';

/** Whether a Consent, whatever its status, is a share. */
export function isShare(consent: object): boolean {
  const codings = ((consent as Partial<Consent>).category ?? []).flatMap(({ coding = [] }) => coding);
  return codings.some(({ system, code }) => system === CODE_SYSTEM.temporaryAccess && code === 'share');
}
