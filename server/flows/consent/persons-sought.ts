/** Whom a professional means in an emergency: by a number in its domain, or by strict traits. */
import type { Patient } from '@medplum/fhirtypes';
import { readTraits, traitsAgree, type Traits } from '../../../profiles/identity/traits.ts';
import { Fault } from '../../../profiles/fault.ts';
import { dayCriterion, type Criterion } from '../../../profiles/search/criterion.ts';
import { parseDateRange } from '../../../profiles/search/date-range.ts';
import { systemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { identitiesNamed, identitiesOf, type StandingIdentity } from '../identity/identities.ts';
import { toKnownPatient, type KnownPatient } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import type { Sought } from './emergency-parts.ts';

type SoughtDeps = { readonly records: RecordStore; readonly region: RegionIndex };

/** Patients of one birth date and sex that are compared: of more nobody is strictly the one. */
const MOST_COMPARED = 500;

/**
 * The persons who are meant, one identity of each. Of several none opens: it might be the wrong one.
 * @throws {Fault} required - traits without a family name, a given name, a birth date or a sex
 */
export async function personsSought(deps: SoughtDeps, sought: Sought, now: number): Promise<readonly KnownPatient[]> {
  const found =
    'identifier' in sought
      ? await identitiesNamed(deps, sought.identifier, now)
      : await identitiesLike(deps, strictTraits(sought.traits), now);
  return [...new Map(found.toReversed().map((one) => [one.person, toKnownPatient(one)])).values()];
}

type StrictTraits = Traits & { readonly birthDate: string; readonly gender: string };

function strictTraits(patient: Patient): StrictTraits {
  const traits = readTraits(patient);
  const { birthDate, gender, families, firstGivenNames } = traits;
  const isNamed = families.length > 0 && firstGivenNames.length > 0;
  if (birthDate === undefined || gender === undefined || !isNamed || !/^\d{4}-\d\d-\d\d$/.test(birthDate))
    throw new Fault('required', 'Traits are a family name, a first given name, a birth date and a sex', {
      expression: 'Parameters.parameter',
    });
  return { ...traits, birthDate, gender };
}

/** Identities that say all of these traits; sources that leave one out say somebody else. */
async function identitiesLike(
  { records }: SoughtDeps,
  sought: StrictTraits,
  now: number,
): Promise<readonly StandingIdentity[]> {
  const agreeing: StandingIdentity[] = [];
  for (const person of await personsBorn(records, sought, now)) {
    const like = (await identitiesOf(records, person, now)).filter(({ content }) => {
      const said = readTraits(content.said);
      return said.gender === sought.gender && traitsAgree(said, sought, { ignoresSex: false });
    });
    agreeing.push(...like.slice(0, 1));
  }
  return agreeing;
}

/** Persons of a birth date and a sex. */
async function personsBorn(
  records: RecordStore,
  { birthDate, gender }: StrictTraits,
  now: number,
): Promise<readonly PersonKey[]> {
  const born = parseDateRange(birthDate);
  if (born === undefined) return [];
  const where: readonly Criterion[] = [
    dayCriterion('birthdate', born),
    { kind: 'token', param: 'gender', values: [{ code: gender }] },
  ];
  const query = { type: 'Patient', where, count: MOST_COMPARED, total: 'none', include: [] } as const;
  const { rows, next } = await records.peek(systemGrant('break-glass', 'whole', now), { kind: 'search', query });
  if (next !== undefined) return [];
  return [...new Set(rows.flatMap(({ person }) => (person === undefined ? [] : [person])))];
}
