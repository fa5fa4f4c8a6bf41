/**
 * A Consent by which an establishment or the patient declares who may see the record, and its end: whoever wrote it, or
 * the patient, sets it inactive, or deletes it, which is the same. Nothing else of a Consent can be changed: another
 * declaration is another Consent.
 */
import type { Consent } from '@medplum/fhirtypes';
import { readDeclaration, type Declaration } from '../../../profiles/consent/declaration.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { PersonKey } from '../../access/requester.ts';
import { principal, type Right } from '../../access/right.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import { findById } from '../study/study-content.ts';
import { changed, sameContent } from './changed-put.ts';
import { aboutRow, readersOf } from './plain-parts.ts';
import { joinParts, lastingRight, putOf } from './plan-parts.ts';
import type { ActParts, Placed, Work, Written } from './work.ts';

/** The steps of a type whose rows give rights. */
export const CONSENT_HOOK = {
  parts: async (work: Work, written: Written): Promise<ActParts> => {
    const { standing } = written.placed;
    const sent = written.resource as Consent;
    if (standing === undefined) return await declaredParts(work, written, sent);
    const resource = JSON.parse(standing.json) as Consent;
    return await endedParts(work, standing, { ...resource, status: endedStatus(sent, resource) });
  },
  remove: async (work: Work, { standing }: Placed & { standing: VisibleRow }): Promise<ActParts> => {
    const resource = JSON.parse(standing.json) as Consent;
    requireDeclaration(resource);
    const status = ENDED.includes(resource.status) ? resource.status : 'inactive';
    return await endedParts(work, standing, { ...resource, status });
  },
};

const ENDED: readonly Consent['status'][] = ['inactive', 'entered-in-error'];

/**
 * Works out the parts of a declaration: the Consent, seen by its writer and the patient, and a right for each
 * professional it names.
 * @throws {Fault} not-supported - a Consent of another shape
 * @throws {Fault} invalid - a professional who is not in the directory
 */
async function declaredParts(work: Work, { placed, known }: Written, sent: Consent): Promise<ActParts> {
  if (known === undefined) throw new Error('A Consent without a patient is not written here');
  const { person, patient: subject } = known;
  const { deps, visit, now } = work;
  const declaration = readDeclaration(sent);
  for (const practitioner of declaration.practitioners) await requireProfessional(work, practitioner);
  const reference = `Consent/${placed.id}`;
  const readers = readersOf(visit.requester, person);
  return {
    person,
    subject,
    parts: {
      puts: [putOf(deps.indexer, { ...sent, id: placed.id }, now, { person, subject })],
      rights: [
        ...declaredRights(declaration, person, reference),
        ...readers.map((holder) => lastingRight(person, holder, 'named', { item: reference })),
      ],
    },
  };
}

function declaredRights({ practitioners, from, to }: Declaration, person: PersonKey, source: string): Right[] {
  return practitioners.map((practitioner) => ({
    id: `declared|${practitioner}|${source}`,
    person,
    principal: principal.practitioner(practitioner),
    relation: 'declared',
    scope: 'record',
    from,
    to,
    source,
  }));
}

async function requireProfessional({ deps, grant }: Work, practitioner: string): Promise<void> {
  const id = practitioner.replace(/^Practitioner\//, '');
  if ((await findById(deps.records, grant, 'Practitioner', id)) === undefined)
    throw new Fault('invalid', 'The Consent names a professional who is not in the directory', {
      expression: 'Consent.provision.actor',
    });
}

/** The Consent as it ends, with the rights that it still gives. */
async function endedParts({ deps, grant, now }: Work, standing: VisibleRow, ended: Consent): Promise<ActParts> {
  const about = aboutRow(standing);
  const rights = standing.person === undefined ? [] : await deps.records.rightsOf(grant, standing.person);
  const given = rights.filter(({ relation, source }) => relation === 'declared' && source === `Consent/${standing.id}`);
  const put = changed(deps.indexer, standing, ended, now, about);
  return { ...about, parts: joinParts(put, { revoked: given.map(({ id }) => id) }) };
}

/** @throws {Fault} not-supported - the Consent is no declaration, or more than its status would change */
function endedStatus(sent: Consent, standing: Consent): Consent['status'] {
  requireDeclaration(standing);
  if (!ENDED.includes(sent.status))
    throw new Fault('not-supported', 'A declaration can be ended only: inactive or entered-in-error', {
      expression: 'Consent.status',
    });
  if (!sameContent(standing, { ...sent, status: standing.status }))
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
