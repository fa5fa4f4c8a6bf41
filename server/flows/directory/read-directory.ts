/** Reads all of the directory that a store holds. */
import type { Resource } from '@medplum/fhirtypes';
import { fhirType, STORED_TYPES } from '../../../profiles/types/visibility.ts';
import { systemGrant } from '../../access/grant.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { RecordStore, SearchPage } from '../../ports/record-store.ts';

/** Types that the region file alone writes. */
const TYPES = STORED_TYPES.filter((type) => fhirType(type).writers === 'region');

const PAGE = 1_000;

/** The resources of all types of the directory, ended ones too; `now` is epoch milliseconds. */
export async function readDirectory(records: RecordStore, now: number): Promise<readonly Resource[]> {
  const grant = systemGrant('load-region', 'whole', now);
  const found: Resource[] = [];
  for (const type of TYPES) {
    let after: SearchPage['next'];
    do {
      const query = { type, where: [], count: PAGE, total: 'none', include: [] } as const;
      const question = { kind: 'search', query, ...(after === undefined ? {} : { after }) } as const;
      const page = await records.peek(grant, question);
      found.push(...page.rows.map((row) => openedResource(row)));
      after = page.next;
    } while (after !== undefined);
  }
  return found;
}
