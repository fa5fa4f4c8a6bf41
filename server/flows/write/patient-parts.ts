/** A Patient as its establishment feeds it: by its identifier there (PIXm ITI-104), or by the id of that identity. */
import type { Identifier, Patient, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { Requester } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { enrol } from '../identity/persons.ts';
import type { WriteAct } from './act.ts';
import { changed } from './changed-put.ts';
import { filedBy, joinParts, putOf } from './plan-parts.ts';
import type { ActParts, Placed, Work, Written } from './work.ts';

type Identity = { readonly system: string; readonly value: string };

/** The steps of a type whose rows are persons. They are not deleted. */
export const PATIENT_HOOK = { match: matchIdentity, find: refuseStanding, parts: patientParts, remove: refuseRemoval };

/** The establishment that writes. @throws {Fault} forbidden - somebody else does */
export function organizationOf(requester: Requester): string {
  if (requester.kind !== 'establishment') throw new Fault('forbidden', 'Only an establishment writes this');
  return requester.organization;
}

/**
 * Finds the Patient of the establishment's own identifier, the one condition that is served.
 * @throws {Fault} required - the Patient has no such identifier
 * @throws {Fault} not-supported - another condition
 */
async function matchIdentity(work: Work, act: WriteAct, condition: URLSearchParams): Promise<InternalRow | undefined> {
  const system = systemOf(work);
  const pairs = [...condition];
  const [name, text = ''] = pairs[0] ?? [];
  const value = text.startsWith(`${system}|`) ? text.slice(system.length + 1) : '';
  const sent = 'resource' in act ? identityOf(act.resource, system).value : value;
  if (pairs.length !== 1 || name !== 'identifier' || value === '' || value !== sent)
    throw new Fault(
      'not-supported',
      'The condition of a Patient is the establishment’s own identifier of that Patient',
      {
        expression: 'Bundle.entry.request',
      },
    );
  return await rowOf(work, { system, value });
}

/** @throws {Fault} conflict - POST of a Patient that stands */
async function refuseStanding(work: Work, resource: Resource): Promise<undefined> {
  const standing = await rowOf(work, identityOf(resource, systemOf(work)));
  if (standing !== undefined) throw new Fault('conflict', 'A Patient with this identifier stands already');
}

async function refuseRemoval(): Promise<never> {
  throw new Fault('not-supported', 'A Patient is not deleted');
}

function systemOf({ deps, visit }: Work): string {
  return deps.region.domainOf(organizationOf(visit.requester)).patientIdSystem;
}

async function rowOf({ deps, reading }: Work, { system, value }: Identity): Promise<InternalRow | undefined> {
  const patient = await claimOf(deps.records, reading, claimKey.identity(system, value));
  if (patient === undefined) return undefined;
  return await rowById(deps.records, reading, 'Patient', patient.slice('Patient/'.length));
}

function identityOf(resource: Resource, system: string): Identity {
  const { identifier } = resource as Patient;
  const value = identifier?.find((one) => one.system === system)?.value;
  if (value === undefined || value === '')
    throw new Fault('required', 'The Patient has no identifier of the establishment’s own system', {
      expression: 'Patient.identifier',
    });
  return { system, value };
}

/**
 * Works out the parts of a Patient.
 * @throws {Fault} conflict - another Patient has the identifier, or the Patient would become another person
 */
async function patientParts(work: Work, { placed, resource }: Written): Promise<ActParts> {
  const identity = identityOf(resource, systemOf(work));
  const subject = `Patient/${placed.id}`;
  if (placed.act.id !== undefined) await requireIdentity(work, placed, identity);
  const patient = cleaned(resource as Patient, placed.id);
  return placed.standing === undefined
    ? await newPatient(work, { patient, identity, subject })
    : await updatedPatient(work, { patient, identity, subject }, placed.standing);
}

/** An id is not looked up by the identity, so the two are compared. */
async function requireIdentity(
  { deps, reading }: Work,
  { id, standing }: Placed,
  { system, value }: Identity,
): Promise<void> {
  const held = await claimOf(deps.records, reading, claimKey.identity(system, value));
  if (held === (standing === undefined ? undefined : `Patient/${id}`)) return;
  throw new Fault('conflict', 'Another Patient has this identifier, or the Patient had another one', {
    expression: 'Patient.identifier',
  });
}

type Sent = { readonly patient: Patient; readonly identity: Identity; readonly subject: string };

async function newPatient(
  { deps, reading, visit, now }: Work,
  { patient, identity, subject }: Sent,
): Promise<ActParts> {
  const { identifier: identifiers = [] } = patient;
  const enrolled = { reference: subject, identity, identifiers };
  const { person, parts } = await enrol(deps.records, reading, enrolled, deps.region.qualifiedSystems, undefined);
  // An identity is no exam: it opens the record to no imaging service.
  const origin = filedBy(organizationOf(visit.requester));
  const put = putOf(deps.indexer, patient, now, { person, subject, origin });
  return { subject, person, parts: joinParts(parts, { puts: [put] }) };
}

async function updatedPatient(
  work: Work,
  { patient, identity, subject }: Sent,
  standing: InternalRow,
): Promise<ActParts> {
  const { deps, reading, now } = work;
  const { identifier: identifiers = [] } = patient;
  const enrolled = { reference: subject, identity, identifiers };
  const { person, parts } = await enrol(deps.records, reading, enrolled, deps.region.qualifiedSystems, standing.person);
  // Beside the identity's own claim there is a new one, or two persons would become one.
  if ((parts.claims ?? []).length > 1 || (parts.rekeys ?? []).length > 0)
    await refuseCorrection(work, standing, identifiers);
  return {
    subject,
    person,
    parts: joinParts(parts, changed(deps.indexer, standing, patient, now, { person, subject })),
  };
}

/**
 * A qualified identifier that takes the place of another is a correction: two persons are then meant. Under one
 * person key each would see the other's record, and no later correction could part them.
 */
async function refuseCorrection(
  { deps: { records, region }, reading }: Work,
  { id, version }: InternalRow,
  sent: readonly Identifier[],
): Promise<void> {
  const values = new Map(sent.map(({ system = '', value = '' }) => [system, value]));
  const grant = reading({ item: `Patient/${id}` });
  for (let former = version; former > 0; former -= 1) {
    const row = await records.peek(grant, { kind: 'resource', type: 'Patient', id, version: former });
    const { identifier = [] } = row === undefined ? {} : openedResource<Patient>(row);
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

/** Labels are not the sender's to set on a Patient. */
function cleaned(resource: Patient, id: string): Patient {
  const { meta, ...rest } = resource;
  return { ...rest, id, ...(meta?.profile === undefined ? {} : { meta: { profile: meta.profile } }) };
}
