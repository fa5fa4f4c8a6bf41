/**
 * A Consent by which an establishment or the patient declares who may see the record, and its end: whoever wrote it, or
 * the patient, sets it inactive, or deletes it, which is the same. Nothing else of a Consent can be changed: another
 * declaration is another Consent.
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
import { referenceOf } from '../guard.ts';
import { changed, sameContent } from './changed-put.ts';
import { aboutRow } from './plain-parts.ts';
import { filedBy, putOf } from './plan-parts.ts';
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
    return endedParts(work, standing, { ...resource, status });
  },
  remove: async (work: Work, { standing }: Placed & { standing: InternalRow }): Promise<ActParts> => {
    const resource = openedResource<Consent>(standing);
    requireDeclaration(resource);
    const status = ENDED.includes(resource.status) ? resource.status : 'inactive';
    return endedParts(work, standing, { ...resource, status });
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
  const { to } = readDeclaration(named, zone);
  return {
    person,
    subject,
    parts: {
      puts: [
        putOf(deps.indexer, { ...named, id: placed.id }, now, {
          person,
          subject,
          origin: { ...filedBy(referenceOf(visit.requester)), zone },
        }),
      ],
      jobs: to < TIME_BOUND ? [endingAt(placed.id, to, zone)] : [],
    },
  };
}

/** The Consent as it ends: it gives nobody the record any more. */
function endedParts({ deps, now }: Work, standing: InternalRow, ended: Consent): ActParts {
  const about = aboutRow(standing);
  return { ...about, parts: changed(deps.indexer, standing, ended, now, about) };
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
