/** Why somebody asks: the closed list of purposes of use. */
import { Fault } from '../../profiles/fault.ts';

/**
 * Care, emergency, the patient and the family. Payment, coverage, research, marketing and employment are refused
 * at registration and at run time.
 * @see https://terminology.hl7.org/CodeSystem-v3-ActReason.html
 */
export const PURPOSES = ['TREAT', 'ETREAT', 'BTG', 'PATRQT', 'FAMRQT'] as const;

/** One of {@link PURPOSES}; and that of a ticket of support, which no door is told: the ticket gives it. */
export type Purpose = (typeof PURPOSES)[number] | 'HSYSADMIN';

/** Other spellings that doors receive (XSPA, Swiss EPR) and the purpose they stand for. */
const SYNONYMS: ReadonlyMap<string, Purpose> = new Map([
  ['TREATMENT', 'TREAT'],
  ['NORM', 'TREAT'],
  ['EMERGENCY', 'ETREAT'],
  ['EMER', 'ETREAT'],
  ['REQUEST', 'PATRQT'],
]);

/**
 * Reads a purpose of use.
 * @throws {Fault} forbidden - the purpose is not one that this server shares for
 */
export function purposeOf(code: string): Purpose {
  const known = PURPOSES.find((purpose) => purpose === code) ?? SYNONYMS.get(code);
  if (known === undefined) throw new Fault('forbidden', 'The purpose of use is not one that exams are shared for');
  return known;
}
