/**
 * National identifiers of patients: recognised by who issued them, and believed only in the form that the issuer gives
 * them, because they join what establishments know of a person.
 *
 * issuer                                | form                                            | Identifier
 * INS-NIR (production, test, demo OID)  | 13 characters (2A, 2B in Corsica) and their key | type INS-NIR, use official
 * INS-NIA                               | the same                                        | type INS-NIA, use temp
 * matricule of Luxembourg               | a date YYYYMMDD, then 3 or 5 digits             | type NI, use official
 *
 * @see FR Core Patient INS; Référentiel INS of the ANS (key: 97 less the number modulo 97)
 */
import type { Coding, Identifier } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM } from './codes.ts';
import { parseDate } from './dicom/date-time.ts';

type NationalKind = {
  readonly use: 'official' | 'temp';
  readonly type: Coding;
  readonly isOfForm: (value: string) => boolean;
};

const ins = (code: string, use: 'official' | 'temp' = 'official'): NationalKind => ({
  use,
  type: { system: CODE_SYSTEM.frIdentifierType, code },
  isOfForm: isINS,
});

const KINDS: ReadonlyMap<string, NationalKind> = new Map([
  [IDENTIFIER_SYSTEM.insNir, ins('INS-NIR')],
  [IDENTIFIER_SYSTEM.insNia, ins('INS-NIA', 'temp')],
  [IDENTIFIER_SYSTEM.insNirTest, ins('INS-NIR-TEST')],
  [IDENTIFIER_SYSTEM.insNirDemonstration, ins('INS-NIR-DEMO')],
  [
    IDENTIFIER_SYSTEM.matricule,
    { use: 'official', type: { system: CODE_SYSTEM.identifierType, code: 'NI' }, isOfForm: isMatricule },
  ],
]);

/** HL7 v2 namespaces under which French systems send the national identity. */
const BY_NAMESPACE: ReadonlyMap<string, string> = new Map([
  ['ASIP-SANTE-INS-NIR', IDENTIFIER_SYSTEM.insNir],
  ['ASIP-SANTE-INS-NIA', IDENTIFIER_SYSTEM.insNia],
]);

/** Returns the system of a national issuer's v2 namespace; undefined for any other namespace. */
export function nationalSystemOf(namespace: string | undefined): string | undefined {
  return BY_NAMESPACE.get(namespace ?? '');
}

/** Whether a system is that of a national identifier. */
export function isNationalSystem(system: string): boolean {
  return KINDS.has(system);
}

/** Whether a system is one of the French national identity, of the register or for whoever waits for a number of it. */
export function isINSSystem(system: string): boolean {
  return KINDS.get(system)?.isOfForm === isINS;
}

/**
 * Whether a number of a national system may join what sources know of a person: the matricule of 11 digits, without its
 * check digits, may not.
 */
export function mayJoin({ system, value }: { readonly system: string; readonly value: string }): boolean {
  return system !== IDENTIFIER_SYSTEM.matricule || value.length === 13;
}

/**
 * Returns a national identifier with its use and type, spaces between its digits removed. Undefined when the system is
 * not national, or the value cannot be of it.
 */
export function nationalIdentifier(identity: {
  readonly system: string;
  readonly value: string;
}): (Identifier & { system: string; value: string }) | undefined {
  const kind = KINDS.get(identity.system);
  const value = identity.value.replaceAll(' ', '');
  if (kind === undefined || !kind.isOfForm(value)) return undefined;
  return { use: kind.use, type: { coding: [kind.type] }, system: identity.system, value };
}

/** Sex, year, month, department, commune, order, key. Months beyond 12 stand for an unknown month or civil status. */
function isINS(value: string): boolean {
  const match = /^([1-478]\d{4}(?:\d{2}|2[AB])\d{6})(\d{2})$/.exec(value);
  const number = Number((match?.[1] ?? '').replace('2A', '19').replace('2B', '18'));
  return match !== null && Number(match[2]) === 97 - (number % 97);
}

/**
 * A birth date and an order, then two check digits in the longer form. Their rule is published by others than the
 * state, and numbers that are shown as examples break it, so they decide nothing.
 */
function isMatricule(value: string): boolean {
  return /^\d{11}(?:\d{2})?$/.test(value) && parseDate(value.slice(0, 8)) !== undefined;
}
