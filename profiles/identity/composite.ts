/**
 * The one Patient of a person, made of what her sources say.
 *
 * Patient                             | from                                 | shown to
 * names, sex, birth, death, address,  | the most reliable identity, never    | whoever sees the Patient
 *   telecom, communication            |   mixed                              |
 * contact, practitioner, photo,       | the same                             | who sees an item of that identity
 *   managing organization             |                                      |
 * qualified numbers                   | each identity                        | whoever sees the Patient
 * local identifiers                   | each identity: those of its source   | who sees an item of that identity
 * other numbers and identifiers       | each identity                        | its source
 * all of a concealed identity         | that identity                        | its source
 *
 * The person herself sees all. Narrative, links, profiles and modifiers are left out: they speak of what one source
 * sent. A mark (said-by.ts) at each part that not everybody sees names the identity that said it.
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { toElements } from '../elements.ts';
import { isNationalSystem, nationalIdentifier } from '../national-identifiers.ts';
import { numberKey, numberOf, type NationalNumber } from './national-numbers.ts';
import { readReliability } from './reliability.ts';
import { isTheirs, saidBy, withoutMark } from './said-by.ts';

/** What one source says of the person. */
export type SourcePatient = {
  /** The id of the identity's home Patient. */
  readonly id: string;
  /** When its source changed it last (milliseconds since 1970). */
  readonly changed: number;
  /** As it was sent. */
  readonly patient: Patient;
  /** The numbers that are read off it. */
  readonly numbers: readonly NationalNumber[];
  /** Identifier systems of its source: what it numbers patients by. */
  readonly systems: readonly string[];
};

/** Members of the shown identity that say who she is and where she lives. */
const OPEN: readonly string[] = [
  'extension',
  'name',
  'gender',
  'birthDate',
  'deceasedBoolean',
  'deceasedDateTime',
  'address',
  'telecom',
  'multipleBirthBoolean',
  'multipleBirthInteger',
  'maritalStatus',
  'communication',
];
/** Members of the shown identity that tell of its source, or of others. */
const OF_SOURCE: readonly string[] = ['contained', 'photo', 'contact', 'generalPractitioner', 'managingOrganization'];

/** Whether a member of a Patient, or what stands beside a primitive one, is for who sees an item of that identity. */
export function isOfSource(member: string): boolean {
  return OF_SOURCE.includes(member.replace(/^_/, ''));
}

/** Builds the Patient `id` of a person. She is active as long as one source says so. */
export function compositePatient(id: string, members: readonly SourcePatient[]): Patient {
  const ranked = [...members].sort(byReliability);
  const [shown] = ranked;
  const { extension = [], ...told } = shown === undefined ? {} : traitsOf(shown);
  return toElements<Patient>({
    resourceType: 'Patient',
    id,
    extension: [...(shown === undefined ? [] : [markOf(shown, isConcealed(shown))]), ...extension],
    identifier: [...openNumbers(ranked), ...[...members].sort(byId).flatMap(restrictedIdentifiers)],
    active: members.some(({ patient }) => patient.active !== false),
    ...told,
  });
}

/** An order that tells nothing of how reliable others are. */
function byId(one: SourcePatient, other: SourcePatient): number {
  return one.id < other.id ? -1 : 1;
}

/** Qualified first, then those whose document was seen, then others; of equals the one that changed later. */
export function byReliability(one: SourcePatient, other: SourcePatient): number {
  return rankOf(one) - rankOf(other) || other.changed - one.changed || (one.id < other.id ? -1 : 1);
}

function rankOf({ patient, numbers }: SourcePatient): number {
  const { status, isBarred, isConcealed } = readReliability(patient);
  if (isConcealed) return 4;
  if (isBarred) return 3;
  if (numbers.some(({ isQualified }) => isQualified)) return 0;
  return status === 'validated' || status === 'qualified' ? 1 : 2;
}

function isConcealed({ patient }: SourcePatient): boolean {
  return readReliability(patient).isConcealed;
}

function markOf({ id }: SourcePatient, isForSource: boolean): ReturnType<typeof saidBy> {
  return saidBy({ identity: id, isForSource });
}

/** The members of the shown identity, without what repeats a number that is for its source alone. */
function traitsOf(shown: SourcePatient): Partial<Patient> {
  const secrets = secretsOf(shown);
  const tells = (part: unknown): boolean => secrets.some((secret) => JSON.stringify(part).includes(secret));
  const members = Object.entries(shown.patient).filter(
    ([name]) => OPEN.includes(name.replace(/^_/, '')) || isOfSource(name),
  );
  const kept = members.map(([name, value]: [string, unknown]) => [
    name,
    Array.isArray(value) ? value.filter((part) => !tells(part)) : value,
  ]);
  const { extension = [], ...told } = Object.fromEntries(kept) as Partial<Patient>;
  return { ...told, extension: extension.filter(isTheirs) };
}

/** What is shorter may stand anywhere by chance. */
const SHORT = 10;

/** As an address of secure mail that is made of the number. */
function secretsOf(member: SourcePatient): string[] {
  return (member.patient.identifier ?? [])
    .filter((one) => isNationalSystem(one.system ?? '') && openNumber(one, member) === undefined)
    .flatMap(({ value = '' }) => [value, value.replaceAll(' ', '')])
    .filter((value) => value.length > SHORT);
}

/** The number that an identifier is when whoever sees the Patient sees it. */
function openNumber(identifier: Identifier, member: SourcePatient): NationalNumber | undefined {
  const qualified = isConcealed(member) ? [] : member.numbers.filter(({ isQualified }) => isQualified);
  const found = numberOf(
    identifier,
    qualified.map(({ system }) => system),
  );
  return found === undefined ? undefined : qualified.find((one) => numberKey(one) === numberKey(found));
}

/**
 * The qualified numbers, each once, without what tells who said them. One that is called old is so where another of its
 * system is current: else the word of one source would leave the person without a number.
 */
function openNumbers(ranked: readonly SourcePatient[]): Identifier[] {
  const said = ranked.flatMap((member) =>
    (member.patient.identifier ?? []).flatMap((one) => openNumber(one, member) ?? []),
  );
  const old = new Set(said.filter(({ isOld }) => isOld).map(numberKey));
  const current = said.filter((one) => !old.has(numberKey(one)));
  const isOld = (one: NationalNumber): boolean =>
    old.has(numberKey(one)) && current.some(({ system }) => system === one.system);
  const distinct = [...new Map(said.map((one) => [numberKey(one), one])).values()];
  return [...distinct.filter((one) => !isOld(one)), ...distinct.filter(isOld)].map((one) => ({
    ...(nationalIdentifier(one) ?? { use: 'official', system: one.system, value: one.value }),
    ...(isOld(one) && { use: 'old' }),
  }));
}

function restrictedIdentifiers(member: SourcePatient): Identifier[] {
  return (member.patient.identifier ?? [])
    .filter((one) => openNumber(one, member) === undefined)
    .map((one) => {
      const isLocal = member.systems.includes(one.system ?? '') && !isNationalSystem(one.system ?? '');
      const { extension = [], ...parts } = withoutMark(one);
      return { extension: [markOf(member, !isLocal || isConcealed(member)), ...extension], ...parts };
    });
}
