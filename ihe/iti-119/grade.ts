/**
 * How sure it is that a Patient is the one who is sought. A number of hers and nothing against it is certain; what many
 * share, as a name and a birth date, never is: twins and homonyms share them.
 *
 * same number | name and birth date | sex, other numbers     | grade, score
 * yes         | nothing differs     | nothing differs        | certain, 1
 * yes         | one thing differs among all                  | probable, 0.8
 * yes         | more differs                                 | possible, 0.5
 * no          | all the same        | nothing differs        | probable, 0.9 (0.85 when the sex is not known)
 * no          | a part of the name differs, or sex or number | possible, 0.4
 * no          | less                                         | none
 * @see IHE PDQm 3.2, 2:3.119.4.2.2.4; http://hl7.org/fhir/R4/valueset-match-grade.html
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { EXTENSION } from '../../profiles/codes.ts';
import { normalizeString } from '../../profiles/search/values.ts';

/** A grade, and a score from 0 to 1. */
export type MatchGrade = { readonly grade: 'certain' | 'probable' | 'possible'; readonly score: number };

/** How what is known on both sides compares; `unknown` when it is not known on one of them. */
type Comparison = 'same' | 'differs' | 'unknown';

/** Grades a Patient; undefined when she is not the one. */
export function gradeOf(sought: Patient, found: Patient): MatchGrade | undefined {
  const numbers = numbersOf(sought, found);
  const traits = [
    sameOf([sought.birthDate], [found.birthDate]),
    sameOf(familiesOf(sought), familiesOf(found)),
    sameOf(givensOf(sought), givensOf(found)),
  ];
  const others = [genderOf(sought, found), sameOf(maidenNameOf(sought), maidenNameOf(found))];
  const against = count([...traits, ...others, numbers.others], 'differs');
  if (numbers.isShared) return byNumber(against);
  const [birthDate = 'unknown', ...names] = traits;
  if (birthDate !== 'same' || count(names, 'same') === 0) return undefined;
  if (against > 0 || count(names, 'same') < names.length) return { grade: 'possible', score: 0.4 };
  return { grade: 'probable', score: others[0] === 'same' ? 0.9 : 0.85 };
}

function byNumber(against: number): MatchGrade {
  if (against === 0) return { grade: 'certain', score: 1 };
  return against === 1 ? { grade: 'probable', score: 0.8 } : { grade: 'possible', score: 0.5 };
}

function count(comparisons: readonly Comparison[], wanted: Comparison): number {
  return comparisons.filter((comparison) => comparison === wanted).length;
}

/** A number that was replaced still finds her; of one system she may bear several. */
function numbersOf({ identifier: sought = [] }: Patient, { identifier: found = [] }: Patient) {
  const known = sought.filter(({ system, value }) => system !== undefined && value !== undefined);
  const borne = new Set(found.map(keyOf));
  const shared = new Set(known.filter((one) => borne.has(keyOf(one))).map(({ system }) => system));
  const present = new Set(found.filter(({ use }) => use !== 'old').map(({ system }) => system));
  const isContradicted = known.some(({ system }) => !shared.has(system) && present.has(system));
  return { isShared: shared.size > 0, others: isContradicted ? ('differs' as const) : ('unknown' as const) };
}

function keyOf({ system, value }: Identifier): string {
  return JSON.stringify([system, value]);
}

/** Names are the same when one of each side is. */
function sameOf(one: readonly (string | undefined)[], other: readonly (string | undefined)[]): Comparison {
  const [first, second] = [one, other].map((texts) => new Set(texts.flatMap((text) => foldedOf(text))));
  if (first === undefined || second === undefined || first.size === 0 || second.size === 0) return 'unknown';
  return [...first].some((text) => second.has(text)) ? 'same' : 'differs';
}

/** Without letter case, accents, hyphens and apostrophes. */
function foldedOf(text: string | undefined): readonly string[] {
  const folded = normalizeString((text ?? '').replaceAll(/[-'’‐]/g, ' '));
  return folded === '' ? [] : [folded];
}

function familiesOf({ name = [] }: Patient): readonly (string | undefined)[] {
  return name.map(({ family }) => family);
}

function givensOf({ name = [] }: Patient): readonly (string | undefined)[] {
  return name.flatMap(({ given = [] }) => given);
}

function genderOf({ gender: one = 'unknown' }: Patient, { gender: other = 'unknown' }: Patient): Comparison {
  if (one === 'unknown' || other === 'unknown') return 'unknown';
  return one === other ? 'same' : 'differs';
}

function maidenNameOf({ extension = [] }: Patient): readonly (string | undefined)[] {
  return extension.filter(({ url }) => url === EXTENSION.mothersMaidenName).map(({ valueString }) => valueString);
}
