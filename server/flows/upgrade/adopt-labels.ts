/**
 * Earlier servers read no French mask, no OID of v3-Confidentiality and no code that they did not know: what bears one
 * was open as a normal item is. Such items are put again under the label that they bear, with what follows from it.
 */
import type { DiagnosticReport, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { covers, labelOf } from '../../../profiles/confidentiality.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../../profiles/types/visibility.ts';
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findById, type Found } from '../internal-reads.ts';
import { relabelledReportParts } from '../study/relabelled-parts.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import type { UpgradeStep } from './upgrade-step.ts';

type Deps = {
  readonly records: RecordStore;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  readonly clock: Clock;
};

/** What senders label: what is derived bears what these say, or what the server itself wrote. */
const LABELLED: readonly StoredType[] = STORED_TYPES.filter((type) => {
  const { label, writers } = fhirType(type);
  return label === 'own' && writers !== 'derived';
});

/** A pass over each type. */
export function adoptLabels(deps: Deps): readonly UpgradeStep[] {
  return LABELLED.map((type) => ({
    name: `labels of ${type}`,
    reason: 'adopt-labels',
    type,
    where: [],
    work: async (row) => await adoptLabel(deps, row),
  }));
}

async function adoptLabel(deps: Deps, row: InternalRow): Promise<number> {
  if (!isReadOtherwise(openedResource(row))) return 0;
  await commitFresh(deps.records, async () => {
    const found = await findById(deps.records, systemReading('adopt-labels', deps.clock.now()), row.type, row.id);
    const plan = found === undefined ? joinParts() : joinParts(...(await partsOf(deps, found)));
    const { person } = found?.row ?? {};
    const persons = person === undefined ? [] : [person];
    return { warrant: systemWarrant('adopt-labels', ...persons), plan, result: undefined };
  });
  return 0;
}

/** Whether a label hides more than earlier servers knew. */
function isReadOtherwise({ meta }: Resource): boolean {
  const known = (meta?.security ?? []).filter(
    ({ system, code }) => system === CODE_SYSTEM.confidentiality && (code === 'R' || code === 'V'),
  );
  return !covers(labelOf({ security: known }), labelOf(meta));
}

/** The row itself is put as it stands: it is its access that is written anew. */
async function partsOf(deps: Deps, { row, resource }: Found<Resource>): Promise<readonly PlanParts[]> {
  const now = deps.clock.now();
  const { type, id, version, released } = row;
  const again = putOf(deps.indexer, resource, now, { ...aboutRow(row), released });
  const precondition = { kind: 'version', type, id, version } as const;
  if (resource.resourceType !== 'DiagnosticReport') return [{ preconditions: [precondition], puts: [again] }];
  const reading = systemReading('adopt-labels', now);
  const report: Found<DiagnosticReport> = { row, resource };
  const parts = await relabelledReportParts(deps, reading, report, 'source', now);
  const isPut = (parts?.puts ?? []).some((put) => put.type === type && put.id === id);
  return [
    ...(isPut ? [] : [{ preconditions: [precondition], puts: [again] }]),
    ...(parts === undefined ? [] : [parts]),
  ];
}
