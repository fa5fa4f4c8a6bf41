/** Whom a professional means in an emergency: by a number in its domain, or by strict traits. */
import type { Patient } from '@medplum/fhirtypes';
import { matchCriteria } from '../../../ihe/iti-119/criteria.ts';
import { readTraits, traitsAgree, type Traits } from '../../../profiles/identity/traits.ts';
import { Fault } from '../../../profiles/fault.ts';
import { systemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { identitiesNamed, identitiesOf, type StandingIdentity } from '../identity/identities.ts';
import { toKnownPatient, type KnownPatient } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import type { Sought } from './emergency-parts.ts';

type SoughtDeps = { readonly records: RecordStore; readonly region: RegionIndex };

/** Patients that are compared: of more nobody is strictly the one. */
const MOST_COMPARED = 200;

/**
 * The persons who are meant, one identity of each. Of several none opens: it might be the wrong one.
 * @throws {Fault} required - traits without a family name, a given name, a birth date or a sex
 */
export async function personsSought(deps: SoughtDeps, sought: Sought, now: number): Promise<readonly KnownPatient[]> {
  const found =
    'identifier' in sought
      ? await identitiesNamed(deps, sought.identifier, now)
      : await identitiesLike(deps, sought.traits, now);
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
  sought: Patient,
  now: number,
): Promise<readonly StandingIdentity[]> {
  const traits = strictTraits(sought);
  const agreeing: StandingIdentity[] = [];
  for (const person of await personsLike(records, sought, now)) {
    const like = (await identitiesOf(records, person, now)).filter(({ content }) => {
      const said = readTraits(content.said);
      return said.gender === traits.gender && traitsAgree(said, traits, { ignoresSex: false });
    });
    agreeing.push(...like.slice(0, 1));
  }
  return agreeing;
}

/** Persons of the birth date who share a part of a name. */
async function personsLike(
  records: RecordStore,
  { name = [], birthDate = '' }: Patient,
  now: number,
): Promise<readonly PersonKey[]> {
  const grant = systemGrant('break-glass', 'whole', now);
  const persons: PersonKey[] = [];
  for (const where of matchCriteria({ resourceType: 'Patient', name, birthDate })) {
    const query = { type: 'Patient', where, count: MOST_COMPARED, total: 'none', include: [] } as const;
    const { rows, next } = await records.peek(grant, { kind: 'search', query });
    if (next !== undefined) return [];
    persons.push(...rows.flatMap(({ person }) => person ?? []));
  }
  return [...new Set(persons)];
}
