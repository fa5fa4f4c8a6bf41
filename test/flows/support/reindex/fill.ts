/**
 * Writes ServiceRequests of a Patient as an establishment would: `node fill.ts PLACE PATIENT ROWS`. PLACE is a data
 * folder or the URI of a MongoDB database. It indexes as the checkout does that it is in.
 */
import { randomUUID } from 'node:crypto';
import type { Patient } from '@medplum/fhirtypes';
import { systemGrant } from '../../../../server/access/grant.ts';
import { filedBy, joinParts, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openMongoStores } from '../../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { serviceRequest } from './service-request.ts';

const AT_ONCE = 500;

const [place = '', patient = '', rows = '0'] = process.argv.slice(2);
const { records, close } = await (place.startsWith('mongodb')
  ? openMongoStores({ uri: place })
  : openSqliteStores({ dataDir: place }));
const { indexer } = await loadDefinitions();
const now = Date.now();
const question = { kind: 'resource', type: 'Patient', id: patient } as const;
const row = await records.peek(systemGrant('resolve-identity', { item: `Patient/${patient}` }, now), question);
if (row?.person === undefined) throw new Error('There is no such Patient');
const { person } = row;
const author = openedResource<Patient>(row);
const establishment = author.managingOrganization?.reference ?? '';
const facts = { person, subject: `Patient/${patient}`, origin: filedBy(establishment) };
for (let from = 0; from < Number(rows); from += AT_ONCE) {
  const numbers = Array.from({ length: Math.min(AT_ONCE, Number(rows) - from) }, (_, at) => from + at);
  const puts = numbers.map((number) =>
    putOf(indexer, { ...serviceRequest(patient, number), id: randomUUID() }, now, facts),
  );
  await commitPlan(records, joinParts({ puts }));
}
await close();
