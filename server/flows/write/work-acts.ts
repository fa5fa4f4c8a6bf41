/** Works out what acts add to a plan: their places, their links, who may, and the parts that the hook of each makes. */
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { patched } from '../../../profiles/json-patch.ts';
import { relinked } from '../../../profiles/references.ts';
import { isSubset } from '../../../profiles/search/subset.ts';
import { withSearchedSubject } from '../../../profiles/types/logical-subject.ts';
import { subjectOf } from '../../../profiles/types/row-rules.ts';
import { mayTouch, mayWrite } from '../../access/may-write.ts';
import { speaksForPatient } from '../../access/requester.ts';
import { openedResource } from '../../ports/internal-row.ts';
import { requireFewAsked } from '../consent/declaration-bounds.ts';
import type { KnownPatient } from '../identity/persons.ts';
import type { WriteAct } from './act.ts';
import { hookOf, isIdentity, keptTypeOf } from './hooks.ts';
import { linksOf, type Links } from './links.ts';
import { place } from './place.ts';
import { aboutRow } from './plain-parts.ts';
import { requireVersion } from './preconditions.ts';
import { retriedPlaces } from './retried.ts';
import { patientFed, patientFor, standingFacts, type AskedPatient } from './source.ts';
import { eachRowOnce, refuseTwice } from './transaction/each-row-once.ts';
import type { ActParts, Placed, Work, WorkedAct } from './work.ts';

/**
 * Works out acts on the state that stands; deletes that find nothing are left out. They come in the order in which
 * they are processed: deletes, creates, updates and patches; and those of persons before those that refer to them.
 */
export async function workActs(work: Work, acts: readonly WriteAct[]): Promise<readonly WorkedAct[]> {
  const found: Placed[] = [];
  for (const act of acts.toSorted((one, other) => orderOf(one) - orderOf(other))) {
    const placed = await place(work, act);
    if (placed !== undefined) found.push(placed);
    else requireVersion(act, undefined);
  }
  const places = await retriedPlaces(work, found);
  refuseTwice(places);
  requireFewAsked(places);
  const links = await linksOf(work, places);
  const patients = new Map<string, AskedPatient>();
  const worked: WorkedAct[] = [];
  for (const placed of places) worked.push({ ...placed, ...(await workAct(work, placed, links, patients)) });
  return eachRowOnce(worked);
}

const ORDER: readonly WriteAct['interaction'][] = ['delete', 'create', 'update', 'patch'];

function orderOf({ type, interaction }: WriteAct): number {
  const order = ORDER.indexOf(interaction);
  return isIdentity(type) ? order - ORDER.length : order;
}

async function workAct(
  work: Work,
  placed: Placed,
  links: Links,
  patients: Map<string, AskedPatient>,
): Promise<ActParts> {
  const { act, standing: row } = placed;
  const { requester } = work.visit;
  const hook = hookOf(act.type);
  if (placed.isMet === true && row !== undefined) return { ...aboutRow(row), parts: {} };
  const standing = row === undefined ? undefined : await standingFacts(work, row, placed.isOwn);
  const asked = { now: work.now, standing };
  mayTouch(requester, act, asked);
  if (act.interaction !== 'create') requireVersion(act, row?.version);
  if (act.interaction === 'delete') {
    const removed = row === undefined ? { parts: {} } : await hook.remove(work, { ...placed, standing: row });
    return { ...removed, warrant: mayWrite(requester, act, asked) };
  }
  const resource = links(withSearchedSubject(act.type, contentOf(work, placed)));
  if (isIdentity(act.type)) {
    const made = withPlace(placed, await hook.parts(work, { placed, resource, known: undefined }));
    const fed = await patientFed(work, placed, made);
    patients.set(`${act.type}/${placed.id}`, fed);
    return { ...made, warrant: mayWrite(requester, act, { ...asked, subject: fed.facts }) };
  }
  const known = await subjectFor(work, resource, patients);
  const further = await hook.asked?.(work, { placed, resource, known });
  const warrant = mayWrite(requester, act, { ...asked, ...further, subject: known?.facts });
  refuseMove(placed, known);
  const filed = known === undefined ? resource : filedUnder(resource, identityFor(work, row, known));
  return { ...withPlace(placed, await hook.parts(work, { placed, resource: filed, known })), warrant };
}

/** Where nothing stands under the id that the client chose, or by its condition, somebody else may be about to. */
function withPlace({ act, id, standing, deletion, sought }: Placed, made: ActParts): ActParts {
  const isChosen = act.interaction === 'update' && standing === undefined;
  // Whom the id is of, what was deleted says: it is what was read.
  const left = { deletion: deletion?.version ?? 0 };
  const absent = isChosen ? [{ kind: 'absent', type: keptTypeOf(act.type), id, ...left } as const] : [];
  const preconditions = [...absent, ...(sought === undefined ? [] : [sought])];
  if (preconditions.length === 0) return made;
  return { ...made, parts: { ...made.parts, preconditions: [...(made.parts.preconditions ?? []), ...preconditions] } };
}

/** What is to stand: what was sent, or what the patch makes of what stands. */
function contentOf({ deps }: Work, { act, id, standing }: Placed): Resource {
  if (act.interaction === 'delete') throw new Error('A delete has no content');
  if (act.interaction !== 'patch') return requireWhole(act.resource);
  const { opened = openedResource } = hookOf(act.type);
  const result = deps.validate(patched(standing === undefined ? {} : opened(standing), act.patch));
  if (result.resourceType !== act.type || result.id !== id)
    throw new Fault('invalid', 'A patch changes neither the type nor the id of a resource');
  return result;
}

/** @throws {Fault} invalid - it is a part, as a search answers it: what it lacks would be lost */
function requireWhole(resource: Resource): Resource {
  if (!isSubset(resource)) return resource;
  throw new Fault('invalid', 'A resource with the tag SUBSETTED is a part: read the whole, and send that', {
    expression: `${resource.resourceType}.meta.tag`,
  });
}

/** Whose record a resource is of: a Patient of the transaction, or one that stands. */
async function subjectFor(
  work: Work,
  resource: Resource,
  patients: ReadonlyMap<string, AskedPatient>,
): Promise<AskedPatient | undefined> {
  const reference = subjectOf(resource.resourceType as WriteAct['type'], resource)?.replace(/\/_history\/[^/]*$/, '');
  return reference === undefined ? undefined : (patients.get(reference) ?? (await patientFor(work, reference)));
}

/** A patient who changes what stands of hers leaves it filed as it is: she is shown it under her present name. */
function identityFor({ visit }: Work, row: Placed['standing'], { patient }: KnownPatient): string {
  return (speaksForPatient(visit.requester) ? row?.subject : undefined) ?? patient;
}

/** What a resource says of its patient is kept of the identity that its sender files under. */
function filedUnder(resource: Resource, patient: string): Resource {
  const sent = subjectOf(resource.resourceType as WriteAct['type'], resource);
  if (sent === undefined || sent === patient) return resource;
  return relinked(resource, (text, kind) => (kind !== 'uri' && text === sent ? patient : undefined));
}

/** @throws {Fault} conflict - the resource, or what was deleted under its id, is another person’s than it would be */
function refuseMove({ standing, deletion }: Placed, known: KnownPatient | undefined): void {
  const row = standing ?? deletion;
  if (row === undefined || known === undefined || row.person === known.person) return;
  throw new Fault('conflict', 'A resource does not move to another patient');
}
