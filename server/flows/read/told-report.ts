/**
 * What of a row its life lets a requester read, beyond whether it sees the row at all: of a report that was an error
 * its establishment alone reads more than that it was, and whom a report waited for reads no version from before it was
 * validated.
 */
import type { Binary, DiagnosticReport } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { isPreliminary } from '../../../profiles/documents/report-status.ts';
import { isInError, toldOf } from '../../../profiles/types/row-rules.ts';
import { fhirType, type StoredType } from '../../../profiles/types/visibility.ts';
import { NORMAL } from '../../../profiles/confidentiality.ts';
import { lifeCycleAllows } from '../../access/decide.ts';
import type { RowVersion, VisibleRow } from '../../ports/record-store.ts';
import type { Visit } from '../guard.ts';
import { toldRelative } from './told-relative.ts';

/** Whether rows of a type say less to some than to others once they are an error. */
export function isToldInPart(type: StoredType): boolean {
  return fhirType(type).toldInError !== undefined;
}

/** A present row as the requester reads it. */
export function toldRow<R extends VisibleRow>(visit: Visit, row: R): R {
  if (!isToldInPart(row.type)) return toldRelative(visit, row);
  if (readsErrors(visit, row) || !row.json.includes('entered-in-error')) return row;
  return { ...row, json: JSON.stringify(toldOf(row.type, JSON.parse(row.json) as DiagnosticReport)) };
}

/**
 * A version as the requester reads it; undefined when it does not. `present` is the row as it stands: an error counts
 * for all that was said before.
 */
export function toldVersion<R extends RowVersion>(
  visit: Visit,
  row: R,
  present: RowVersion | undefined,
): R | undefined {
  if (!isToldInPart(row.type)) return toldRelative(visit, row);
  if (row.json === '' || readsErrors(visit, row)) return row;
  const resource = JSON.parse(row.json) as DiagnosticReport;
  if (isPreliminary(resource) && !readsPreliminary(row)) return undefined;
  const isError =
    present !== undefined && present.json !== '' && isInError(row.type, JSON.parse(present.json) as object);
  if (!isError) return toldRow(visit, row);
  return { ...row, json: JSON.stringify(toldOf(row.type, { ...resource, status: 'entered-in-error' })) };
}

/** Whether the bytes of a Binary are told: those of an error, and of a report not yet validated, have few readers. */
export function isTold(visit: Visit, row: VisibleRow): boolean {
  const { meta } = JSON.parse(row.json) as Binary;
  const state = meta?.tag?.find(({ system }) => system === CODE_SYSTEM.reportState)?.code;
  if (state === undefined || readsErrors(visit, row)) return true;
  return state === 'preliminary' && readsPreliminary(row);
}

/** The establishment that sent it keeps all of it. */
function readsErrors({ requester }: Visit, { shownBy }: VisibleRow): boolean {
  return requester.kind === 'establishment' && shownBy?.relation === 'author';
}

function readsPreliminary({ shownBy }: VisibleRow): boolean {
  const row = { type: 'DiagnosticReport', item: 'DiagnosticReport/', released: false, ...NORMAL } as const;
  return shownBy !== undefined && lifeCycleAllows(shownBy.relation, row);
}
