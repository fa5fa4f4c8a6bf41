/**
 * The traits by which two sources are seen to speak of one human being. A number that is wrongly typed, or copied to a
 * relative, is found out by them.
 *
 * trait               | Patient
 * families            | name.family of birth (official, maiden) and of use (usual, or without use)
 * first given names   | name.given[0] of the same, and the first of FR Core's list of birth given names
 * all given names     | that list, else name.given
 * birth place         | extension patient-birthPlace: code of the commune (INSEE)
 * one of several      | multipleBirth[x], or a homonym is known (reliability)
 *
 * @see FR Core Patient INS; RNIV 1 section 3.1 (strict traits)
 */
import type { HumanName, Patient } from '@medplum/fhirtypes';
import { EXTENSION } from '../codes.ts';
import { readReliability } from './reliability.ts';

/** Traits, folded so that equal ones are equal texts. */
export type Traits = {
  readonly families: readonly string[];
  readonly firstGivenNames: readonly string[];
  readonly allGivenNames: readonly string[];
  readonly birthDate: string | undefined;
  readonly gender: string | undefined;
  readonly birthPlace: string | undefined;
  /** A twin, or one of two persons of the same name: the first given name says too little. */
  readonly isOneOfSeveral: boolean;
};

/** Returns the traits of a Patient. Names of former times and nicknames say nothing. */
export function readTraits(patient: Patient): Traits {
  const names = (patient.name ?? []).filter(({ use = 'usual' }) => NAME_USES.includes(use));
  const births = names.filter(({ use }) => use === 'official' || use === 'maiden');
  return {
    families: foldEach(names.flatMap(({ family }) => familyForms(family ?? ''))),
    firstGivenNames: foldEach(names.flatMap((name) => [name.given?.[0] ?? '', birthList(name).split(/\s+/)[0] ?? ''])),
    allGivenNames: foldEach((births.length > 0 ? births : names).map((name) => birthList(name) || givenOf(name))),
    birthDate: patient.birthDate,
    gender: patient.gender === 'unknown' ? undefined : patient.gender,
    birthPlace: birthPlaceOf(patient),
    isOneOfSeveral:
      patient.multipleBirthBoolean === true ||
      patient.multipleBirthInteger !== undefined ||
      readReliability(patient).isHomonym,
  };
}

/**
 * Tells whether the traits of two identities agree. Without a first given name or a birth date they agree with
 * nobody's. `ignoresSex` is for who bore another number formerly: it may have changed with her sex.
 */
export function traitsAgree(one: Traits, other: Traits, { ignoresSex }: { readonly ignoresSex: boolean }): boolean {
  const isSexEqual = one.gender === undefined || other.gender === undefined || one.gender === other.gender;
  if (!isSexEqual && !ignoresSex) return false;
  if (one.birthDate === undefined || one.birthDate !== other.birthDate) return false;
  if (!meet(one.families, other.families) || !meet(one.firstGivenNames, other.firstGivenNames)) return false;
  if (!one.isOneOfSeveral && !other.isOneOfSeveral) return true;
  const isPlaceEqual = one.birthPlace !== undefined && one.birthPlace === other.birthPlace;
  return isPlaceEqual && meet(one.allGivenNames, other.allGivenNames);
}

/** Uses of names that say who somebody is: `old`, `temp`, `nickname` and `anonymous` do not. */
const NAME_USES: readonly string[] = ['official', 'maiden', 'usual'];

/** Words before a family name that sources write or leave out. */
const PARTICLES: ReadonlySet<string> = new Set(
  'd de del della den der des di do dos du da das of ten ter van vom von zu zum zur'.split(' '),
);

/** A family name as it is, and without its particles, unless it has nothing else. */
function familyForms(family: string): string[] {
  const words = foldedWords(family);
  const bare = words.filter((word) => !PARTICLES.has(word));
  return [words.join(''), ...(bare.length === 0 ? [] : [bare.join('')])];
}

/** Letters that fall into no letter and accent. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ['œ', 'oe'],
  ['æ', 'ae'],
  ['ß', 'ss'],
  ['ø', 'o'],
  ['ł', 'l'],
  ['đ', 'd'],
  ['ð', 'd'],
  ['þ', 'th'],
  ['ı', 'i'],
]);

/**
 * The words of a name in small letters without accents; hyphens, apostrophes, points and spaces lie between them. Marks
 * of other scripts stay: there they are vowels.
 */
function foldedWords(name: string): string[] {
  const plain = name
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '');
  const spelled = plain.replaceAll(/[œæßøłđðþı]/g, (letter) => LETTERS.get(letter) ?? letter);
  return spelled.split(/[^\p{L}\p{N}\p{M}]+/u).filter((word) => word !== '');
}

function foldEach(names: readonly string[]): string[] {
  const folded = names.map((name) => foldedWords(name).join(''));
  return [...new Set(folded)].filter((name) => name !== '');
}

function meet(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.includes(one));
}

function givenOf({ given = [] }: HumanName): string {
  return given.join(' ');
}

function birthList({ extension = [] }: HumanName): string {
  return extension.find(({ url }) => url === EXTENSION.frBirthListGivenName)?.valueString?.trim() ?? '';
}

/** Older senders write the code as the district. */
function birthPlaceOf({ extension = [] }: Patient): string | undefined {
  const place = extension.find(({ url }) => url === EXTENSION.birthPlace)?.valueAddress;
  const code = place?.extension?.find(({ url }) => url === EXTENSION.frInseeCode)?.valueCoding?.code;
  return code ?? (/^\d[\dAB]\d{3}$/.test(place?.district ?? '') ? place?.district : undefined);
}
