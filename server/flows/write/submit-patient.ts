/** A Patient as its establishment feeds it (PIXm ITI-104 by conditional update, or a conditional create). */
import { randomUUID } from 'node:crypto';
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { SystemGrant } from '../../access/grant.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { changed } from './changed-put.ts';
import { enrol, findIdentity, type KnownPatient } from '../identity/persons.ts';
import { authorRight, joinParts, putOf } from './plan-parts.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import type { EntryParts, SubmittedEntry } from './submission.ts';

type Deps = { readonly records: RecordStore; readonly indexer: Indexer; readonly region: RegionIndex };
type Identity = { readonly system: string; readonly value: string };

/**
 * Works out the parts of a Patient entry.
 * @throws {Fault} required - the establishment's own identifier is missing
 * @throws {Fault} conflict - POST of a Patient that stands
 * @throws {Fault} not-supported - a condition other than the establishment's own identifier
 */
export async function patientParts(
  deps: Deps,
  grant: SystemGrant,
  organization: string,
  entry: SubmittedEntry & { resource: Patient },
  now: number,
): Promise<EntryParts> {
  const identity = identityOf(entry.resource, deps.region.domainOf(organization).patientIdSystem);
  if (entry.condition !== undefined) checkCondition(entry.condition, identity);
  if (entry.method === 'PUT' && entry.condition === undefined)
    throw new Fault('not-supported', 'A Patient is updated by its identifier: PUT Patient?identifier=system|value');
  const standing = await findIdentity(deps.records, grant, identity.system, identity.value);
  if (standing === undefined)
    return await newPatient(deps, grant, organization, { resource: entry.resource, identity }, now);
  if (entry.method === 'PUT')
    return await updatedPatient(deps, grant, { resource: entry.resource, identity }, standing, now);
  if (entry.condition === undefined) throw new Fault('conflict', 'A Patient with this identifier stands already');
  return { ...placeOf(standing), status: '200 OK', parts: {}, standing: standing.version };
}

function identityOf(patient: Patient, system: string): Identity {
  const value = patient.identifier?.find((identifier) => identifier.system === system)?.value;
  if (value === undefined || value === '')
    throw new Fault('required', 'The Patient has no identifier of the establishment’s own system', {
      expression: 'Patient.identifier',
    });
  return { system, value };
}

function checkCondition(condition: string, { system, value }: Identity): void {
  const pairs = [...new URLSearchParams(condition)];
  const [only] = pairs;
  if (pairs.length === 1 && only?.[0] === 'identifier' && only[1] === `${system}|${value}`) return;
  throw new Fault('not-supported', 'The condition of a Patient is the establishment’s own identifier of that Patient', {
    expression: 'Bundle.entry.request',
  });
}

type Sent = { readonly resource: Patient; readonly identity: Identity };

async function newPatient(
  deps: Deps,
  grant: SystemGrant,
  organization: string,
  { resource, identity }: Sent,
  now: number,
): Promise<EntryParts> {
  const id = randomUUID();
  const subject = `Patient/${id}`;
  const identifiers = resource.identifier ?? [];
  const { person, parts } = await enrol(
    deps.records,
    grant,
    { reference: subject, identity, identifiers },
    deps.region.qualifiedSystems,
    undefined,
  );
  const put = putOf(deps.indexer, cleaned(resource, id), now, { person, subject });
  // An identity is no exam: it opens the record to no imaging service.
  const rights = [authorRight(person, subject, organization)];
  return {
    type: 'Patient',
    id,
    subject,
    person,
    status: '201 Created',
    parts: joinParts(parts, { puts: [put], rights }),
  };
}

async function updatedPatient(
  deps: Deps,
  grant: SystemGrant,
  { resource, identity }: Sent,
  standing: KnownPatient,
  now: number,
): Promise<EntryParts> {
  const place = placeOf(standing);
  const identifiers = resource.identifier ?? [];
  const { person, parts } = await enrol(
    deps.records,
    grant,
    { reference: place.subject, identity, identifiers },
    deps.region.qualifiedSystems,
    standing.person,
  );
  // Beside the identity's own claim there is a new one, or two persons would become one.
  if ((parts.claims ?? []).length > 1 || (parts.rekeys ?? []).length > 0)
    await refuseCorrection(deps, grant, standing, identifiers);
  const row = await deps.records.peek(grant, { kind: 'resource', type: 'Patient', id: place.id });
  const put = changed(deps.indexer, row, cleaned(resource, place.id), now, { person, subject: place.subject });
  const unchanged = put.puts === undefined ? { standing: standing.version } : {};
  return { ...place, person, status: '200 OK', parts: joinParts(parts, put), ...unchanged };
}

/**
 * A qualified identifier that takes the place of another is a correction: two persons are then meant. Under one
 * person key each would see the other's record, and no later correction could part them.
 */
async function refuseCorrection(
  { records, region }: Deps,
  grant: SystemGrant,
  { patient, version }: KnownPatient,
  sent: readonly Identifier[],
): Promise<void> {
  const values = new Map(sent.map(({ system = '', value = '' }) => [system, value]));
  for (let former = version; former > 0; former -= 1) {
    const row = await records.peek(grant, {
      kind: 'resource',
      type: 'Patient',
      id: patient.slice('Patient/'.length),
      version: former,
    });
    const { identifier = [] } = JSON.parse(row?.json ?? '{}') as Partial<Patient>;
    const differs = ({ system = '', value }: Identifier): boolean =>
      region.qualifiedSystems.includes(system) && values.has(system) && values.get(system) !== value;
    if (!identifier.some(differs)) continue;
    throw new Fault(
      'conflict',
      'The Patient had another qualified identifier of this system and cannot become another person',
      { expression: 'Patient.identifier' },
    );
  }
}

function placeOf({ patient, person }: KnownPatient) {
  return { type: 'Patient', id: patient.slice('Patient/'.length), subject: patient, person } as const;
}

/** Labels are not the sender's to set on a Patient. */
function cleaned(resource: Patient, id: string): Patient {
  const { meta, ...rest } = resource;
  return { ...rest, id, ...(meta?.profile === undefined ? {} : { meta: { profile: meta.profile } }) };
}
