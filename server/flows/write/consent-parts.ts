/**
 * A Consent by which an establishment or the patient declares who may see the record, and its end: whoever wrote it, or
 * the patient, sets it inactive, or deletes it, which is the same. Nothing else of a Consent can be changed but by the
 * declaration said again: a create that names the same actors is the next version of the one that stands.
 */
import type { Consent } from '@medplum/fhirtypes';
import { readDeclaration } from '../../../profiles/consent/declaration.ts';
import { TIME_BOUND } from '../../../profiles/search/date-range.ts';
import { Fault } from '../../../profiles/fault.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { attendanceAsked } from '../consent/attendance.ts';
import { endingAt } from '../consent/end-consent.ts';
import { actorsNamed } from '../consent/named-actors.ts';
import { declarationPlace, endedAlong } from '../consent/standing-declarations.ts';
import { referenceOf } from '../guard.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { changed, sameContent } from './changed-put.ts';
import { aboutRow } from './plain-parts.ts';
import { filedBy, oneOf } from './plan-parts.ts';
import type { ActParts, Placed, Work, Written } from './work.ts';

/** The steps of a type whose rows give rights. */
export const CONSENT_HOOK = {
  asked: attendanceAsked,
  parts: async (work: Work, written: Written): Promise<ActParts> => {
    const { standing } = written.placed;
    const sent = written.resource as Consent;
    if (standing === undefined) return await declaredParts(work, written, sent);
    const resource = openedResource<Consent>(standing);
    const status = await endedStatus(work, standing, sent);
    return await endedParts(work, standing, { ...resource, status });
  },
  remove: async (work: Work, { standing }: Placed & { standing: InternalRow }): Promise<ActParts> => {
    const resource = openedResource<Consent>(standing);
    requireDeclaration(resource);
    const status = ENDED.includes(resource.status) ? resource.status : 'inactive';
    return await endedParts(work, standing, { ...resource, status });
  },
};

const ENDED: readonly Consent['status'][] = ['inactive', 'entered-in-error'];

/**
 * Works out the parts of a declaration: the Consent, which its writer and the patient see, and which gives the record
 * to each actor that it names.
 * @throws {Fault} not-supported - a Consent of another shape
 * @throws {Fault} invalid - an actor who is not in the directory
 */
async function declaredParts(work: Work, { placed, known }: Written, sent: Consent): Promise<ActParts> {
  if (known === undefined) throw new Error('A Consent without a patient is not written here');
  const { person, patient: subject } = known;
  const { deps, visit, now } = work;
  const { timeZone: zone } = deps;
  const named = await actorsNamed(work, person, sent);
  const { actors, to } = readDeclaration(named, zone);
  const { standing, take } = await declarationPlace(work, subject, actors);
  const id = standing?.id ?? placed.id;
  const facts = { person, subject, origin: { ...filedBy(referenceOf(visit.requester)), zone } };
  const written = changed(deps.indexer, standing, { ...named, id }, now, facts);
  const parts = [
    written,
    standing === undefined ? take(id) : {},
    written.puts === undefined ? {} : { jobs: [tellingOf(`Consent/${id}`, now)] },
    to < TIME_BOUND && written.puts !== undefined ? { jobs: [endingAt(id, to, zone)] } : {},
  ];
  const made = { person, subject, parts: oneOf(parts) };
  if (standing === undefined) return made;
  const { version, updated } = standing;
  return { ...made, answered: { status: 200, type: 'Consent', id, version, updated } };
}

/** The Consent as it ends: it gives nobody the record any more. The patient ends what others said alike, too. */
async function endedParts(work: Work, standing: InternalRow, ended: Consent): Promise<ActParts> {
  const { deps, now, visit } = work;
  const about = aboutRow(standing);
  const along =
    visit.requester.kind === 'patient' ? await endedAlong(work, standing, openedResource<Consent>(standing)) : [];
  return { ...about, parts: oneOf([changed(deps.indexer, standing, ended, now, about), ...along]) };
}

/** @throws {Fault} not-supported - the Consent is no declaration, or more than its status would change */
async function endedStatus(work: Work, row: InternalRow, sent: Consent): Promise<Consent['status']> {
  const standing = openedResource<Consent>(row);
  requireDeclaration(standing);
  if (!ENDED.includes(sent.status))
    throw new Fault('not-supported', 'A declaration can be ended only: inactive or entered-in-error', {
      expression: 'Consent.status',
    });
  const said = { ...sent, status: standing.status };
  // Whoever sent a number alone may say it so again.
  if (!sameContent(standing, said) && !sameContent(standing, await actorsNamed(work, row.person, said)))
    throw new Fault('not-supported', 'Only the status of a Consent can be changed', { expression: 'Consent' });
  return sent.status;
}

/** A declaration names professionals and has no end of its own making; emergencies and withdrawals do not pass here. */
function requireDeclaration({ provision }: Consent): void {
  const purposes = (provision?.purpose ?? []).map(({ code }) => code);
  const isDeclaration = provision?.type === 'permit' && (provision.actor?.length ?? 0) > 0 && !purposes.includes('BTG');
  if (!isDeclaration)
    throw new Fault('not-supported', 'This Consent is changed by its own operation', { expression: 'Consent' });
}
