/** Identities as they stand: what each source knows of somebody, by its Patient, a person, a number. */
import type { Identifier, Person } from '@medplum/fhirtypes';
import { identityContentOf, type IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import type { SourcePatient } from '../../../profiles/identity/composite.ts';
import { readIdentity, type Identity } from '../../../profiles/identity/identity.ts';
import { isNationalSystem } from '../../../profiles/national-identifiers.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { systemGrant, type ItemReading, type SystemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey, type ClaimKey } from '../../ports/claim-key.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import type { RegionIndex } from './region-index.ts';

/** An identity that stands. */
export type StandingIdentity = {
  readonly content: IdentityContent;
  /** Who it is at present. */
  readonly person: PersonKey;
  /** `Patient/id` of that person. */
  readonly present: string;
  readonly version: number;
  readonly row: InternalRow;
};

/** Identities of one person or number that are read at most. */
const MANY = 1_000;

/** The identity of a row of type Person. */
export function standingIdentity(row: InternalRow): StandingIdentity | undefined {
  if (row.person === undefined) return undefined;
  const { person, patient, version } = row;
  return {
    content: identityContentOf(openedResource<Person>(row)),
    person,
    present: patient ?? `Patient/${row.id}`,
    version,
    row,
  };
}

/** Finds an identity by the reference of the Patient that it is by itself. */
export async function identityAt(
  records: RecordStore,
  reading: ItemReading,
  patient: string,
): Promise<StandingIdentity | undefined> {
  const row = await rowById(records, reading, 'Person', patient.replace(/^Patient\//, ''));
  return row === undefined ? undefined : standingIdentity(row);
}

/** The identities of a person, oldest first. */
export async function identitiesOf(
  records: RecordStore,
  person: PersonKey,
  now: number,
): Promise<readonly StandingIdentity[]> {
  return await found(records, systemGrant('resolve-identity', { person }, now), []);
}

/** The identities that their sources say a number of, oldest first. */
export async function identitiesWith(
  records: RecordStore,
  numbers: readonly { readonly system: string; readonly value: string }[],
  now: number,
): Promise<readonly StandingIdentity[]> {
  if (numbers.length === 0) return [];
  const values = numbers.map(({ system, value }) => ({ system, code: value }));
  const named: Criterion = { kind: 'token', param: 'identifier', values };
  return await found(records, systemGrant('resolve-identity', 'whole', now), [named]);
}

async function found(
  records: RecordStore,
  grant: SystemGrant,
  where: readonly Criterion[],
): Promise<readonly StandingIdentity[]> {
  const query = { type: 'Person', where, count: MANY, total: 'none', include: [] } as const;
  const { rows } = await records.peek(grant, { kind: 'search', query });
  return rows.flatMap((row) => standingIdentity(row) ?? []).toSorted((one, other) => comparedByAge(one, other));
}

function comparedByAge({ content: one }: StandingIdentity, { content: other }: StandingIdentity): number {
  return one.since - other.since || (one.id < other.id ? -1 : 1);
}

/** An identity as far as it says which person it is: what its source may qualify is what the region file says. */
export function readAs(region: RegionIndex, { id, since, said, source, fromImage }: IdentityContent): Identity {
  const { qualifies = [], imagesQualified = false } = domainOf(region, source) ?? {};
  return readIdentity({ id, since }, said, { qualifies, imagesQualified, fromImage });
}

/** The claims of the qualified numbers that an identity bears. */
export function qualifiedKeys(region: RegionIndex, content: IdentityContent): readonly ClaimKey[] {
  const qualified = readAs(region, content).numbers.filter(({ isQualified }) => isQualified);
  return qualified.map(({ system, value }) => claimKey.qualified(system, value));
}

/** An establishment that has left the region qualifies nothing any more. */
function domainOf(region: RegionIndex, source: string): ReturnType<RegionIndex['domainOf']> | undefined {
  return region.establishments.includes(source) ? region.domainOf(source) : undefined;
}

/** An identity as far as it makes the Patient of its person. */
export function sourcePatientOf(region: RegionIndex, content: IdentityContent): SourcePatient {
  const { id, said, changed: at, own, source } = content;
  const { patientIdSystem } = domainOf(region, source) ?? {};
  const systems = [own.system, ...(patientIdSystem === undefined ? [] : [patientIdSystem])];
  return { id, patient: said, numbers: readAs(region, content).numbers, changed: at, systems };
}

/**
 * The identities that an identifier names: the one of its domain, or those whose sources qualify the national number.
 * What others say of a number of a domain that is not theirs names nobody.
 */
export async function identitiesNamed(
  { records, region }: { readonly records: RecordStore; readonly region: RegionIndex },
  { system = '', value = '' }: Pick<Identifier, 'system' | 'value'>,
  now: number,
): Promise<readonly StandingIdentity[]> {
  if (!isNationalSystem(system) && !region.qualifiedSystems.includes(system)) {
    const reading: ItemReading = (subject) => systemGrant('resolve-identity', subject, now);
    const patient = await claimOf(records, reading, claimKey.identity(system, value));
    const identity = patient === undefined ? undefined : await identityAt(records, reading, patient);
    return identity === undefined ? [] : [identity];
  }
  const all = await identitiesWith(records, [{ system, value }], now);
  return all.filter(({ content }) =>
    readAs(region, content).numbers.some((one) => one.isQualified && one.system === system && one.value === value),
  );
}
