/** The switches of a person that keep others from writing. */
import { Fault } from '../../profiles/fault.ts';
import { fhirType } from '../../profiles/types/visibility.ts';
import type { Basis, Switch } from './basis.ts';
import type { PatientState } from './decide.ts';
import type { RowAct } from './may-attempt.ts';
import type { PersonKey } from './requester.ts';

/** What keeps others from writing exams, and what keeps anybody from writing anything new. */
export const EXAM_SWITCHES: readonly Switch[] = ['opposed', 'erasurePending'];
export const ERASURE_SWITCHES: readonly Switch[] = ['erasurePending'];
/** What says that a record is not shared. */
export const SHARING_SWITCHES: readonly Switch[] = ['opposed', 'withdrawn'];
/** What may hide a row from who wrote it. */
export const HIDING_SWITCHES: readonly Switch[] = ['opposed', 'withdrawn', 'erasurePending'];

const REFUSED_BY: Readonly<Partial<Record<Switch, string>>> = {
  opposed: 'The patient is opposed to the sharing of exams',
  withdrawn: 'The patient does not share the record',
  erasurePending: 'The record of the patient is being erased',
};

/** What keeps others from an act. What somebody declared can be ended, and what one wrote deleted, at any time. */
export function switchesOf({ type, interaction }: RowAct): readonly Switch[] {
  const { class: visibility } = fhirType(type);
  if (interaction === 'delete' || (visibility === 'own' && interaction !== 'create')) return [];
  return visibility === 'item' ? EXAM_SWITCHES : ERASURE_SWITCHES;
}

/**
 * Refuses what a state of hers keeps away.
 * @throws {Fault} business-rule - she is opposed: 422 of FHIR, 0124H (not authorized) of C-STORE and STOW-RS
 * @throws {Fault} forbidden - another of these switches is on
 * @see DICOM PS3.7 C.5.24
 */
export function refuseOpen(state: PatientState, switches: readonly Switch[]): void {
  for (const name of switches) {
    if (!state[name]) continue;
    const message = REFUSED_BY[name] ?? name;
    if (name === 'opposed') throw new Fault('business-rule', message, { protocolCode: NOT_AUTHORIZED });
    throw new Fault('forbidden', message);
  }
}

const NOT_AUTHORIZED = '0124';

/** Whether a refusal is that of an opposition. */
export function isOpposition(error: unknown): error is Fault {
  return error instanceof Fault && error.kind === 'business-rule' && error.protocolCode === NOT_AUTHORIZED;
}

/** That these switches of a person are off. */
export function stateBases(person: PersonKey, off: readonly Switch[]): readonly Basis[] {
  return off.length === 0 ? [] : [{ kind: 'state', person, off }];
}
