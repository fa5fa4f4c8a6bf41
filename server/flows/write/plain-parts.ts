/** A resource that is kept as it comes: seen by who wrote it, the patient, and whoever may see her record. */
import { fhirType } from '../../../profiles/types/visibility.ts';
import type { PersonKey, Requester } from '../../access/requester.ts';
import { principal, type Principal, type Right } from '../../access/right.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import { changed } from './changed-put.ts';
import { joinParts, lastingRight } from './plan-parts.ts';
import type { ActParts, Placed, Work, Written } from './work.ts';

/** The steps of a type without a hook. */
export const PLAIN_HOOK = { parts: plainParts, remove: removedParts };

async function plainParts({ deps, visit, now }: Work, { placed, resource, known }: Written): Promise<ActParts> {
  const { act, id, standing } = placed;
  if (known === undefined) throw new Error('A resource without a patient is not written here');
  const { person, patient: subject } = known;
  const put = changed(deps.indexer, standing, { ...resource, id }, now, { person, subject });
  const rights = standing === undefined ? writerRights(visit.requester, person, act.type, id) : [];
  return { person, subject, parts: joinParts(put, { rights }) };
}

/** The rights of who wrote a row; rows of the own class are shown to whom they name: writer and patient. */
function writerRights(
  requester: Requester,
  person: PersonKey,
  type: Written['placed']['act']['type'],
  id: string,
): Right[] {
  const item = `${type}/${id}`;
  if (fhirType(type).class === 'own')
    return readersOf(requester, person).map((holder) => lastingRight(person, holder, 'named', { item }));
  const writer =
    requester.kind === 'establishment' ? principal.establishment(requester.organization) : principal.patient(person);
  return [lastingRight(person, writer, 'author', { item })];
}

/** The patient, and the establishment when one wrote. */
export function readersOf(requester: Requester, person: PersonKey): Principal[] {
  const patient = principal.patient(person);
  return requester.kind === 'establishment' ? [patient, principal.establishment(requester.organization)] : [patient];
}

/** A delete hides the row and keeps its versions. */
async function removedParts(_work: Work, { act, id, standing }: Placed & { standing: VisibleRow }): Promise<ActParts> {
  const { type } = act;
  return {
    ...aboutRow(standing),
    parts: {
      preconditions: [{ kind: 'version', type, id, version: standing.version }],
      deletes: [{ type, id }],
    },
  };
}

/** Whose a row is, as parts and events tell it. */
export function aboutRow({ person, subject }: VisibleRow): Omit<ActParts, 'parts'> {
  return { ...(person === undefined ? {} : { person }), ...(subject === undefined ? {} : { subject }) };
}
