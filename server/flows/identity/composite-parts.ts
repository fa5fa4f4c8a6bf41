/** What a plan writes of the one Patient of a person: its changes are counted by who could see them. */
import type { Patient } from '@medplum/fhirtypes';
import { compositePatient, type SourcePatient } from '../../../profiles/identity/composite.ts';
import { isOpenChange, withSeenChanges, type StandingComposite } from '../../../profiles/identity/seen-changes.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { ItemReading } from '../../access/grant.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { changed } from '../write/changed-put.ts';
import type { PlanParts, PutFacts } from '../write/plan-parts.ts';

/** A Patient as it is to be: the row that stands, else the last version of the one that stood before she was joined. */
export type Composite = {
  readonly id: string;
  readonly row: InternalRow | undefined;
  readonly former?: InternalRow | undefined;
  readonly sources: readonly SourcePatient[];
};

/** The put of a Patient, unless it stands just so. Lists have it where what everybody sees of it changed last. */
export function compositeParts(
  { indexer }: { readonly indexer: Indexer },
  { id, row, former, sources }: Composite,
  now: number,
  facts: PutFacts,
): PlanParts {
  const members = sources.map((one) => one.id);
  const standing = row === undefined ? standingOf(former, { isBack: true }) : standingOf(row);
  const composite = withSeenChanges(compositePatient(id, sources), members, standing);
  const sort = row === undefined || isOpenChange(composite) ? now : row.sort;
  return changed(indexer, row, composite, sort, facts);
}

function standingOf(
  row: InternalRow | undefined,
  more: Pick<StandingComposite, 'isBack'> = {},
): StandingComposite | undefined {
  if (row === undefined) return undefined;
  return { patient: openedResource<Patient>(row), version: row.version, updated: row.updated, ...more };
}

/** The last version of a Patient that was deleted when she was joined. */
export async function formerComposite(
  records: RecordStore,
  reading: ItemReading,
  id: string,
): Promise<InternalRow | undefined> {
  const question = { kind: 'resource', type: 'Patient', id, orDeleted: true } as const;
  const grant = reading({ item: `Patient/${id}` });
  const deletion = await records.peek(grant, question);
  return deletion && (await records.peek(grant, { ...question, version: deletion.version - 1 }));
}
