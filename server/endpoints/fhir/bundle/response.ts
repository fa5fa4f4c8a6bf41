/** Responses to the entries of a batch or transaction. @see https://hl7.org/fhir/R4/http.html#transaction-response */
import { Fault } from '../../../../profiles/fault.ts';
import type { Visit } from '../../../flows/guard.ts';
import type { WriteResult } from '../../../flows/write/act.ts';
import type { FhirDeps } from '../deps.ts';
import type { ReadAnswer } from './read-entry.ts';
import { outcomeOf, representationOf, statusLine, type Preference } from '../write/answer.ts';

/** Length from which an answer takes no further read, in characters: each read alone may be thousands of rows. */
const FULL_LENGTH = 16 * 1024 * 1024;

/**
 * Refuses a further read when the answer is long already.
 * @throws {Fault} too-costly
 */
export function requireRoom(responses: readonly string[]): void {
  const length = responses.reduce((sum, response) => sum + response.length, 0);
  if (length < FULL_LENGTH) return;
  throw new Fault('too-costly', 'The answer is long already: ask for this in a request of its own');
}

/** Formats the Bundle of responses, one for each entry of the request, in its order. */
export function formatResponses(type: 'batch-response' | 'transaction-response', responses: readonly string[]): string {
  const entry = responses.length === 0 ? '' : `,"entry":[${responses.join(',')}]`;
  return `{"resourceType":"Bundle","type":"${type}"${entry}}`;
}

/** The response to an entry that wrote. */
export async function writtenResponse(
  deps: FhirDeps,
  visit: Visit,
  result: WriteResult,
  preference: Preference,
): Promise<string> {
  const { status, type, id, version } = result;
  const location = id === undefined || status === 204 ? {} : { location: `${type}/${id}/_history/${version}` };
  const response = JSON.stringify({ status: statusLine(status), ...location, ...placeOf(result) });
  const row = preference === 'representation' ? await representationOf(deps, visit, result) : undefined;
  if (row !== undefined) {
    const fullUrl = JSON.stringify(`${deps.fhirBase()}/${type}/${row.id}`);
    return `{"fullUrl":${fullUrl},"resource":${row.json},"response":${response}}`;
  }
  if (preference !== 'OperationOutcome') return `{"response":${response}}`;
  return `{"response":${response.slice(0, -1)},"outcome":${outcomeOf(result)}}}`;
}

/** The response to an entry that read. */
export function readResponse(answer: ReadAnswer): string {
  const resource = answer.json === undefined ? '' : `"resource":${answer.json},`;
  return `{${resource}"response":${JSON.stringify({ status: statusLine(answer.status), ...placeOf(answer) })}}`;
}

function placeOf({ version, updated }: Pick<ReadAnswer, 'version' | 'updated'>) {
  return {
    ...(version === undefined ? {} : { etag: `W/"${version}"` }),
    ...(updated === undefined ? {} : { lastModified: new Date(updated).toISOString() }),
  };
}
