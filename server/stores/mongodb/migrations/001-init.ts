/** Schema 1: every collection and index. Only ordinary kinds; an index holds at most one array. */
import type { Db, IndexDescription } from 'mongodb';
import { ACL_ITEM, ACL_ORDER } from '../write/acl-rows.ts';

const ARRAYS: readonly IndexDescription[] = [
  { key: { type: 1, tok: 1, sort: -1, id: 1 } },
  { key: { type: 1, ref: 1, sort: -1, id: 1 } },
  { key: { type: 1, 'dates.p': 1, 'dates.lo': 1, 'dates.hi': 1 } },
];

const EXPIRY: IndexDescription = { key: { expires: 1 }, expireAfterSeconds: 0 };

// A plan is sent again within minutes; its receipt is kept for a quarter of a year.
const KEEP_COMMITS_SECONDS = 90 * 86_400;

const INDEXES: Readonly<Record<string, readonly IndexDescription[]>> = {
  meta: [],
  leases: [],
  commits: [{ key: { at: 1 }, expireAfterSeconds: KEEP_COMMITS_SECONDS }],
  persons: [],
  rights: [{ key: { person: 1, item: 1 } }, { key: { principal: 1 } }],
  rows: [
    { key: { type: 1, sort: -1, id: 1 } },
    ...ARRAYS,
    { key: { type: 1, 'str.p': 1, 'str.v': 1 } },
    { key: { type: 1, tri: 1 } },
    { key: { person: 1 } },
    { key: { 'blob.name': 1 }, partialFilterExpression: { 'blob.name': { $exists: true } } },
  ],
  history: [
    { key: { person: 1 } },
    { key: { 'blob.name': 1 }, partialFilterExpression: { 'blob.name': { $exists: true } } },
  ],
  acl: [{ key: ACL_ORDER }, { key: ACL_ITEM }, { key: { rightId: 1 } }],
  instances: [
    { key: { studyInstanceUID: 1, seriesNumber: 1, seriesInstanceUID: 1, instanceNumber: 1, _id: 1 } },
    { key: { person: 1 } },
  ],
  claims: [{ key: { value: 1 } }],
  agenda: [{ key: { at: 1, _id: 1 } }],
  audit_events: [
    { key: { persons: 1, sort: -1, id: 1 } },
    { key: { type: 1, sort: -1, id: 1 } },
    ...ARRAYS,
    { key: { pending: 1, sort: 1, id: 1 }, partialFilterExpression: { pending: true } },
  ],
  audit_chain: [{ key: { event: 1 }, unique: true }],
  audit_personal: [],
  tokens: [
    { key: { model: 1, grantId: 1 } },
    { key: { model: 1, uid: 1 } },
    { key: { model: 1, userCode: 1 } },
    EXPIRY,
  ],
  used_names: [EXPIRY],
};

/** Creates what is missing; what stands already is left as it is, so that it may be run again. */
export async function createCollections(db: Db): Promise<void> {
  const standing = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
  for (const [name, indexes] of Object.entries(INDEXES)) {
    if (!standing.has(name)) await db.createCollection(name);
    if (indexes.length > 0) await db.collection(name).createIndexes([...indexes]);
  }
}
