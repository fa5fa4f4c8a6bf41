/**
 * The national numbers of a Patient, and which of them are qualified: those alone join what sources know of a person.
 *
 * system                      | qualified when its source is declared for it, and
 * INS                         | reliability says qualified
 * matricule of 13 digits      | reliability says qualified, or nothing
 * another that the region     | the same
 *   declares                  |
 * each of these in an image   | the region file says so of this establishment's modalities: DICOM has no reliability
 *
 * An INS of use `temp` is the number of whoever waits for one of the register (NIA), whatever its system says.
 * @see FR Core Patient INS (invariants of identifier.use)
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { IDENTIFIER_SYSTEM } from '../codes.ts';
import { Fault } from '../fault.ts';
import { isINSSystem, isNationalSystem, mayJoin, nationalIdentifier } from '../national-identifiers.ts';
import { readReliability } from './reliability.ts';

/** A number that names a person beyond one establishment. */
export type NationalNumber = {
  readonly system: string;
  readonly value: string;
  /** She bore it formerly: it finds her, and another one is current. */
  readonly isOld: boolean;
  /** It may join. */
  readonly isQualified: boolean;
};

/** Nobody bears more numbers one after the other; who sends more links persons who have nothing in common. */
const MAX_NUMBERS = 20;

/** What the region file says of whoever sent a Patient, and the way it came. */
export type NumberSource = {
  /** Systems whose numbers it qualifies. */
  readonly qualifies: readonly string[];
  /** Its modalities carry qualified numbers; else those of images join nothing. */
  readonly imagesQualified?: boolean;
  /** The Patient is the one of an image. */
  readonly fromImage: boolean;
};

/**
 * Returns the numbers of a Patient, each once. One that cannot be of its system is left out; of a system with two
 * current values none is qualified, nor of more than 20 numbers.
 */
export function nationalNumbers(patient: Patient, source: NumberSource): readonly NationalNumber[] {
  const { status } = readReliability(patient);
  const isSure = (system: string): boolean =>
    source.fromImage
      ? source.imagesQualified === true
      : status === 'qualified' || (status === 'unsaid' && !isINSSystem(system));
  const byKey = new Map<string, NationalNumber>();
  for (const identifier of patient.identifier ?? []) {
    const number = numberOf(identifier, source.qualifies);
    if (number === undefined) continue;
    const key = numberKey(number);
    const isQualified = source.qualifies.includes(number.system) && mayJoin(number) && isSure(number.system);
    const isOld = identifier.use === 'old' && byKey.get(key)?.isOld !== false;
    byKey.set(key, { ...number, isOld, isQualified });
  }
  const numbers = [...byKey.values()];
  const isUnsure = (number: NationalNumber): boolean =>
    numbers.length > MAX_NUMBERS || numbers.some((other) => isRival(number, other));
  return numbers.map((number) => (isUnsure(number) ? { ...number, isQualified: false } : number));
}

function isRival(one: NationalNumber, other: NationalNumber): boolean {
  return one.system === other.system && one.value !== other.value && !other.isOld && !one.isOld && mayJoin(other);
}

/**
 * Refuses what no sender of FHIR may say of national numbers.
 * @throws {Fault} invalid - a value cannot be of its system, two current values of one system that may join, or more
 *   than 20 numbers
 */
export function checkNationalNumbers({ identifier = [] }: Patient): void {
  const current = new Map<string, string>();
  if (identifier.filter(({ system = '' }) => isNationalSystem(system)).length > MAX_NUMBERS)
    throw new Fault('invalid', `More than ${MAX_NUMBERS} national numbers`, { expression: 'Patient.identifier' });
  for (const [at, { system = '', value, use }] of identifier.entries()) {
    if (!isNationalSystem(system) || value === undefined) continue;
    const expression = `Patient.identifier[${at}]`;
    const number = numberOf({ system, value, ...(use && { use }) }, []);
    if (number === undefined)
      throw new Fault('invalid', `The value cannot be a number of ${system}: its form or key is wrong`, { expression });
    if (use === 'old' || !mayJoin(number)) continue;
    if ((current.get(number.system) ?? number.value) !== number.value)
      throw new Fault('invalid', `Two current numbers of ${system}: mark the former one with use 'old'`, {
        expression,
      });
    current.set(number.system, number.value);
  }
}

/**
 * Returns the number that an identifier is, of a national system or of one in `declared`, with the spaces between
 * digits removed; undefined when it is none.
 */
export function numberOf(
  { system = '', value = '', use }: Identifier,
  declared: readonly string[],
): { readonly system: string; readonly value: string } | undefined {
  if (!isNationalSystem(system)) return declared.includes(system) && value !== '' ? { system, value } : undefined;
  const national = nationalIdentifier({ system, value });
  if (national === undefined) return undefined;
  const isWaiting = use === 'temp' && system === IDENTIFIER_SYSTEM.insNir;
  return { system: isWaiting ? IDENTIFIER_SYSTEM.insNia : system, value: national.value };
}

/** Names a number: no system holds the character between. */
export function numberKey({ system, value }: { readonly system: string; readonly value: string }): string {
  return `${system}|${value}`;
}
