/**
 * Identities and persons. Each source identity (system and value of its issuer) is one Patient; a person key joins the
 * Patients of one person, automatically only by an identifier that the region declares as qualified.
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { NarrowReading, ItemReading } from '../../access/grant.ts';
import type { SubjectFacts } from '../../access/may-write.ts';
import { personKey, type PersonKey, type Requester } from '../../access/requester.ts';
import { claimKey, type ClaimKey } from '../../ports/claim-key.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import type { PlanParts } from '../write/plan-parts.ts';
import { newId } from '../new-id.ts';

/** A Patient (`Patient/id`) and the person it is. */
export type KnownPatient = {
  readonly patient: string;
  readonly person: PersonKey;
  readonly resource: Patient;
  readonly version: number;
};

/** Finds the Patient of a source identity. */
export async function findIdentity(
  records: RecordStore,
  reading: ItemReading,
  system: string,
  value: string,
): Promise<KnownPatient | undefined> {
  const patient = await claimOf(records, reading, claimKey.identity(system, value));
  return patient === undefined ? undefined : await knownPatient(records, reading, patient);
}

/** Finds a Patient by its reference. */
export async function knownPatient(
  records: RecordStore,
  reading: ItemReading,
  patient: string,
): Promise<KnownPatient | undefined> {
  const id = patient.replace(/^Patient\//, '');
  const row = await rowById(records, reading, 'Patient', id);
  if (row?.person === undefined) return undefined;
  return {
    patient: `Patient/${row.id}`,
    person: row.person,
    resource: openedResource<Patient>(row),
    version: row.version,
  };
}

/** What a decision about a write asks of a Patient: her state, and where an establishment asks, who feeds her. */
export async function subjectFacts(
  records: RecordStore,
  reading: NarrowReading,
  { kind }: Pick<Requester, 'kind'>,
  { patient, person }: Pick<KnownPatient, 'patient' | 'person'>,
): Promise<SubjectFacts> {
  const grant = reading({ person });
  const state = await records.stateOf(grant, person);
  return {
    patient,
    person,
    state,
    ...(kind === 'establishment' ? { rights: await records.rightsOf(grant, person, patient) } : {}),
  };
}

/** A new person key. */
export function newPerson(): PersonKey {
  return personKey(newId());
}

/** A Patient that is about to be written, the person it is, and the parts of the plan that make it so. */
export type Enrolment = { readonly person: PersonKey; readonly parts: PlanParts };

/**
 * Works out which person a Patient is, from its qualified identifiers and the person it was before. Identifiers that
 * name two persons who are known apart join them, unless one Patient carries two values of one qualified system.
 */
export async function enrol(
  records: RecordStore,
  reading: ItemReading,
  patient: {
    readonly reference: string;
    readonly identity: { readonly system: string; readonly value: string };
    readonly identifiers: readonly Identifier[];
  },
  qualifiedSystems: readonly string[],
  standing: PersonKey | undefined,
): Promise<Enrolment> {
  const qualified = qualifiedOf(patient.identifiers, qualifiedSystems);
  const held = await Promise.all(qualified.map(async (key) => await claimOf(records, reading, key)));
  const known = [...new Set(held.filter((value) => value !== undefined))].map(personKey);
  const person = known[0] ?? standing ?? newPerson();
  const others = new Set([...known, ...(standing === undefined ? [] : [standing])].filter((key) => key !== person));
  return {
    person,
    parts: {
      claims: [
        { key: claimKey.identity(patient.identity.system, patient.identity.value), value: patient.reference },
        ...qualified.filter((_, at) => held[at] === undefined).map((key) => ({ key, value: person })),
      ],
      rekeys: [...others].map((from) => ({ from, to: person })),
    },
  };
}

function qualifiedOf(identifiers: readonly Identifier[], systems: readonly string[]): ClaimKey[] {
  const qualified = identifiers.filter(
    ({ system, value }) => system !== undefined && value !== undefined && systems.includes(system),
  );
  for (const system of systems) {
    if (new Set(qualified.filter((one) => one.system === system).map(({ value }) => value)).size > 1) {
      throw new Fault('invalid', 'A patient has two different qualified identifiers of one system', {
        expression: 'Patient.identifier',
      });
    }
  }
  return qualified.map(({ system = '', value = '' }) => claimKey.qualified(system, value));
}
