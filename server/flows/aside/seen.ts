/** Whether a requester sees a row that a story read for itself: so that a refusal tells of nothing that is hidden. */
import type { Resource } from '@medplum/fhirtypes';
import type { Label } from '../../../profiles/confidentiality.ts';
import type { BreakGlassSetting } from '../../../profiles/consent/emergency.ts';
import { datesOfRow, examsOfRow, labelOfRow } from '../../../profiles/types/row-rules.ts';
import { decide, labelAllows, lifeCycleAllows, type RowFacts } from '../../access/decide.ts';
import { emergenciesBeyond } from '../../access/rules/table.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { grantOf, type GuardDeps, type Visit } from '../guard.ts';
import type { Reading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';

/** Decides it as a read would. */
export async function isRowSeen(
  deps: GuardDeps,
  visit: Visit,
  reading: Reading<{ readonly person: PersonKey }>,
  row: InternalRow,
): Promise<boolean> {
  const { type, id, person } = row;
  if (person === undefined) return false;
  const item = `${type}/${id}`;
  const grant = reading({ person });
  const rights = await deps.records.rightsOf(grant, person, item);
  const state = await deps.records.stateOf(grant, person);
  return decide(grantOf(deps, visit), factsOfRow(row), rights, state).permitted;
}

/** Whether who represents the patient may not hear of a row, whose label says so. */
export function isMaskedFromRepresentatives(row: InternalRow): boolean {
  return hidesFromRepresentatives(factsOfRow(row));
}

/** Whether a label hides from who represents the patient what bears it. */
export function hidesFromRepresentatives(label: Label): boolean {
  return !labelAllows('representative', label);
}

/** Whether an emergency that does this beyond what every one does shows a row of a record that is open to it. */
export function isShownInEmergencies(row: InternalRow, beyond: BreakGlassSetting | undefined): boolean {
  const facts = factsOfRow(row);
  const relations = emergenciesBeyond(beyond);
  return relations.some((relation) => labelAllows(relation, facts) && lifeCycleAllows(relation, facts));
}

/** What the decision asks of a row. */
export function factsOfRow(row: InternalRow): RowFacts {
  const { type, id, released } = row;
  const resource = openedResource<Resource>(row);
  return {
    type,
    item: `${type}/${id}`,
    exams: examsOfRow(type, resource),
    dates: datesOfRow(type, resource),
    released,
    ...labelOfRow(type, resource),
  };
}
