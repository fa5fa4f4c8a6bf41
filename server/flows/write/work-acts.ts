/** Works out what acts add to a plan: their places, their links, who may, and the parts that the hook of each makes. */
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { patched } from '../../../profiles/json-patch.ts';
import { subjectOf } from '../../../profiles/types/row-rules.ts';
import { fhirType } from '../../../profiles/types/visibility.ts';
import type { KnownPatient } from '../identity/persons.ts';
import type { WriteAct } from './act.ts';
import { hookOf, isIdentity } from './hooks.ts';
import { linksOf, type Links } from './links.ts';
import { place } from './place.ts';
import { aboutRow } from './plain-parts.ts';
import { requireVersion } from './preconditions.ts';
import { patientFor, standingFor } from './source.ts';
import { mayWrite, type WriteFacts } from './who-may-write.ts';
import type { ActParts, Placed, Work } from './work.ts';

/** An act and what it adds to the plan. */
export type WorkedAct = ActParts & Placed;

/**
 * Works out acts on the state that stands; deletes that find nothing are left out. They come in the order in which
 * they are processed: deletes, creates, updates and patches; and those of persons before those that refer to them.
 */
export async function workActs(work: Work, acts: readonly WriteAct[]): Promise<readonly WorkedAct[]> {
  const places: Placed[] = [];
  for (const act of acts.toSorted((one, other) => orderOf(one) - orderOf(other))) {
    const placed = await place(work, act);
    if (placed !== undefined) places.push(placed);
    else requireVersion(act, undefined);
  }
  refuseTwice(places);
  const links = await linksOf(work, places);
  const patients = new Map<string, KnownPatient>();
  const worked: WorkedAct[] = [];
  for (const placed of places) worked.push({ ...placed, ...(await workAct(work, placed, links, patients)) });
  refuseTwoOfOneName(worked);
  return worked;
}

const ORDER: readonly WriteAct['interaction'][] = ['delete', 'create', 'update', 'patch'];

function orderOf({ type, interaction }: WriteAct): number {
  const order = ORDER.indexOf(interaction);
  return isIdentity(type) ? order - ORDER.length : order;
}

/** @see https://hl7.org/fhir/R4/http.html#trules: a resource may be the object of one act only */
function refuseTwice(places: readonly Placed[]): void {
  const names = places.map(({ act, id }) => `${act.type}/${id}`);
  const conditions = places.flatMap(({ act, standing }) =>
    act.condition === undefined || standing !== undefined ? [] : [`${act.type}?${act.condition}`],
  );
  const urls = places.flatMap(({ act }) => act.fullUrl ?? []);
  for (const list of [names, conditions, urls]) if (new Set(list).size < list.length) throw twice();
}

/** Two new resources under one identity or identifier are one, too. */
function refuseTwoOfOneName(worked: readonly WorkedAct[]): void {
  const values = new Map<string, string>();
  for (const { key, value } of worked.flatMap(({ parts }) => parts.claims ?? [])) {
    if ((values.get(key) ?? value) !== value) throw twice();
    values.set(key, value);
  }
}

function twice(): Fault {
  return new Fault('invalid', 'Two entries of the transaction are of one resource', { expression: 'Bundle.entry' });
}

async function workAct(
  work: Work,
  placed: Placed,
  links: Links,
  patients: Map<string, KnownPatient>,
): Promise<ActParts> {
  const { act, standing } = placed;
  const hook = hookOf(act.type);
  if (placed.isMet === true && standing !== undefined) return { ...aboutRow(standing), parts: {} };
  const standingFacts = await standingOf(work, placed);
  // Before versions are compared and a patch tests: neither may tell of a row that is hidden.
  mayWrite(work.visit.requester, act, { standing: standingFacts, subject: 'none', opposed: false });
  if (act.interaction !== 'create') requireVersion(act, standing?.version);
  if (act.interaction === 'delete')
    return standing === undefined ? { parts: {} } : await hook.remove(work, { ...placed, standing });
  const resource = links(contentOf(work, placed));
  const { known, subject } = await subjectFor(work, resource, patients);
  const opposed = await isOpposed(work, act, known);
  mayWrite(work.visit.requester, act, { standing: standingFacts, subject, opposed });
  refuseMove(placed, known);
  const parts = withPlace(placed, await hook.parts(work, { placed, resource, known }));
  if (isIdentity(act.type)) patients.set(`${act.type}/${placed.id}`, toKnown(placed, parts, resource));
  return parts;
}

/** Where the client chose the id, somebody else may be about to make it stand. */
function withPlace({ act, id, standing }: Placed, made: ActParts): ActParts {
  if (act.interaction !== 'update' || standing !== undefined) return made;
  const absent = { kind: 'absent', type: act.type, id } as const;
  return { ...made, parts: { ...made.parts, preconditions: [...(made.parts.preconditions ?? []), absent] } };
}

async function standingOf(work: Work, { standing, isOwn, act }: Placed): Promise<WriteFacts['standing']> {
  if (standing === undefined) return 'none';
  return isOwn === true ? 'own' : await standingFor(work, standing, act.interaction === 'patch');
}

/** What is to stand: what was sent, or what the patch makes of what stands. */
function contentOf({ deps }: Work, { act, id, standing }: Placed): Resource {
  if (act.interaction === 'delete') throw new Error('A delete has no content');
  if (act.interaction !== 'patch') return act.resource;
  const result = deps.validate(patched(JSON.parse(standing?.json ?? '{}') as object, act.patch));
  if (result.resourceType !== act.type || result.id !== id)
    throw new Fault('invalid', 'A patch changes neither the type nor the id of a resource');
  return result;
}

/** Whose record a resource is of: a Patient of the transaction, or one that stands; a Patient is of nobody else's. */
async function subjectFor(
  work: Work,
  resource: Resource,
  patients: ReadonlyMap<string, KnownPatient>,
): Promise<{ readonly known: KnownPatient | undefined; readonly subject: WriteFacts['subject'] }> {
  const { resourceType } = resource;
  if (isIdentity(resourceType as WriteAct['type'])) return { known: undefined, subject: 'none' };
  const reference = subjectOf(resourceType as WriteAct['type'], resource)?.replace(/\/_history\/[^/]*$/, '');
  if (reference === undefined) return { known: undefined, subject: 'other' };
  const placed = patients.get(reference);
  return placed === undefined ? await patientFor(work, reference) : { known: placed, subject: 'fed' };
}

async function isOpposed({ deps, grant }: Work, { type }: WriteAct, known: KnownPatient | undefined): Promise<boolean> {
  if (known === undefined || fhirType(type).class !== 'item') return false;
  return (await deps.records.stateOf(grant, known.person)).opposed;
}

/** @throws {Fault} conflict - the resource is of one person and would become another's */
function refuseMove({ standing }: Placed, known: KnownPatient | undefined): void {
  if (standing === undefined || known === undefined || standing.person === known.person) return;
  throw new Fault('conflict', 'A resource does not move to another patient');
}

function toKnown({ id, standing }: Placed, { person }: ActParts, resource: Resource): KnownPatient {
  if (person === undefined) throw new Error('A Patient is a person');
  const patient = { ...(resource as KnownPatient['resource']), id };
  return { patient: `Patient/${id}`, person, resource: patient, version: standing?.version ?? 1 };
}
