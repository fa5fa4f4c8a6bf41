/** Reads by an entry of a batch or transaction: read, vread, history and search, as the same GET answers. */
import { Fault } from '../../../../profiles/fault.ts';
import { fhirType, storedType, type StoredType } from '../../../../profiles/types/visibility.ts';
import type { Visit } from '../../../flows/guard.ts';
import type { FhirDeps } from '../deps.ts';
import type { ReadEntry } from './entries.ts';
import { historyText } from '../history.ts';
import { hasVersion, versionNumber } from '../read.ts';
import { searchText } from '../search.ts';
import { requireServed } from '../served.ts';

/** What an entry is answered. `json` is left out where the client has it already, or asked for headers alone. */
export type ReadAnswer = {
  readonly status: 200 | 304;
  readonly json?: string;
  readonly version?: number;
  readonly updated?: number;
};

/**
 * Answers an entry that reads.
 * @throws {Fault} as the interaction
 */
export async function answerRead(
  deps: FhirDeps,
  visit: Visit,
  { method, url, ifNoneMatch }: ReadEntry,
  handling: 'strict' | 'lenient',
): Promise<ReadAnswer> {
  const [path = '', ...query] = url.split('?');
  const [name = '', id, below, version, ...rest] = path.split('/');
  const type = storedType(name);
  if (rest.length > 0 || id?.startsWith('$') === true || (below !== undefined && below !== '_history'))
    throw new Fault('not-supported', 'This is not served in a Bundle', { expression: 'Bundle.entry.request.url' });
  const parameters = new URLSearchParams(query.join('?'));
  if (id === undefined || id === '_history' || (below === '_history' && version === undefined)) {
    const one = id === '_history' ? undefined : id;
    const json = await listText(deps, visit, { type, id: one, parameters, handling }, below ?? id);
    return method === 'HEAD' ? { status: 200 } : { status: 200, json };
  }
  return await answerOne(deps, visit, { type, id, version, method, ifNoneMatch });
}

type Listed = {
  readonly type: StoredType;
  readonly id: string | undefined;
  readonly parameters: URLSearchParams;
  readonly handling: 'strict' | 'lenient';
};

async function listText(deps: FhirDeps, visit: Visit, asked: Listed, list: string | undefined): Promise<string> {
  if (list === '_history') {
    requireServed(asked.type, asked.id === undefined ? 'history-type' : 'history-instance');
    return await historyText(deps, visit, asked);
  }
  requireServed(asked.type, 'search-type');
  return await searchText(deps, visit, asked);
}

type One = {
  readonly type: StoredType;
  readonly id: string;
  readonly version: string | undefined;
  readonly method: ReadEntry['method'];
  readonly ifNoneMatch: string;
};

async function answerOne(
  deps: FhirDeps,
  visit: Visit,
  { type, id, version, method, ifNoneMatch }: One,
): Promise<ReadAnswer> {
  requireServed(type, version === undefined ? 'read' : 'vread');
  if (fhirType(type).hooks?.read === 'bytes')
    throw new Fault('not-supported', `A ${type} is read by a request of its own`);
  const former = version === undefined ? {} : { version: versionNumber(version) };
  const row = await deps.read(visit, { type, id, ...former });
  const place = { version: row.version, updated: row.updated };
  if (hasVersion(ifNoneMatch, row.version)) return { status: 304, ...place };
  return method === 'HEAD' ? { status: 200, ...place } : { status: 200, json: row.json, ...place };
}
