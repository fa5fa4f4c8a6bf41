/**
 * Patients as stories know them: by the identity that a source files under, and the person that it is at present.
 * Which person that is, is settled by what sources say (place-identity.ts).
 */
import type { Patient } from '@medplum/fhirtypes';
import type { IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import type { NarrowReading, ItemReading } from '../../access/grant.ts';
import type { SubjectFacts } from '../../access/may-write.ts';
import { identityOf, personKey, speaksForPatient, type PersonKey, type Requester } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { identitiesOf, identityAt, type StandingIdentity } from './identities.ts';

/** An identity (`Patient/id` of the Patient that it is by itself) and the person it is at present. */
export type KnownPatient = {
  readonly patient: string;
  readonly person: PersonKey;
  /** `Patient/id` of that person. */
  readonly present: string;
  /** The person that the identity is by itself: what is said of her state is kept of it. */
  readonly home: PersonKey;
  /** The identifier that names the identity in its domain. */
  readonly own: IdentityContent['own'];
  /** The Patient as its source said it. */
  readonly resource: Patient;
  /** How often its source said something else. */
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
  const identity = await identityAt(records, reading, patient);
  return identity === undefined ? undefined : toKnownPatient(identity);
}

/**
 * Finds the Patient under which a requester files what it says of one: of a person, an establishment's is the oldest
 * identity that it is a source of, and that of a patient, or of who represents her, the one that was signed in as,
 * whichever they name: two may be one by a mistake.
 */
export async function filingPatient(
  records: RecordStore,
  reading: ItemReading,
  requester: Requester,
  patient: string,
  now: number,
): Promise<KnownPatient | undefined> {
  const named = await identityAt(records, reading, patient);
  if (named === undefined) return undefined;
  if (speaksForPatient(requester)) {
    const own = await identityAt(records, reading, requester.patient);
    return toKnownPatient(own?.person === named.person ? own : named);
  }
  if (requester.kind !== 'establishment') return toKnownPatient(named);
  const isOwn = ({ content }: StandingIdentity): boolean => content.sources.includes(requester.organization);
  if (isOwn(named)) return toKnownPatient(named);
  const all = await identitiesOf(records, named.person, now);
  return toKnownPatient(all.find(isOwn) ?? named);
}

/** The Patient of an identity that stands. */
export function toKnownPatient({ content, person, present, version }: Omit<StandingIdentity, 'row'>): KnownPatient {
  const { id, home, own, said } = content;
  return { patient: `Patient/${id}`, person, present, home: personKey(home), own, resource: said, version };
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
    ...(kind === 'establishment' ? { rights: await records.rightsOf(grant, person, identityOf(patient)) } : {}),
  };
}

/** A new person key. */
export function newPerson(): PersonKey {
  return personKey(newId());
}

/** A new identity, first told at a moment (epoch milliseconds), under an id that is chosen or made. */
export function newIdentity(
  parts: Pick<IdentityContent, 'own' | 'source' | 'fromImage' | 'replacedBy'> & {
    readonly said: Patient;
    readonly id?: string;
  },
  now: number,
): IdentityContent {
  const { said, source, id = newId() } = parts;
  const made = { home: newPerson(), since: now, changed: now, sources: [source] };
  const untold = { verdicts: [], formerPersons: [], reviews: [] };
  return { ...parts, ...made, ...untold, id, said: { ...said, id } };
}
