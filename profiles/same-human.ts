/** Whether two resources may be of one human being: for refusals alone, so where it cannot be told they may. */
import type { Patient } from '@medplum/fhirtypes';

/** What is compared of a person: a practitioner and a related person have the same elements. */
export type HumanTraits = Pick<Patient, 'name' | 'birthDate' | 'identifier'>;

/**
 * They may when both bear one number, or one family name and one given name, and no birth dates that differ. Case,
 * accents, hyphens and spaces do not count. Homonyms may be one, too.
 */
export function mayBeSameHuman(one: HumanTraits, other: HumanTraits): boolean {
  if (shares(numbersOf(one), numbersOf(other))) return true;
  const datesDiffer = one.birthDate !== undefined && other.birthDate !== undefined && one.birthDate !== other.birthDate;
  return !datesDiffer && shares(familiesOf(one), familiesOf(other)) && shares(givensOf(one), givensOf(other));
}

function numbersOf({ identifier = [] }: HumanTraits): readonly string[] {
  return identifier.flatMap(({ system, value }) =>
    system === undefined || value === undefined ? [] : [JSON.stringify([system, value])],
  );
}

function familiesOf({ name = [] }: HumanTraits): readonly string[] {
  return name.flatMap(({ family }) => (family === undefined ? [] : [folded(family)]));
}

function givensOf({ name = [] }: HumanTraits): readonly string[] {
  return name.flatMap(({ given = [] }) => given.map(folded));
}

function shares(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => one !== '' && others.includes(one));
}

function folded(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replaceAll(/[^\p{Letter}]/gu, '');
}
