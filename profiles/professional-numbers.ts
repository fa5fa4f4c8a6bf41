/**
 * The national number of a professional, which is written in two ways: RPPS, and behind an 8 among the national
 * identifiers of professionals, which name whoever has no RPPS by other numbers.
 * @see ANS, CI-SIS, PS_IdNat; FR Core Practitioner
 */
import { IDENTIFIER_SYSTEM } from './codes.ts';

/** A number under the system (URI) of its issuer. */
export type ProfessionalNumber = { readonly system: string; readonly value: string };

/** All forms of a number, as it is sent first: two of an RPPS, one of any other. */
export function formsOfNumber({ system, value }: ProfessionalNumber): readonly ProfessionalNumber[] {
  const sent = { system, value };
  if (system === IDENTIFIER_SYSTEM.rpps && /^\d{11}$/.test(value))
    return [sent, { system: IDENTIFIER_SYSTEM.professional, value: `8${value}` }];
  if (system === IDENTIFIER_SYSTEM.professional && /^8\d{11}$/.test(value))
    return [sent, { system: IDENTIFIER_SYSTEM.rpps, value: value.slice(1) }];
  return [sent];
}
