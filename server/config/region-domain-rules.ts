/** What a JSON Schema cannot say of the identifier domains of a region: who may assert what, and who reads for whom. */
import { isReservedSystem } from '../../profiles/reserved-systems.ts';
import type { IdentifierDomain, Region } from './region-model.ts';

/** Lists every rule that the identifier domains and the affinity domain break, as `place reason`. */
export function checkDomains(region: Region): string[] {
  return [
    ...checkSystems(region),
    ...region.identifierDomains.flatMap((domain, index) => checkDomain(region, domain, `/identifierDomains/${index}`)),
    ...checkAffinity(region),
  ];
}

function checkSystems({ identifierDomains, qualifiedIdentifiers, affinityDomain }: Region): string[] {
  const declared = [
    ...identifierDomains.flatMap(({ patientIdSystem, accessionSystem }, index) => [
      { place: `/identifierDomains/${index}/patientIdSystem`, system: patientIdSystem },
      { place: `/identifierDomains/${index}/accessionSystem`, system: accessionSystem },
    ]),
    ...qualifiedIdentifiers.map((system, index) => ({ place: `/qualifiedIdentifiers/${index}`, system })),
    { place: '/affinityDomain/ownSystem', system: affinityDomain.ownSystem },
  ];
  const reserved = declared.filter(({ system }) => isReservedSystem(system));
  return reserved.map(({ place }) => `${place} is a reserved system, under which nobody issues identifiers`);
}

function checkDomain(region: Region, domain: IdentifierDomain, place: string): string[] {
  const { organization, patientIdSystem, accessionSystem, qualifies, readsFor = [], imagesQualified } = domain;
  const errors = [
    ...notQualified(region, qualifies, `${place}/qualifies`),
    ...readsFor.flatMap((read, index) => checkRead(region, organization, read, `${place}/readsFor/${index}`)),
  ];
  if (region.qualifiedIdentifiers.includes(patientIdSystem))
    errors.push(`${place}/patientIdSystem is qualified: no establishment numbers its own patients under it`);
  if (patientIdSystem === accessionSystem) errors.push(`${place}/accessionSystem is that of its patients`);
  if (imagesQualified === true && qualifies.length === 0)
    errors.push(`${place}/imagesQualified needs a system in qualifies`);
  return errors;
}

function checkRead({ identifierDomains }: Region, reader: string, read: string, place: string): string[] {
  if (read === reader) return [`${place} is the establishment itself, which reads its own exams`];
  const isKnown = identifierDomains.some(({ organization }) => organization === read);
  return isKnown ? [] : [`${place} has no entry in identifierDomains`];
}

function checkAffinity({ affinityDomain, identifierDomains, qualifiedIdentifiers }: Region): string[] {
  const { patientIdSystems, ownSystem } = affinityDomain;
  const errors = notQualified({ qualifiedIdentifiers }, patientIdSystems, '/affinityDomain/patientIdSystems');
  const taken = [...qualifiedIdentifiers, ...identifierDomains.map(({ patientIdSystem }) => patientIdSystem)];
  if (taken.includes(ownSystem)) errors.push('/affinityDomain/ownSystem is used by others: it needs an OID of its own');
  return errors;
}

function notQualified(
  { qualifiedIdentifiers }: Pick<Region, 'qualifiedIdentifiers'>,
  systems: readonly string[],
  place: string,
): string[] {
  return systems.flatMap((system, index) =>
    qualifiedIdentifiers.includes(system) ? [] : [`${place}/${index} is not among qualifiedIdentifiers`],
  );
}
