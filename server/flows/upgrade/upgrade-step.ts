/** One pass over what earlier servers wrote. */
import type { Criterion } from '../../../profiles/search/query.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { InternalRow } from '../../ports/record-store.ts';

/** A pass over the rows of a type, latest first. What it writes may move a row before those that it has passed. */
export type UpgradeStep = {
  /** As log and readiness name it. */
  readonly name: string;
  readonly reason: 'adopt-identities' | 'adopt-reports' | 'adopt-labels' | 'settle-ground';
  readonly type: StoredType;
  readonly where: readonly Criterion[];
  /** Does what is to be done of one row, once or again; answers how many Tasks for desks it made. */
  readonly work: (row: InternalRow) => Promise<number>;
};
