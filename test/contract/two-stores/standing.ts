/** Everything that stands in a store, as its ports tell it to the server itself. */
import { STORED_TYPES } from '../../../profiles/types/visibility.ts';
import { systemGrant } from '../../../server/access/grant.ts';
import { MAX_PAGE } from '../../../server/ports/bounds.ts';
import { aPatientGrant, aQuery } from '../../support/plans.ts';
import { search } from '../../support/reads.ts';
import { PERSONS, SLOTS, TYPES } from '../equivalence/world.ts';
import { CLAIM_KEYS, SOP_UIDS } from './plans.ts';
import type { Run } from './run.ts';

const GRANT = systemGrant('erase-study', 'whole', 3);
const NOW = 15;

/** Reads it all, in a form that can be compared. */
export async function standing(run: Run): Promise<unknown> {
  const { records, jobs, trail } = run.stores;
  const each = async <T, A>(all: readonly T[], read: (one: T) => Promise<A>): Promise<A[]> => {
    const answers: A[] = [];
    for (const one of all) answers.push(await read(one));
    return answers;
  };
  return await run.told(async () => ({
    rows: await each(STORED_TYPES, async (type) => {
      const query = aQuery(type, { count: MAX_PAGE, total: 'accurate' });
      return await records.peek(GRANT, { kind: 'search', query });
    }),
    versions: await each(TYPES, async (type) => await records.peek(GRANT, { kind: 'history', type, limit: MAX_PAGE })),
    accounts: await each(
      SLOTS.filter(({ type }) => type === 'Patient' || type === 'Practitioner'),
      async ({ type, id }) => await records.accountOf(GRANT, `${type}/${id}`),
    ),
    rights: await each(PERSONS, async (person) => await records.rightsOf(GRANT, person)),
    states: await each(PERSONS, async (person) => await records.stateOf(GRANT, person)),
    claims: await each(CLAIM_KEYS, async (key) => await records.claimed(GRANT, key)),
    instances: await each(SOP_UIDS, async (uid) => await records.instanceOf(GRANT, uid)),
    quarantined: await all(records.quarantined(GRANT)),
    blobs: [...new Set(await all(records.blobNames(GRANT)))].sort(),
    jobs: await jobs.list({ limit: MAX_PAGE }, NOW),
    counts: await jobs.counts(NOW),
    due: await jobs.due(NOW),
    head: (await trail.head()).sequence,
    whole: (await trail.verify()).whole,
    accessLists: await each(
      PERSONS,
      async (person) => await search(records, aPatientGrant(person), aQuery('AuditEvent', { count: MAX_PAGE })),
    ),
  }));
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const value of values) read.push(value);
  return read;
}
