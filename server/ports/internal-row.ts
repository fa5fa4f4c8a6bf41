/** What the server reads for itself is opened here: to decide, and to build a plan on it. No answer is made of it. */
import type { Resource } from '@medplum/fhirtypes';
import type { InternalRow, VisibleRow } from './record-store.ts';

/** The resource of a row that the server read for itself. */
export function openedResource<T extends Resource>({ json }: Pick<InternalRow, 'json'>): T {
  return JSON.parse(json as unknown as string) as T;
}

/** A row that the requester sees, where a plan is built on it. The way back is a read under the requester's grant. */
export function internally(row: VisibleRow): InternalRow {
  return row as unknown as InternalRow;
}
